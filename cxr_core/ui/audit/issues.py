"""The issues of an audit: what was found in pictures, what it means, and its fix.

fixed, found = audited(dataset)          # the data set as its fixes leave it, and its audit
verdict(found)
issues_list(dataset, fixed, found)
"""

import streamlit as st

from cxr_core.audit import Audit, Issue, audit
from cxr_core.audit.kinds import BLOCKS, INFORMS, WARNS
from cxr_core.data import Dataset, fixes
from cxr_core.settings import runs_dir
from cxr_core.ui import escaped, progress_bar
from cxr_core.ui.audit.evidence import evidence
from cxr_core.ui.audit.fixing import fix_buttons

# Severity -> (heading, colour, icon).
SEVERITIES = {
    BLOCKS: ("Blocks a training", "red", ":material/block:"),
    WARNS: ("Warnings", "orange", ":material/warning:"),
    INFORMS: ("For information", "gray", ":material/info:"),
}
# An issue of so few files takes half of the row.
_FEW = 3


def audited(dataset: Dataset) -> tuple[Dataset, Audit]:
    """The data set as its fixes leave it, and its audit; a bar shows how far the first one is. Raises DatasetError."""
    fixed = fixes.applied(dataset, fixes.read(runs_dir()))
    with (
        st.spinner("Looking for copies, sources and shortcuts"),
        progress_bar("Looking at the pictures", "pictures") as report,
    ):
        return fixed, audit(fixed, report)


def verdict(found: Audit) -> None:
    """The audit in one sentence, and how many issues of each severity there are."""
    counts = {name: sum(issue.severity == name for issue in found.issues) for name in SEVERITIES}
    st.markdown(f"**{_sentence(counts)}**")
    with st.container(horizontal=True):
        for name, (heading, colour, icon) in SEVERITIES.items():
            if counts[name]:
                st.badge(f"{heading}: {counts[name]}", icon=icon, color=colour)  # type: ignore[arg-type]


def _sentence(counts: dict[str, int]) -> str:
    if counts[BLOCKS]:
        return "Train and test share pictures: a training waits until this is fixed, or until you say train anyway."
    if counts[WARNS]:
        return "Nothing blocks a training. Read the warnings before you trust a score."
    return "The audit found nothing against a score on this data set."


def issues_list(dataset: Dataset, fixed: Dataset, found: Audit) -> None:
    """All issues by severity; ``dataset`` as it lies on disk, ``fixed`` as it was audited."""
    for severity, (heading, colour, icon) in SEVERITIES.items():
        issues = [issue for issue in found.issues if issue.severity == severity]
        if not issues:
            continue
        st.subheader(f":{colour}[{icon}] {heading}", anchor=False)
        # What needs the whole row comes first, the rest stands in two columns.
        small = [issue for issue in issues if len(issue.files) <= _FEW]
        for issue in issues:
            if issue not in small:
                _issue(dataset, fixed, found, issue)
        if small:
            with st.container(key=f"issues-{severity}"):
                for issue in small:
                    _issue(dataset, fixed, found, issue)


def _issue(dataset: Dataset, fixed: Dataset, found: Audit, issue: Issue) -> None:
    with st.container(border=True, key=f"issue-{issue.kind}"):
        st.markdown(f"**{escaped(issue.kind.capitalize())}**")
        st.markdown(escaped(issue.message))
        evidence(fixed, found, issue)
        if issue.fixes:
            fix_buttons(dataset, fixed, issue)
