"""Choosing a data set; the choice stands in the URL, so a link or a reload leads to the same page.

A person opens what she types or picks. A path that only a link brings is shown and asked about first, unless it was
opened here before: nothing of it is read until then, not even whether it exists.
"""

from pathlib import Path

import streamlit as st

from cxr_core import reach
from cxr_core.activity import record_opened
from cxr_core.data import Dataset, unpack
from cxr_core.data.answers import forget, said
from cxr_core.data.folder import Folder
from cxr_core.errors import DatasetError, QuestionError
from cxr_core.findings import EXCLUSIVE, FINDINGS
from cxr_core.paths import given, printable
from cxr_core.settings import recent_datasets, remember_dataset, runs_dir
from cxr_core.ui.cached import STOPPED, cached_scan, forget_scans
from cxr_core.ui.drawn import IMAGES, SEVERAL, drawn
from cxr_core.ui.frame import escaped
from cxr_core.ui.link import asked, linked_box
from cxr_core.ui.question import question_form

MAX_FOLDERS_SHOWN = 60
# In the session: paths that the person typed, picked, or allowed.
CHOSEN = "data-chosen"


def known_datasets() -> list[Path]:
    """Data sets that were opened before and may be opened now, the latest first."""
    return [path for path in recent_datasets() if reach.reachable(path)]


def open_dataset() -> Dataset | None:
    """Choose a data set (a recent one, a typed path, a subfolder, an uploaded zip, a demo; kept in ``?data=``)
    and scan it. None, with what to do, where none is chosen or a person has to say first how it is read (a form
    asks). Raises DatasetError.
    """
    chosen = _choose()
    if not chosen:
        st.info(
            "No data set is open. Type the path of a public set as it is downloaded, of a folder with one subfolder "
            "per class (or train and test folders that hold these), or of a table; upload a zip of such "
            "a folder; or take a demo.",
            icon=":material/folder_open:",
        )
        return None
    if not _is_chosen(chosen):
        given(chosen)
        _ask(chosen)
        return None
    try:
        dataset = cached_scan(chosen)
    except QuestionError as error:
        question_form(given(chosen), error.question)
        return None
    except DatasetError as error:
        if not _was_answered(given(chosen)) or st.session_state.get(STOPPED):
            raise
        st.error(escaped(str(error)), icon=":material/error:")
        st.caption("It is read by what a person said of it, which may not fit any more.")
        st.button("Forget what was said", icon=":material/undo:", on_click=_forget, args=(given(chosen),))
        return None
    # Once a visit, not with every widget that is touched.
    if st.session_state.get("opened") != (dataset.root, dataset.digest):
        st.session_state["opened"] = (dataset.root, dataset.digest)
        record_opened(dataset.name, len(dataset.samples), len(dataset.unreadable), runs_dir())
    if recent_datasets()[:1] != [dataset.root]:
        remember_dataset(dataset.root)
    return dataset


def _was_answered(root: Path) -> bool:
    """Whether something was said of how to read it; what is damaged was said once."""
    try:
        return not said(root).are_empty
    except DatasetError:
        return True


def _forget(root: Path) -> None:
    forget(root)
    forget_scans()


def _is_chosen(text: str) -> bool:
    """Whether a person chose this path, and not a link alone."""
    return text in st.session_state.get(CHOSEN, ()) or text in map(str, known_datasets())


def _remember_choice(text: str | None) -> None:
    if text:
        st.session_state.setdefault(CHOSEN, set()).add(text)


def _ask(chosen: str) -> None:
    st.warning(
        "A link asks for this data set, which was not opened here before. Nothing of it was read yet. Open it if you "
        "know the path.",
        icon=":material/link:",
    )
    st.code(printable(chosen), language=None, wrap_lines=True)
    st.button("Open it", icon=":material/folder_open:", key="data-allow", on_click=_remember_choice, args=(chosen,))


def _choose() -> str | None:
    """The widgets. What upload, browser and demo choose must be known before the box is drawn, so they run first."""
    box = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Upload a zip", icon=":material/upload:"):
            _upload()
        with st.popover("Browse", icon=":material/folder:"):
            _browse()
        with st.popover("Demo", icon=":material/brush:"):
            _draw()
        st.button("Look again", icon=":material/refresh:", on_click=forget_scans, help="Read the folder once more.")
    known = [str(path) for path in known_datasets()]
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
            on_change=lambda: _remember_choice(st.session_state["data"]),
        )


def _upload() -> None:
    upload = st.file_uploader("A zip of a data set's folder", type=["zip"], key="data-zip")
    if upload is not None and st.session_state.get("data-unpacked") != upload.file_id:
        with st.spinner("Unpacking"):
            root = unpack(upload, upload.name)
        st.session_state["data-unpacked"] = upload.file_id
        _go(root)
    st.caption(
        "It is unpacked on the machine that runs this dashboard, and stays there. A zip of more than "
        f"{st.get_option('server.maxUploadSize')} MB: unpack it there and type the folder's path, or start the "
        "dashboard with a larger `--server.maxUploadSize`."
    )


def _draw() -> None:
    st.caption(f"{IMAGES} drawings, not X-rays, to try the software with. Drawn on the first click.")
    for label, task in (("Demo with three classes", EXCLUSIVE), (SEVERAL, FINDINGS)):
        if st.button(label, icon=":material/brush:"):
            _go(drawn(task))


def _browse() -> None:
    roots = reach.roots()
    here = _here()
    for root in roots or ():
        st.button(escaped(str(root)), icon=":material/home:", on_click=_go, args=(root,), key=f"browse-root-{root}")
    if here is None:
        st.caption("Only what is below these folders can be opened." if roots else "No folder can be opened here.")
        return
    st.caption(escaped(printable(str(here))))
    top = roots is not None and any(here.samefile(root) for root in roots)
    st.button(
        "One up", icon=":material/arrow_upward:", on_click=_go, args=(here.parent,), key="browse-up", disabled=top
    )
    looked = Folder(here)
    names = [folder.name for folder in looked.folders(here) if not folder.name.startswith("_")]
    if looked.troubles and looked.troubles[0][0] == here:
        raise DatasetError(f"The folder {here} {looked.troubles[0][1]}: choose another one.")
    for name in names[:MAX_FOLDERS_SHOWN]:
        st.button(
            escaped(printable(name)),
            icon=":material/folder:",
            on_click=_go,
            args=(here / name,),
            key=f"browse-{here / name}",
        )
    if len(names) > MAX_FOLDERS_SHOWN:
        st.caption(f"{MAX_FOLDERS_SHOWN} of {len(names)} folders: type the path of another one.")


def _here() -> Path | None:
    """The folder to browse from: that of the chosen data set, else where one begins. None where roots are given and
    none of them is chosen yet.
    """
    text = asked("data")
    start = next(iter(known_datasets()), None)
    if text and _is_chosen(text):
        try:
            start = given(text)
        except DatasetError:
            start = None
    if start is not None:
        for folder in (start, *start.parents):
            if reach.reachable(folder) and _is_dir(folder):
                return folder
    return Path.home() if reach.roots() is None else None


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _go(folder: Path) -> None:
    st.session_state["data"] = str(folder)
    _remember_choice(str(folder))
