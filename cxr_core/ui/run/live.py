"""The live view of a run: where it is, its curves, and the buttons that stop or resume it.

    ui.live_run(run)

A fragment reads the run's folder every two seconds while the run is active; the rest of the page stays as it is. When
the run ends, the page is run once more as a whole.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.evaluation import balance
from cxr_core.figures import compact, of
from cxr_core.findings import FINDINGS
from cxr_core.glossary import meaning
from cxr_core.names import friendly
from cxr_core.runs import Run, jobs
from cxr_core.runs.queue import ahead_of
from cxr_core.runs.records import Epoch
from cxr_core.runs.run import ACTIVE
from cxr_core.runs.titles import in_queue
from cxr_core.ui import duration, escaped, guarded, metric, state_badge, warnings_banner
from cxr_core.ui.run import live_findings
from cxr_core.ui.sheet import sheet

REFRESH_SECONDS = 2
LOG_LINES = 200
NAMED_AHEAD = 3
STAGES = {
    "downloading": "Fetching the weights",
    "auditing": "Looking for leaks and shortcuts",
    "extracting": "Preparing images",
    "training": "Training",
    "evaluating": "Evaluating",
}


def live_run(run: Run) -> None:
    """Draw the run here, moving while it is active."""
    active = run.is_active
    view = st.fragment(_view, run_every=REFRESH_SECONDS if active else None, key=f"live-{run.id}")
    view(run.path, active)


def _view(path: Path, was_active: bool) -> None:
    run = Run(path)
    with guarded():
        state = run.state
        if was_active and state not in ACTIVE:
            st.rerun()
        _head(run, state)
        history = run.history
        if state == "queued":
            st.write(place_in_queue(run))
        elif state in ACTIVE:
            stage_progress(run)
        _trouble(run, state)
        if history:
            warnings_banner(run)
            _numbers(run, history)
            _curves(run, history)
        elif state in ACTIVE:
            st.caption("The curves begin with the end of the first epoch.")
        with st.expander("Log", icon=":material/terminal:"):
            st.code("\n".join(run.log.splitlines()[-LOG_LINES:]) or "The log is empty so far.", language=None)


def _head(run: Run, state: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        state_badge(state)
        st.markdown(f"**{escaped(run.name)}** · {escaped(run.info.dataset_name)}", width="stretch")
        if state in ACTIVE:
            asked = run.stop_requested
            text = "Stopping" if asked else "Stop"
            if st.button(text, icon=":material/stop_circle:", key=f"stop-{run.id}", disabled=asked):
                jobs.stop(run)
                st.rerun(scope="app")
        elif run.can_resume and st.button("Resume", icon=":material/play_arrow:", key=f"resume-{run.id}"):
            jobs.resume(run)
            st.rerun(scope="app")
        if state == "completed":
            for page, label, icon in (
                ("pages/5_Evaluate.py", "Evaluate", ":material/analytics:"),
                ("pages/6_Predict.py", "Predict", ":material/radiology:"),
            ):
                st.page_link(page, label=label, icon=icon, query_params={"run": run.id})


def place_in_queue(run: Run) -> str:
    """What a training that is queued waits for, in a sentence."""
    ahead = ahead_of(run)
    if ahead:
        named = [f"{escaped(in_queue(other))} ({other.state})" for other in ahead[:NAMED_AHEAD]]
        more = [f"{len(ahead) - NAMED_AHEAD} more"] if len(ahead) > NAMED_AHEAD else []
        names = ", ".join([*named, *more])
        return f"Waits for {len(ahead)} before it: {names}. One training runs at a time, first come, first served."
    if run.status.pid is None:
        return "Its worker is starting, which takes a few seconds."
    return "It is next."


def stage_progress(run: Run) -> None:
    """A bar: the stage that an active run is in, how far it is, how long it takes still."""
    progress = run.progress
    stage = progress.stage
    if stage == "queued":
        st.progress(0.0, "Starting: loading the software takes a few seconds.")
        return
    done, total, rate = progress.done, progress.total, progress.per_second
    parts = [STAGES.get(stage, str(stage).capitalize())]
    if stage == "downloading":
        parts.append(f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB")
    elif progress.epoch:
        parts.append(f"epoch {of(progress.epoch, progress.epochs)}")
    else:
        parts.append(f"{of(done, total)} images")
    if rate:
        parts.append(f"{rate / 1e6:,.1f} MB a second" if stage == "downloading" else f"{rate:,.0f} images a second")
    if progress.seconds_left is not None:
        parts.append(f"about {duration(progress.seconds_left)} left in this stage")
    st.progress(min(1.0, done / total) if total else 0.0, escaped(" · ".join(parts)))
    if run.stop_requested:
        st.caption("It stops within a step or, where epochs are short, at the end of one, and keeps what it has.")


def _trouble(run: Run, state: str) -> None:
    if state == "failed":
        st.error(escaped(str(run.status.error or "The worker ended without a reason; see the log.")))
    elif state == "lost":
        st.warning(
            "Its process is gone (the machine was restarted, or it was ended from outside). "
            "What was finished is kept: Resume goes on from there.",
            icon=":material/link_off:",
        )
    elif state == "stopped":
        st.caption("Stopped. What was finished is kept: Resume goes on from there.")


def _numbers(run: Run, history: list[Epoch]) -> None:
    """The best epoch so far, each number with the images it was counted on."""
    best = next((row for row in reversed(history) if row.best), history[-1])
    if run.task == FINDINGS:
        live_findings.numbers(run, history, best)
        return
    validation = best.val
    confusion = validation.confusion
    images = sum(map(sum, confusion))
    for place, (label, value, counted, term) in zip(
        st.columns(3),
        [
            (
                "Best epoch",
                str(best.epoch),
                f"by validation {friendly('monitor', run.config.monitor)}; {len(history)} done",
                "split",
            ),
            ("Macro F1, validation", validation.macro_f1, f"over {images:,} validation images", "macro F1"),
            (
                "Accuracy, validation",
                validation.accuracy,
                f"{balance.right_in(confusion)} validation images",
                "accuracy",
            ),
        ],
        strict=True,
    ):
        with place:
            metric(label, value, counted, meaning(term))
    recall = [
        {"Class": name, "Recall": compact(validation.recall.get(name)), "Images": of(row[k], sum(row))}
        for k, (name, row) in enumerate(zip(run.classes, confusion, strict=True))
    ]
    st.caption(f"Recall of each class on validation, epoch {best.epoch}")
    sheet(pd.DataFrame(recall), hide_index=True)


def _curves(run: Run, history: list[Epoch]) -> None:
    if run.task == FINDINGS:
        _draw(run, live_findings.curves(run, history))
        return
    drawn = {
        "loss": charts.live_curve(history, "loss"),
        "accuracy": charts.live_curve(history, "accuracy"),
        "macro_f1": charts.live_curve(history, "macro_f1"),
        "recall": charts.live_recall(history, run.classes),
    }
    _draw(run, drawn)


def _draw(run: Run, drawn: Mapping[str, tuple[pd.DataFrame, dict[str, Any]]]) -> None:
    # Row by row: on a phone, where columns stack, the order stays.
    places = [*st.columns(2), *st.columns(2)]
    for place, (name, (frame, spec)) in zip(places, drawn.items(), strict=True):
        place.vega_lite_chart(
            frame, spec, key=f"{name}-{run.id}", on_select="rerun", selection_mode=["z"], width="stretch"
        )
