"""The findings of an audit: what was found in pictures, what it means, and its mend.

mended, found = audited(dataset)          # the data set as its mends leave it, and its audit
verdict(found)
findings_list(dataset, mended, found)
"""

import streamlit as st

from cxr_core.audit.audit import Audit, audit
from cxr_core.audit.issues import BLOCKS, INFORMS, WARNS, Finding
from cxr_core.data import fixes
from cxr_core.data.dataset import Dataset
from cxr_core.settings import runs_dir
from cxr_core.ui.audit.evidence import evidence
from cxr_core.ui.audit.fixing import mend_buttons
from cxr_core.ui.cached import progress_bar
from cxr_core.ui.frame import escaped

# Severity -> (heading, colour, icon).
SEVERITIES = {
    BLOCKS: ("Blocks a training", "red", ":material/block:"),
    WARNS: ("Warnings", "orange", ":material/warning:"),
    INFORMS: ("For information", "gray", ":material/info:"),
}
# A finding of so few files takes half of the row.
_FEW = 3


def audited(dataset: Dataset) -> tuple[Dataset, Audit]:
    """The data set as its mends leave it, and its audit; a bar shows how far the first one is. Raises DatasetError."""
    mended = fixes.mended(dataset, fixes.read(runs_dir()))
    with (
        st.spinner("Looking for copies, sources and shortcuts"),
        progress_bar("Looking at the pictures", "pictures") as report,
    ):
        return mended, audit(mended, report)


def verdict(found: Audit) -> None:
    """The audit in one sentence, and how many findings of each severity there are."""
    counts = {name: sum(finding.severity == name for finding in found.findings) for name in SEVERITIES}
    st.markdown(f"**{_sentence(counts)}**")
    with st.container(horizontal=True):
        for name, (heading, colour, icon) in SEVERITIES.items():
            if counts[name]:
                st.badge(f"{heading}: {counts[name]}", icon=icon, color=colour)  # type: ignore[arg-type]


def _sentence(counts: dict[str, int]) -> str:
    if counts[BLOCKS]:
        return "Train and test share pictures: a training waits until this is mended, or until you say train anyway."
    if counts[WARNS]:
        return "Nothing blocks a training. Read the warnings before you trust a score."
    return "Nothing was found that would make a score on this data set worth less than it seems."


def findings_list(dataset: Dataset, mended: Dataset, found: Audit) -> None:
    """All findings by severity; ``dataset`` as it lies on disk, ``mended`` as it was audited."""
    for severity, (heading, colour, icon) in SEVERITIES.items():
        findings = [finding for finding in found.findings if finding.severity == severity]
        if not findings:
            continue
        st.subheader(f":{colour}[{icon}] {heading}", anchor=False)
        # What needs the whole row comes first, the rest stands in two columns.
        small = [finding for finding in findings if len(finding.files) <= _FEW]
        for finding in findings:
            if finding not in small:
                _finding(dataset, mended, found, finding)
        if small:
            with st.container(key=f"findings-{severity}"):
                for finding in small:
                    _finding(dataset, mended, found, finding)


def _finding(dataset: Dataset, mended: Dataset, found: Audit, finding: Finding) -> None:
    with st.container(border=True, key=f"finding-{finding.kind}"):
        st.markdown(f"**{escaped(finding.kind.capitalize())}**")
        st.markdown(escaped(finding.message))
        evidence(mended, found, finding)
        if finding.mends:
            mend_buttons(dataset, mended, finding)
