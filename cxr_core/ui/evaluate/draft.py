"""Thresholds that a person tries: they live in the session until they are saved, and then are the rule everywhere.

limit = threshold_slider(run, "Nodule")
draft_of(run)                               # label -> threshold, as the sliders stand
save_buttons(run, draft_of(run))
"""

import streamlit as st

from cxr_core.figures import NOT_DEFINED, number, of
from cxr_core.hierarchy import Coherent
from cxr_core.labels import thresholded
from cxr_core.runs import Decision, Run
from cxr_core.runs.decision import clear_operating_point, save_operating_point
from cxr_core.ui import escaped

LOWEST, HIGHEST, STEP = 0.001, 0.999, 0.001
# Without a threshold the most probable class wins; equal thresholds for all say the same.
EVEN = 0.5


def threshold_slider(run: Run, name: str) -> float:
    """The slider of one label; its threshold as it stands."""
    # An instance of its own for each rule: after a save or a way back it starts where the run stands.
    key = f"threshold-{run.id}-{name}-{Decision.load(run).chosen}"
    limit = draft_of(run).get(name, EVEN)
    st.session_state.setdefault(key, min(max(limit, LOWEST), HIGHEST))
    st.slider(
        f"Threshold of {escaped(name)}",
        LOWEST,
        HIGHEST,
        step=STEP,
        format="%.3f",
        key=key,
        on_change=_keep,
        args=(run, name, key),
    )
    return limit


def labels_of(run: Run) -> list[str]:
    """The labels whose threshold can move a decision."""
    counts = thresholded(run.classes, run.implied)
    return [name for name in run.classes if name in counts]


def draft_of(run: Run) -> dict[str, float]:
    """The thresholds as the sliders stand; at first, and after a save or a way back, those of the run. A coherent label
    has none before its slider is moved.
    """
    decision = Decision.load(run)
    key = f"draft-{run.id}"
    kept = st.session_state.get(key)
    if kept is None or kept["of"] != decision.chosen:
        limits = _now(run, decision)
        kept = st.session_state[key] = {"of": decision.chosen, "limits": limits}
    draft: dict[str, float] = kept["limits"]
    return draft


def _now(run: Run, decision: Decision) -> dict[str, float]:
    """The thresholds that the run decides by."""
    given = {name: decision.thresholds[name] for name in labels_of(run) if name in decision.thresholds}
    return given if isinstance(run.implied, Coherent) else {name: given.get(name, EVEN) for name in labels_of(run)}


def _keep(run: Run, name: str, key: str) -> None:
    draft_of(run)[name] = float(st.session_state[key])


def save_buttons(run: Run, draft: dict[str, float]) -> None:
    """Save the draft, or go back to what the training chose; which of them decides now."""
    decision = Decision.load(run)
    moved = draft != _now(run, decision)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Save for this run", type="primary", icon=":material/save:", disabled=not moved):
            save_operating_point(run, draft)
            st.rerun()
        if decision.chosen and st.button("Back to the run's own", icon=":material/undo:"):
            clear_operating_point(run)
            st.rerun()
        if moved:
            st.caption("Not saved yet: Predict and the command line still use the thresholds of now.")
        elif decision.chosen:
            st.caption(f"Saved {escaped(decision.chosen[:16].replace('T', ' '))} UTC; used by Predict and everywhere.")
        elif not draft:
            st.caption("No label has a threshold: the most probable class decides.")
        else:
            st.caption("These are the run's own thresholds.")


def share_text(part: int, whole: int) -> str:
    """``0.750 (3 of 4)``."""
    return f"{number(part / whole)} ({of(part, whole)})" if whole else NOT_DEFINED
