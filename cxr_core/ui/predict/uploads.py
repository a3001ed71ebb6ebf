"""Predictions for uploaded files: made once per upload, kept in the session's memory, never written.

    answers = predicted(run, read_uploads(waiting()))

A zip stands for the files in it. A file's name is text to show. It is never a path.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cxr_core.activity import record_predicted
from cxr_core.data import shown_name
from cxr_core.data.uploads import Member, members
from cxr_core.errors import ImageError
from cxr_core.figures import counted
from cxr_core.images import limits
from cxr_core.runs import Run
from cxr_core.ui import cached_predictor, progress_bar
from cxr_core.ui.cached import rule_stamps

if TYPE_CHECKING:
    from cxr_core.inference import Prediction, Predictor

# In the session: the files that were uploaded last, so many bytes of them at most, whichever run answers.
KEPT = "uploads-kept"
KEPT_BYTES = 128 * 2**20
PRIVACY = "They stay in memory, are never written to disk, and are gone when the browser's tab is closed."
_FILES, _FOLDER = "uploads", "uploads-folder"


@dataclass(frozen=True)
class Answer:
    """What came of one file: a prediction, or the ``error`` that says why there is none."""

    name: str
    key: str
    error: str | None = None
    prediction: "Prediction | None" = None
    member: Member | None = field(default=None, compare=False)

    @property
    def withheld(self) -> str | None:
        """Why the answer is withheld; None where it is not."""
        return self.prediction.withheld if self.prediction else None

    @property
    def outcome(self) -> str:
        """As of a prediction: answered, withheld or unreadable."""
        return self.prediction.outcome if self.prediction else "unreadable"


def waiting() -> bool:
    """Whether there are files already, in an uploader or from before: the page is drawn around their answers."""
    return any(st.session_state.get(key) for key in (_FILES, _FOLDER)) or bool(st.session_state.get(KEPT))


def read_uploads(strip: bool) -> list[Member | Answer]:
    """The uploaders, as one ``strip`` where there are files, and the files that they hold; an ``Answer`` with its error
    for a zip that cannot be opened.
    """
    if strip:
        with st.container(key="uploads-strip", width="stretch"):
            uploads = _uploader(strip)
        with st.popover("More", icon=":material/folder_open:"):
            uploads += _folder()
            _size_note()
    else:
        files, folder = st.tabs(["Files or zips", "A folder"])
        with files:
            uploads = _uploader(strip)
            _size_note()
        with folder:
            uploads += _folder()
    if not uploads:
        return _kept()
    found = read(uploads)
    if not keep(found, sum(upload.size for upload in uploads)):
        st.caption(f"More than {KEPT_BYTES // 2**20} MB: these files are gone when you leave this page.")
    return found


def _uploader(strip: bool) -> list[UploadedFile]:
    found: list[UploadedFile] = st.file_uploader(
        "X-rays: PNG, JPEG, TIFF, BMP, WebP or DICOM, one or many, or zips of them",
        type=None,
        accept_multiple_files=True,
        key=_FILES,
        help=PRIVACY,
        on_change=_forget,
        label_visibility="collapsed" if strip else "visible",
    )
    return found


def _folder() -> list[UploadedFile]:
    found: list[UploadedFile] = st.file_uploader(
        "A folder of X-rays, with the folders in it",
        type=None,
        accept_multiple_files="directory",
        key=_FOLDER,
        help=PRIVACY,
        on_change=_forget,
    )
    return found


def _size_note() -> None:
    most = int(st.get_option("server.maxUploadSize"))
    if most < limits.MAX_BYTES >> 20:
        st.caption(
            f"A file of more than {most} MB: `python -m cxr_core predict` reads up to {limits.MAX_BYTES >> 20} MB, and "
            "so does a dashboard that was started with a larger `--server.maxUploadSize`."
        )


def read(uploads: Sequence[UploadedFile]) -> list[Member | Answer]:
    """The files that these uploads stand for."""
    found: list[Member | Answer] = []
    for upload in uploads:
        try:
            found += members(upload.name, upload.getvalue(), upload.file_id)
        except ImageError as error:
            found.append(Answer(shown_name(upload.name), upload.file_id, str(error)))
    return found


def keep(found: Sequence[Member | Answer], size: int) -> bool:
    """Hold these files for the Predict page, while other pages are looked at. False where they are too large for it."""
    if size > KEPT_BYTES:
        return False
    st.session_state[KEPT] = list(found)
    return True


def _forget() -> None:
    """The person added or removed files: what was kept is not what she means any more."""
    st.session_state.pop(KEPT, None)


def _kept() -> list[Member | Answer]:
    """What was uploaded before another page was looked at: its widgets forget, the session does not."""
    found: list[Member | Answer] = st.session_state.get(KEPT, [])
    if found:
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.caption(
                f"{counted(len(found), 'file')} from before", width="content", help="New files take their place."
            )
            st.button("Remove", icon=":material/close:", type="tertiary", key="uploads-remove", on_click=_forget)
    return found


def predicted(run: Run, found: Sequence[Member | Answer]) -> list[Answer]:
    """An answer for each file, in their order; only new ones are computed, a bar says how far.

    Raises what loading the run's network raises (RunError, WeightsError). A file that is no image has its ``error``.
    """
    version = (str(run.path), run.profile, *rule_stamps(run))
    before = st.session_state.get("predictions", {})
    # Another run, or the same one trained on or with other thresholds, is another set of predictions.
    known: dict[tuple[Any, ...], Answer] = {
        (*version, item.key): before[*version, item.key] for item in found if (*version, item.key) in before
    }
    st.session_state["predictions"] = known
    new = [item for item in found if isinstance(item, Member) and (*version, item.key) not in known]
    if new:
        hint = st.empty()
        hint.caption("The first time after the server starts, loading the network takes some seconds.")
        predictor = cached_predictor(run)
        hint.empty()
        made: list[Answer] = []
        try:
            with progress_bar("Predicting", "images") as report:
                for done, answer in enumerate(_answers(predictor, new), start=1):
                    known[*version, answer.key] = answer
                    made.append(answer)
                    report(done, len(new))
        finally:
            # A person who leaves in between has seen what was made so far.
            record_predicted((answer.outcome for answer in made), run.id, run.path.parent)
    return [item if isinstance(item, Answer) else known[*version, item.key] for item in found]


def _answers(predictor: "Predictor", new: Sequence[Member]) -> Iterator[Answer]:
    """An answer for each file. One after the other is read: a copy of some at a time, not of all."""
    waiting: deque[Member] = deque()
    unread: list[Answer] = []

    def contents() -> Iterator[tuple[str, bytes]]:
        for member in new:
            try:
                content = member.content()
            except ImageError as error:
                unread.append(Answer(member.name, member.key, str(error)))
                continue
            waiting.append(member)
            yield member.name, content

    for prediction in predictor.predict(contents()):
        member = waiting.popleft()
        yield Answer(member.name, member.key, prediction.error, prediction, member)
    yield from unread


def content_of(answer: Answer) -> bytes:
    """The file itself. Raises ImageError for one that could not be read."""
    if answer.member is None:
        raise ImageError(answer.error or f"{answer.name}: it could not be read.")
    return answer.member.content()
