"""Train: choose the hyperparameters, start, and watch."""

import streamlit as st

from cxr_core import ui
from cxr_core.data.dataset import Dataset
from cxr_core.settings import runs_dir
from cxr_core.training import jobs
from cxr_core.training.config import TrainConfig
from cxr_core.training.runs import list_runs


def choose() -> tuple[Dataset | None, TrainConfig | None]:
    """The data set and the hyperparameters; None for what is missing or wrong, which is said where it is."""
    dataset = config = None
    with ui.guarded():
        dataset = ui.open_dataset()
        if dataset is not None:
            st.caption(
                f"{len(dataset.samples):,} images of {len(dataset.classes)} classes: "
                f"{', '.join(ui.escaped(name) for name in dataset.classes)}"
            )
            ui.mends_line(dataset)
    with ui.guarded():
        config = ui.config_form()
    return dataset, config


def start(dataset: Dataset | None, config: TrainConfig | None) -> None:
    """The estimate and the button; what was started is the run that is watched below."""
    with ui.guarded():
        if dataset is not None and config is not None:
            ui.estimate_line(config, dataset)
        ready = dataset is not None and config is not None
        pressed = st.button(
            "Start training", type="primary", icon=":material/play_arrow:", disabled=not ready, key="start"
        )
        if pressed and dataset is not None and config is not None:
            with ui.progress_bar("Reading the data set", "files") as report:
                run = jobs.start_training(dataset.root, config, runs_dir(), report)
            st.session_state["run"] = run.id
            st.toast("Started. It goes on when you leave this page or close the browser.")


ui.page("Train", ":material/model_training:")
start(*choose())
st.subheader("Live", anchor=False)
with ui.guarded():
    if list_runs(runs_dir()):
        run = ui.pick_run(label="Run to watch")
        if run is not None:
            ui.live_run(run)
    else:
        st.caption("No run yet. The first one is shown here.")
