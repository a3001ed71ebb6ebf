"""What a score on a data set is worth: duplicates, leaks, sources, shortcuts, odd pictures, and how to fix them.

    found = audit(scan("my-xrays"))
    for issue in found.issues: print(issue.severity, issue.message)

``traits`` reads each picture once and keeps what was seen; everything else works on that. No torch here.
"""

from typing import TYPE_CHECKING

from cxr_core.doors import opened

if TYPE_CHECKING:
    from cxr_core.audit.auditing import audit as audit
    from cxr_core.audit.auditing import leaks as leaks
    from cxr_core.audit.issues import Issue as Issue
    from cxr_core.audit.result import Audit as Audit
else:
    __getattr__ = opened(__name__, {"auditing": ("audit", "leaks"), "issues": ("Issue",), "result": ("Audit",)})
