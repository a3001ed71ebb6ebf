"""Choosing a run; the choice stands in the URL, so a link or a reload leads to the same page."""

import streamlit as st

from cxr_core.settings import runs_dir
from cxr_core.training.runs import Run, list_runs
from cxr_core.training.titles import titles
from cxr_core.ui.frame import STATES, escaped
from cxr_core.ui.link import linked_box


def pick_run(states: tuple[str, ...] | None = None, label: str = "Run") -> Run | None:
    """A select box over the runs in one of ``states`` (None: all), kept in ``?run=``: active ones first, then the
    newest. Says what to do and returns None where there is none.
    """
    runs = list_runs(runs_dir())
    fitting = [run for run in runs if states is None or run.state in states]
    if not fitting:
        wanted = " or ".join(STATES[state][0].lower() for state in states or ())
        st.info(f"No run is {wanted} yet." if runs and wanted else "There is no run yet.", icon=":material/info:")
        with st.container(horizontal=True):
            st.page_link("pages/2_Train.py", label="Train a network", icon=":material/model_training:")
            st.page_link("dashboard.py", label="Quick start, without data", icon=":material/bolt:")
        return None
    by_id = {run.id: run for run in sorted(fitting, key=lambda run: not run.is_active)}
    first = next(iter(by_id))
    # The URL holds the id, which stays when the name changes.
    names = titles(fitting)
    run = by_id[linked_box(label, "run", list(by_id), first, format_func=lambda one: names.get(one, one)) or first]
    known_as = f"{run.id} · " if run.name != run.id else ""
    st.caption(f"{known_as}{STATES[run.state][0]} · {escaped(run.info['dataset_name'])}")
    return run
