"""Choosing a run; the choice stands in the URL, so a link or a reload leads to the same page."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from cxr_core.paths import shown
from cxr_core.runs import Run, list_runs
from cxr_core.runs.titles import titles
from cxr_core.settings import runs_dir
from cxr_core.ui import STATES, escaped
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
            st.page_link("pages/3_Train.py", label="Train a network", icon=":material/model_training:")
            st.page_link("dashboard.py", label="Quick start, without data", icon=":material/bolt:")
        return None
    run = choose_run(sorted(fitting, key=lambda run: not run.is_active), label)
    if run is None:
        return None
    known_as = f"{run.id} · " if run.name != run.id else ""
    st.caption(f"{known_as}{STATES[run.state][0]} · {escaped(run.info.dataset_name)}")
    return run


def choose_run(runs: Sequence[Run], label: str = "Run", width: int = 0) -> Run | None:
    """A select box over these runs, kept in ``?run=``, the first one at first. None where another one is asked for,
    which is said: nothing else may be shown in its place. ``width``: of a small box without its label.
    """
    by_id = {run.id: run for run in runs}
    # The URL holds the id, which stays when the name changes.
    names, ids = titles(runs), list(by_id)
    chosen = linked_box(
        label,
        "run",
        ids,
        ids[0],
        partial(_say_gone, ids),
        placeholder="Choose a run",
        format_func=lambda one: names.get(one, one),
        **({"label_visibility": "collapsed", "width": width} if width else {}),
    )
    return by_id[chosen] if chosen is not None else None


def _say_gone(ids: Sequence[str], asked: str) -> None:
    """Why nothing is shown of a run that a link, or this session, asks for and that is not among ``ids``."""
    begins = [run_id for run_id in ids if run_id.startswith(asked)][:3]
    hint = f" Its link may be cut short: {', '.join(map(escaped, begins))}." if begins else ""
    st.warning(
        f"There is no run **{escaped(shown(asked))}** here: it was deleted, or was never in this folder of runs."
        f"{hint} Choose one of the {len(ids):,} above.",
        icon=":material/search_off:",
    )
