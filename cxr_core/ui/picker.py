"""Choosing a run or a data set; the choice stands in the URL, so a link or a reload leads to the same page."""

import os
from pathlib import Path

import streamlit as st

from cxr_core.data.archive import unpack
from cxr_core.data.dataset import Dataset
from cxr_core.errors import DatasetError
from cxr_core.settings import recent_datasets, remember_dataset, runs_dir
from cxr_core.training.runs import Run, list_runs
from cxr_core.training.titles import titles
from cxr_core.ui.cached import cached_scan, forget_scans
from cxr_core.ui.frame import STATES, escaped
from cxr_core.ui.link import asked, linked_box

MAX_FOLDERS_SHOWN = 60


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


def open_dataset() -> Dataset | None:
    """Choose a data set (a recent one, a typed folder or table, a subfolder, an uploaded zip; kept in ``?data=``)
    and scan it. None, with what to do, where none is chosen. Raises DatasetError.
    """
    chosen = _choose()
    if not chosen:
        st.info(
            "No data set is open. Type the path of a folder with one subfolder per class (or train and test folders "
            "that hold these), or of a CSV table with file and label; or upload a zip of such a folder.",
            icon=":material/folder_open:",
        )
        return None
    dataset = cached_scan(chosen)
    if recent_datasets()[:1] != [dataset.root.resolve()]:
        remember_dataset(dataset.root)
    return dataset


def _choose() -> str | None:
    """The widgets. What upload and browser choose must be known before the box is drawn, so they run first."""
    box = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Upload a zip", icon=":material/upload:"):
            _upload()
        with st.popover("Browse", icon=":material/folder:"):
            _browse()
        st.button("Look again", icon=":material/refresh:", on_click=forget_scans, help="Read the folder once more.")
    known = [str(path) for path in recent_datasets()]
    with box:
        return linked_box(
            "Data set",
            "data",
            known,
            known[0] if known else None,
            accept_new_options=True,
            filter_mode="contains",
            placeholder="Type the path of a folder or a CSV table",
            help="Choose a recent one, or type a path and press Enter.",
        )


def _upload() -> None:
    upload = st.file_uploader("A zip of a data set's folder", type=["zip"], key="data-zip")
    if upload is not None and st.session_state.get("data-unpacked") != upload.file_id:
        with st.spinner("Unpacking"):
            root = unpack(upload, upload.name)
        st.session_state["data-unpacked"] = upload.file_id
        st.session_state["data"] = str(root)
    st.caption("It is unpacked on the machine that runs this dashboard, and stays there.")


def _browse() -> None:
    here = Path(asked("data") or next(iter(recent_datasets()), Path.home())).expanduser()
    here = next((folder for folder in (here, *here.parents) if folder.is_dir()), Path.home())
    st.caption(escaped(str(here)))
    st.button("One up", icon=":material/arrow_upward:", on_click=_go, args=(here.parent,), key="browse-up")
    try:
        folders = sorted(
            entry.name for entry in os.scandir(here) if entry.is_dir() and not entry.name.startswith((".", "_"))
        )
    except OSError as error:
        raise DatasetError(f"The folder {here} cannot be read ({error.strerror}): choose another one.") from error
    for name in folders[:MAX_FOLDERS_SHOWN]:
        st.button(
            escaped(name), icon=":material/folder:", on_click=_go, args=(here / name,), key=f"browse-{here / name}"
        )
    if len(folders) > MAX_FOLDERS_SHOWN:
        st.caption(f"{MAX_FOLDERS_SHOWN} of {len(folders)} folders: type the path of another one.")


def _go(folder: Path) -> None:
    st.session_state["data"] = str(folder)
