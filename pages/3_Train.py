"""Train: choose the hyperparameters, start, and watch."""

import streamlit as st

from cxr_core import ui
from cxr_core.config import TrainConfig, check_weights_given
from cxr_core.data import Dataset
from cxr_core.data.cautions import untested
from cxr_core.errors import LeakError
from cxr_core.findings import EXCLUSIVE, FINDINGS
from cxr_core.runs import list_runs, start_training
from cxr_core.runs.run import STARTER
from cxr_core.settings import runs_dir
from cxr_core.ui.published import consented, exposure_line
from cxr_core.ui.run import live_run, pick_run

# Set by the button that says to train although the audit found a leak.
ANYWAY = "anyway"


def choose() -> tuple[Dataset | None, TrainConfig | None]:
    """The data set and the hyperparameters; None for what is missing or wrong, which is said where it is."""
    dataset = config = None
    with ui.guarded():
        dataset = ui.open_dataset()
        if dataset is not None:
            what = "with any number of findings" if dataset.task == FINDINGS else f"of {len(dataset.classes)} classes"
            st.caption(
                f"{len(dataset.samples):,} images {what}: {', '.join(ui.escaped(name) for name in dataset.classes)}"
            )
            ui.fixes_line(dataset)
            for sentence in untested(dataset.samples):
                st.warning(ui.escaped(sentence), icon=":material/warning:")
            ui.names_line(dataset)
    with ui.guarded():
        chosen = ui.config_form(dataset.task if dataset else EXCLUSIVE)
        if chosen is not None:
            check_weights_given(chosen)
            if dataset is not None:
                ui.effect_table(chosen, dataset)
                exposure_line(chosen, dataset)
            if not consented(chosen):
                chosen = None
        config = chosen
    return dataset, config


def blocked(error: LeakError, dataset: Dataset) -> None:
    """Why the training did not start, and the two ways on."""
    st.warning(ui.escaped(str(error)), icon=":material/block:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            "pages/2_Audit.py",
            label="To the audit",
            icon=":material/fact_check:",
            query_params={"data": str(dataset.root)},
        )
        st.button(
            "Train anyway",
            key="train-anyway",
            icon=":material/play_arrow:",
            on_click=st.session_state.update,
            args=({ANYWAY: True},),
        )


def start(dataset: Dataset | None, config: TrainConfig | None) -> None:
    """The estimate and the button; what was started is the run that is watched below."""
    with ui.guarded():
        if dataset is not None and config is not None:
            ui.estimate_line(config, dataset)
        ready = dataset is not None and config is not None
        pressed = st.button(
            "Start training", type="primary", icon=":material/play_arrow:", disabled=not ready, key="start"
        )
        anyway = st.session_state.pop(ANYWAY, False)
        if (pressed or anyway) and dataset is not None and config is not None:
            chosen = config.model_copy(update={"train_anyway": True}) if anyway else config
            try:
                with st.spinner("Starting"), ui.progress_bar("Reading the data set", "files") as report:
                    run = start_training(dataset.root, chosen, runs_dir(), report)
            except LeakError as error:
                blocked(error, dataset)
                return
            st.session_state["run"] = run.id
            st.toast("Started. It goes on when you leave this page or close the browser.")


ui.page("Train", ":material/model_training:")
start(*choose())
st.subheader("Live", anchor=False)
with ui.guarded():
    if any(run.id != STARTER for run in list_runs(runs_dir())):
        run = pick_run(label="Run to watch")
        if run is not None:
            live_run(run)
    else:
        st.caption("No run yet. The first one is shown here.")
