"""The other one of two runs that are compared: chosen once, kept from one section and page to the next.

other = pick_other(run, lambda run, other: run.classes == other.classes, "classes")
"""

from collections.abc import Callable, Sequence

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.runs import Run, list_runs
from cxr_core.runs.overlaps import beside
from cxr_core.runs.titles import titles
from cxr_core.settings import runs_dir
from cxr_core.ui import escaped
from cxr_core.ui.run import overlap_warning


def pick_other(run: Run, fits: Callable[[Run, Run], bool], what: str) -> Run | None:
    """A box over the completed runs that fit this one. None where there is none, which is said in terms of ``what``
    they would share, or where none is chosen.
    """
    others = {other.id: other for other in list_runs(runs_dir()) if other.id != run.id and _fits(run, other, fits)}
    if not others:
        st.info(
            f"There is no other completed run with these {what}. Train one on the same data set to compare with.",
            icon=":material/info:",
        )
        return None
    names = titles([run, *others.values()])
    before = st.session_state.get("compare-with")
    lost = before is not None and before not in others and before != run.id
    if lost:
        # Another one would be taken for it.
        st.session_state["compare-with"] = None
    chosen = st.selectbox(
        "Compare with",
        list(others),
        index=None if lost else 0,
        key="compare-with",
        persist_state="session",
        placeholder="Choose a run",
        format_func=lambda one: names.get(one, one),
    )
    if chosen is None:
        told = f"The run **{escaped(str(before))}** is gone, or cannot be compared any more. " if lost else ""
        st.info(f"{told}Choose a run to compare with.", icon=":material/search_off:")
        return None
    return others[chosen]


def named_overlaps(runs: Sequence[Run]) -> None:
    """A warning where the public sets of these runs are known to share images."""
    overlap_warning(beside(runs))


def _fits(run: Run, other: Run, fits: Callable[[Run, Run], bool]) -> bool:
    try:
        return other.state == "completed" and fits(run, other)
    except CxrError:
        # A damaged run is shown as such on the Runs page; here it is none to compare with.
        return False
