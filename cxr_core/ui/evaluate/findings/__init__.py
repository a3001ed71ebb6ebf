"""The Evaluate page of a run of findings, a section each: all findings, one of them, its operating point, subgroups,
sources, what is predicted together, epochs replayed, two runs compared, controls, other data sets.

    findings_page(run, "test")
"""

from cxr_core.ui.evaluate.findings.page import findings_page

__all__ = ["findings_page"]
