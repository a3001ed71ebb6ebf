"""The Audit page: what the audit reports, each issue with its pictures, its meaning and the fixes that it has.

found = audited(dataset)
issues_list(dataset, found)         # with the buttons that fix
fixes_list(dataset)                 # what was fixed, and Undo
"""

from cxr_core.ui.audit.fixing import fixes_list
from cxr_core.ui.audit.issues import audited, issues_list, verdict

__all__ = ["audited", "fixes_list", "issues_list", "verdict"]
