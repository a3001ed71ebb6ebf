"""What the Dataset page alone is made of: by which rules a data set was read and their change, what only a person can
say of it, and its findings.
"""

from cxr_core.ui.dataset.findings import findings_section
from cxr_core.ui.dataset.origin import origin_section
from cxr_core.ui.dataset.people import people_section

__all__ = ["findings_section", "origin_section", "people_section"]
