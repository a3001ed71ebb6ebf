"""What a score on a data set is worth: duplicates, leaks, sources, shortcuts, odd pictures, and how to fix them.

    found = audit(scan("my-xrays"))
    for issue in found.issues: print(issue.severity, issue.message)

``traits`` reads each picture once and keeps what was seen; everything else works on that. No torch here.
"""

from cxr_core.audit.audit import audit, leaks
from cxr_core.audit.issues import Issue
from cxr_core.audit.result import Audit

__all__ = ["Audit", "Issue", "audit", "leaks"]
