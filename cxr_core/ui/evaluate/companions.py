"""Trainings that go with a run: the button that starts them, how far they are, and how to stop and go on.

measuring(run, CONTROLS, "Measure controls", 2)
"""

from pathlib import Path

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.runs import jobs
from cxr_core.runs.companions import Experiment, active, request_stop, unfinished
from cxr_core.runs.run import Run
from cxr_core.ui.frame import duration, escaped, guarded
from cxr_core.ui.run.live import LOG_LINES, REFRESH_SECONDS, place_in_queue, stage_progress

PROBLEM = "companions-problem"


def measuring(run: Run, experiment: Experiment, start: str, trainings: int) -> None:
    """What stands where the result will be. ``start``: the button's label; ``trainings``: how many there are to do."""
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.error(escaped(problem), icon=":material/error:")
    if active(run, experiment) is not None:
        st.fragment(_live, run_every=REFRESH_SECONDS, key=f"{experiment.name}-{run.id}")(run.path, experiment)
        return
    left = unfinished(run, experiment)
    if left is not None:
        reason = left.status.error if left.state == "failed" else "What was finished is kept."
        st.warning(escaped(f"{left.info.title}: {left.state}. {reason or ''}"), icon=":material/link_off:")
        _log(run, experiment)
    else:
        st.caption(f"Not measured yet. {_cost(run, trainings)}")
    st.button(
        start if left is None else "Go on",
        icon=":material/science:",
        key=f"start-{experiment.name}",
        type="primary",
        on_click=_start,
        args=(run, experiment),
    )


def _cost(run: Run, trainings: int) -> str:
    """How long it takes, from what the run itself took."""
    started, ended = run.status.started, run.status.ended
    took = f", which took {duration(ended - started)}" if started and ended else ""
    times = "one training" if trainings == 1 else f"{trainings} trainings"
    return f"It is {times} like this run{took}, in the background, and can be stopped."


def _start(run: Run, experiment: Experiment) -> None:
    try:
        jobs.start_experiment(run, experiment)
    except CxrError as error:
        st.session_state[PROBLEM] = str(error)


def _live(path: Path, experiment: Experiment) -> None:
    run = Run(path)
    with guarded():
        at_work = active(run, experiment)
        if at_work is None:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{at_work.info.number}: **{escaped(at_work.info.title)}**", width="stretch")
            asked = at_work.stop_requested
            if st.button(
                "Stopping" if asked else "Stop",
                icon=":material/stop_circle:",
                disabled=asked,
                key=f"stop-{experiment.name}",
            ):
                request_stop(run, experiment)
                st.rerun(scope="app")
        if at_work.state == "queued":
            st.write(place_in_queue(at_work))
        else:
            stage_progress(at_work)
        _log(run, experiment)


def _log(run: Run, experiment: Experiment) -> None:
    try:
        text = (run.path / experiment.log).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    with st.expander("Log", icon=":material/terminal:"):
        st.code("\n".join(text.splitlines()[-LOG_LINES:]) or "Nothing was written yet.", language=None)
