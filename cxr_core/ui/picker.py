"""Choosing a run or a data set; the choice stands in the URL, so a link or a reload leads to the same page."""

from pathlib import Path

import streamlit as st

from cxr_core.settings import recent_datasets, runs_dir
from cxr_core.training.runs import Run, list_runs
from cxr_core.ui.frame import STATES, escaped


def pick_run(states: tuple[str, ...] | None = None, label: str = "Run") -> Run | None:
    """A select box over the runs in one of ``states`` (None: all), bound to ``?run=``; the newest is chosen first.

    Says what to do and returns None where there is none.
    """
    runs = list_runs(runs_dir())
    fitting = {run.id: run for run in runs if states is None or run.state in states}
    if not fitting:
        wanted = " or ".join(STATES[state][0].lower() for state in states or ())
        st.info(f"No run is {wanted} yet." if runs and wanted else "There is no run yet.", icon=":material/info:")
        st.page_link("pages/2_Train.py", label="Train a network", icon=":material/model_training:")
        st.page_link("dashboard.py", label="Or use Quick start: no data needed", icon=":material/bolt:")
        return None
    # Ids, not names: what a bound box shows is what the URL holds.
    run = fitting[st.selectbox(label, list(fitting), key="run", bind="query-params")]
    name = f"{escaped(run.name)} · " if run.name != run.id else ""
    st.caption(f"{name}{STATES[run.state][0]} · {escaped(run.info['dataset_name'])}")
    return run


def pick_dataset() -> Path | None:
    """A select box over recent data sets and a field for a folder, bound to ``?data=``."""
    typed = st.text_input("Folder", key="data", bind="query-params", placeholder=str(Path.home()))
    if typed:
        return Path(typed).expanduser()
    recent = recent_datasets()
    return recent[0] if recent else None
