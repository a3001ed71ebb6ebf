"""The fixes that an issue of the audit offers as buttons, and those that were made, each with its undo.

fix_buttons(dataset, fixed, issue)
fixes_list(dataset)
"""

from collections import Counter
from collections.abc import Collection, Iterable

import streamlit as st

from cxr_core.audit import Issue
from cxr_core.audit.fixing import places
from cxr_core.audit.kinds import FIXES, KEEP_ONE, MASK_BORDER, SAME_SPLIT
from cxr_core.data import Dataset, fixes
from cxr_core.errors import CxrError
from cxr_core.settings import runs_dir
from cxr_core.ui import escaped

PROBLEM = "fix-problem"
UNDO = "undo"
# What a fix did to the files of one place; one that is missing here is a split.
DONE = {
    fixes.LEFT_OUT: "{files} left out",
    fixes.NOT_GIVEN: "the given split of {files} forgotten",
    fixes.BORDER_MASKED: "the border of every image is masked, because of {files}",
}


def fix_buttons(dataset: Dataset, fixed: Dataset, issue: Issue) -> None:
    """A button for each fix, with how many images it changes. ``dataset`` lies on disk, ``fixed`` is it with the
    fixes made so far.
    """
    _problem(issue.kind)
    with st.container(horizontal=True):
        for fix in issue.fixes:
            changes = places(fixed, issue, fix)
            st.button(
                escaped(f"{fix.capitalize()} · {_changed(fix, changes.values())}"),
                key=f"fix-{issue.kind}-{fix}",
                icon=":material/build:",
                help=FIXES[fix],
                disabled=not changes,
                on_click=_fix,
                args=(dataset, issue, fix),
            )


def _fix(dataset: Dataset, issue: Issue, fix: str) -> None:
    try:
        # Read anew: a second click, before the first one is drawn, finds nothing left to change.
        now = fixes.applied(dataset, fixes.read(runs_dir()))
        changes = places(now, issue, fix)
        if changes:
            fixes.move(runs_dir(), now, changes, f"{issue.kind}: {fix}")
            told = f"{issue.kind.capitalize()}: {fix} · {_done(changes.values())}."
            st.toast(escaped(f"{told} Undo is at the head of the page."), icon=":material/build:", duration="long")
    except CxrError as error:
        st.session_state[PROBLEM] = (issue.kind, str(error))


def _problem(where: str) -> None:
    """What went wrong with the last fix or undo, where its button is."""
    place, text = st.session_state.get(PROBLEM, ("", ""))
    if text and place == where:
        del st.session_state[PROBLEM]
        st.error(escaped(text), icon=":material/error:")


def _changed(fix: str, moved: Collection[str]) -> str:
    """What a button does, in few words: ``2 left out``; only how many where the fix's own name says the rest."""
    if fix == KEEP_ONE:
        return f"{len(moved):,} left out"
    if fix == SAME_SPLIT:
        return ", ".join(f"{count:,} to {place}" for place, count in sorted(Counter(moved).items()))
    if fix == MASK_BORDER:
        return "every image"
    return _images(len(moved))


def _done(moved: Iterable[str]) -> str:
    """What a fix did: ``2 images left out``, ``1 image moved to test, 3 images moved to train``."""
    return ", ".join(
        DONE.get(place, "{files} moved to {place}").format(files=_images(count), place=place)
        for place, count in sorted(Counter(moved).items())
    )


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def fixes_list(dataset: Dataset) -> None:
    """The fixes on files of this data set (as it lies on disk), the latest first."""
    _problem(UNDO)
    table = fixes.applying(dataset, fixes.read(runs_dir()))
    if table.empty:
        return
    with st.container(border=True, key="fixes"):
        st.markdown("**Fixed**")
        for name, rows in reversed(list(table.groupby("mend", sort=False))):
            first = rows.iloc[0]
            with st.container(horizontal=True, vertical_alignment="center", key=f"fix-{name}"):
                text = f"{first['reason'].capitalize()} · {_done(rows['split'])} · {first['time'][:10]}"
                st.markdown(escaped(text), width="stretch")
                st.button("Undo", icon=":material/undo:", key=f"undo-fix-{name}", on_click=_undo, args=(str(name),))
        st.caption("Written beside the runs; no image was changed. Every training on this data set honours it.")


def _undo(fix: str) -> None:
    try:
        fixes.undo(runs_dir(), fix)
    except CxrError as error:
        st.session_state[PROBLEM] = (UNDO, str(error))
