"""The section Controls: what of the run's score can be had without lungs, and the button that measures it."""

from pathlib import Path

import streamlit as st

from cxr_core import charts
from cxr_core.errors import CxrError
from cxr_core.training import controls, jobs
from cxr_core.training.controls import Scores
from cxr_core.training.runs import Run
from cxr_core.ui.figures import NO_BAR
from cxr_core.ui.frame import escaped, guarded
from cxr_core.ui.live import LOG_LINES, REFRESH_SECONDS, stage_progress

PROBLEM = "controls-problem"


def controls_section(run: Run) -> None:
    """The scores side by side once they are measured; before, the button; meanwhile, how far it is."""
    found = controls.scores(run)
    if found is not None:
        _shown(found)
        return
    st.write(escaped(controls.PROTOCOL))
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.error(escaped(problem), icon=":material/error:")
    if controls.active(run) is not None:
        st.fragment(_live, run_every=REFRESH_SECONDS, key=f"controls-{run.id}")(run.path)
        return
    left = controls.unfinished(run)
    if left is not None:
        reason = left.status.get("error") if left.state == "failed" else "What was finished is kept."
        st.warning(escaped(f"{controls.TITLES[left.mask]}: {left.state}. {reason or ''}"), icon=":material/link_off:")
        _log(run)
    else:
        st.caption("Not measured yet. It takes about twice as long as this run's training, and runs by itself.")
    st.button(
        "Measure controls" if left is None else "Go on",
        icon=":material/science:",
        key="start-controls",
        type="primary",
        on_click=_start,
        args=(run,),
    )


def _start(run: Run) -> None:
    try:
        jobs.start_controls(run)
    except CxrError as error:
        st.session_state[PROBLEM] = str(error)


def _live(path: Path) -> None:
    run = Run(path)
    with guarded():
        control = controls.active(run)
        if control is None:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center"):
            number = controls.MASKS.index(control.mask) + 1
            st.markdown(
                f"Control {number} of {len(controls.MASKS)}: **{controls.TITLES[control.mask]}**", width="stretch"
            )
            asked = control.stop_requested
            if st.button("Stopping" if asked else "Stop", icon=":material/stop_circle:", disabled=asked):
                control.request_stop()
                st.rerun(scope="app")
        if control.state == "queued":
            st.write("Starts in a few seconds, or waits for the training that is at work; one trains at a time.")
        else:
            stage_progress(control)
        _log(run)


def _log(run: Run) -> None:
    try:
        text = (run.path / controls.LOG).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    with st.expander("Log", icon=":material/terminal:"):
        st.code("\n".join(text.splitlines()[-LOG_LINES:]) or "Nothing was written yet.", language=None)


def _shown(found: Scores) -> None:
    st.write(escaped(controls.verdict(found)))
    bars = found.bars
    st.plotly_chart(
        charts.score_bars(
            [bar.title for bar in bars],
            [bar.macro_f1 for bar in bars],
            [bar.interval for bar in bars],
            [f"{bar.n:,} {bar.on}" for bar in bars],
            found.chance,
        ),
        key="controls",
        config=NO_BAR,
    )
    for bar in bars:
        st.markdown(f"**{bar.title}**, {bar.n:,} {escaped(bar.on)}: {escaped(bar.meaning)}")
    st.caption(escaped(f"Macro F1 with its 95 % interval by patient. {controls.PROTOCOL}"))
