"""The findings of an audit: what was found in pictures, what it means, its mend, and the way back.

found = audited(dataset)          # the data set as its mends leave it, and its audit
findings_list(*found)
mends_list(dataset)
"""

import pandas as pd
import streamlit as st

from cxr_core.audit.audit import Audit, audit
from cxr_core.audit.findings import MENDS, Finding
from cxr_core.audit.mending import places
from cxr_core.data import mends
from cxr_core.data.dataset import Dataset
from cxr_core.errors import CxrError, ImageError
from cxr_core.settings import runs_dir
from cxr_core.ui.cached import progress_bar, thumbnail
from cxr_core.ui.frame import escaped

PROBLEM = "mend-problem"
PAIRS_SHOWN, PICTURES_SHOWN = 4, 6
# What a mend did to the files of one place; one that is missing here is a split.
DONE = {
    mends.LEFT_OUT: "{files} left out",
    mends.NOT_GIVEN: "the given split of {files} forgotten",
    mends.BORDER_MASKED: "the border of every image is masked, because of {files}",
}
# Severity -> (what a person reads, colour of the badge, icon).
SEVERITIES = {
    "blocks": ("Blocks a training", "red", ":material/block:"),
    "warns": ("Warns", "orange", ":material/warning:"),
    "informs": ("Informs", "gray", ":material/info:"),
}


def audited(dataset: Dataset) -> tuple[Dataset, Audit]:
    """The data set as its mends leave it, and its audit; a bar shows how far the first one is. Raises DatasetError."""
    mended = mends.mended(dataset, mends.read(runs_dir()))
    with progress_bar("Looking at the pictures", "pictures") as report:
        return mended, audit(mended, report)


def findings_list(dataset: Dataset, found: Audit) -> None:
    """All findings, the severest first."""
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.error(escaped(problem), icon=":material/error:")
    for finding in found.findings:
        _finding(dataset, finding)


def _finding(dataset: Dataset, finding: Finding) -> None:
    text, colour, icon = SEVERITIES[finding.severity]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escaped(finding.kind.capitalize())}**", width="stretch")
            st.badge(text, icon=icon, color=colour)  # type: ignore[arg-type]
        st.markdown(escaped(finding.message))
        if finding.groups:
            _groups(dataset, finding)
        elif finding.files:
            _pictures(dataset, finding.files[:PICTURES_SHOWN], f"tiles-{finding.kind.replace(' ', '-')}")
        if finding.files:
            with st.expander(f"All {len(finding.files):,} files"):
                st.dataframe(pd.DataFrame({"file": finding.files}), hide_index=True)
        if finding.mends:
            with st.container(horizontal=True):
                for mend in finding.mends:
                    st.button(
                        mend.capitalize(),
                        key=f"mend-{finding.kind}-{mend}",
                        icon=":material/build:",
                        help=MENDS[mend],
                        on_click=_mend,
                        args=(dataset, finding, mend),
                    )


def _groups(dataset: Dataset, finding: Finding) -> None:
    """Pictures that belong together, side by side."""
    for number, group in enumerate(finding.groups[:PAIRS_SHOWN]):
        _pictures(dataset, group[:PICTURES_SHOWN], f"tiles-{finding.kind.replace(' ', '-')}-{number}")
    if len(finding.groups) > PAIRS_SHOWN:
        st.caption(f"{PAIRS_SHOWN} of {len(finding.groups):,} groups are shown.")


def _pictures(dataset: Dataset, files: tuple[str, ...], key: str) -> None:
    with st.container(key=key):
        for file in files:
            with st.container(gap=None):
                try:
                    st.image(thumbnail(dataset.path(file)), width="stretch", alt=file)
                except ImageError as error:
                    st.caption(escaped(str(error)))
                st.caption(escaped(file))


def _mend(dataset: Dataset, finding: Finding, mend: str) -> None:
    # The page's data set has earlier mends in it already: a file it left out is no longer there to be moved.
    try:
        mends.move(runs_dir(), dataset, places(dataset, finding, mend), f"{finding.kind}: {mend}")
    except CxrError as error:
        st.session_state[PROBLEM] = str(error)


def mends_list(dataset: Dataset) -> None:
    """The mends on files of this data set (as it lies on disk), each with its undo."""
    st.subheader("Mends", anchor=False)
    table = mends.applying(dataset, mends.read(runs_dir()))
    st.caption(
        "A mend is written beside the runs; no image is ever changed. Every training on this data set honours it."
        if len(table)
        else "None yet: the data set is taken as it lies on disk."
    )
    for name, rows in reversed(list(table.groupby("mend", sort=False))):
        with st.container(horizontal=True, vertical_alignment="center"):
            first = rows.iloc[0]
            st.markdown(
                escaped(f"{first['reason'].capitalize()} · {_done(rows)} · {first['time'][:10]}"), width="stretch"
            )
            st.button("Undo", icon=":material/undo:", key=f"undo-mend-{name}", on_click=_undo, args=(str(name),))


def _done(rows: pd.DataFrame) -> str:
    """What a mend did, from its rows."""
    return ", ".join(
        DONE.get(str(place), "{files} moved to {place}").format(
            files="1 image" if count == 1 else f"{count:,} images", place=place
        )
        for place, count in rows["split"].value_counts().items()
    )


def _undo(mend: str) -> None:
    try:
        mends.undo(runs_dir(), mend)
    except CxrError as error:
        st.session_state[PROBLEM] = str(error)


def verdict(found: Audit) -> str:
    """The audit in one sentence."""
    counts = {name: sum(finding.severity == name for finding in found.findings) for name in SEVERITIES}
    if counts["blocks"]:
        return "Train and test share pictures: a training waits until this is mended, or until you say train anyway."
    if counts["warns"]:
        return f"{counts['warns']} of {len(found.findings)} findings are a warning: read them before a score."
    return "Nothing was found that would make a score on this data set worth less than it seems."
