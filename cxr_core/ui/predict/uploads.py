"""Predictions for uploaded files: made once per upload, kept in the session's memory, never written.

    answers = predicted(run, read_uploads())
    table = prediction_table(answers, run.classes)

A zip stands for the files in it. A file's name is text to show. It is never a path.
"""

from collections import deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cxr_core import images
from cxr_core.activity import record_predicted
from cxr_core.data import shown_name
from cxr_core.data.uploads import Member, members
from cxr_core.errors import ImageError
from cxr_core.figures import counted
from cxr_core.findings import means_none, none_reached
from cxr_core.hierarchy import Coherent
from cxr_core.images import jpeg, limits
from cxr_core.labels import Implied
from cxr_core.runs import Run, files
from cxr_core.settings import stamp
from cxr_core.ui import cached_predictor, progress_bar

if TYPE_CHECKING:
    from cxr_core.inference import Prediction, Predictor

PICTURE_SIDE = 900
# In the session: the run and the files that were uploaded for it last, so many bytes of them at most.
KEPT = "uploads-kept"
KEPT_BYTES = 128 * 2**20


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


def read_uploads(run: Run) -> list[Member | Answer]:
    """The uploaders, and the files that they hold; an ``Answer`` with its error for a zip that cannot be opened."""
    files, folder = st.tabs(["Files or zips", "A folder"])
    uploads: list[UploadedFile] = files.file_uploader(
        "X-rays: PNG, JPEG, TIFF, BMP, WebP or DICOM, one or many, or zips of them",
        type=None,
        accept_multiple_files=True,
        key=f"uploads-{run.id}",
        help="They stay in memory, are never written to disk, and are gone when the browser's tab is closed.",
        on_change=_forget,
    )
    uploads += folder.file_uploader(
        "A folder of X-rays, with the folders in it",
        type=None,
        accept_multiple_files="directory",
        key=f"folder-{run.id}",
        help="As on the other tab: it stays in memory and is never written to disk.",
        on_change=_forget,
    )
    most = int(st.get_option("server.maxUploadSize"))
    if most < limits.MAX_BYTES >> 20:
        files.caption(
            f"A file of more than {most} MB: `python -m cxr_core predict` reads up to {limits.MAX_BYTES >> 20} MB, and "
            "so does a dashboard that was started with a larger `--server.maxUploadSize`."
        )
    if not uploads:
        return _kept(run)
    found: list[Member | Answer] = []
    for upload in uploads:
        try:
            found += members(upload.name, upload.getvalue(), upload.file_id)
        except ImageError as error:
            found.append(Answer(shown_name(upload.name), upload.file_id, str(error)))
    if sum(upload.size for upload in uploads) <= KEPT_BYTES:
        st.session_state[KEPT] = (run.id, found)
    else:
        st.caption(f"More than {KEPT_BYTES // 2**20} MB: these files are gone when you leave this page.")
    return found


def _forget() -> None:
    """The person added or removed files: what was kept is not what she means any more."""
    st.session_state.pop(KEPT, None)


def _kept(run: Run) -> list[Member | Answer]:
    """What was uploaded for this run before another page was looked at: its widgets forget, the session does not."""
    of_run, found = st.session_state.get(KEPT, ("", []))
    if of_run != run.id or not found:
        return []
    with st.container(horizontal=True, vertical_alignment="center"):
        files = counted(len(found), "file")
        st.caption(f"{files} from before. New files take their place.", width="content")
        st.button("Remove", icon=":material/close:", type="tertiary", key="uploads-remove", on_click=_forget)
    kept: list[Member | Answer] = found
    return kept


def predicted(run: Run, found: Sequence[Member | Answer]) -> list[Answer]:
    """An answer for each file, in their order; only new ones are computed, a bar says how far.

    Raises what loading the run's network raises (RunError, WeightsError). A file that is no image has its ``error``.
    """
    version = (str(run.path), stamp(run.weights_file), stamp(run.path / files.OPERATING_POINT))
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


def picture(answer: Answer) -> bytes:
    """A JPEG of the file as the network's decoder reads it: upright, grey. Raises ImageError."""
    return _picture(answer.key, answer)


@st.cache_data(max_entries=64, show_spinner=False, scope="session")
def _picture(key: str, _answer: Answer) -> bytes:
    decoded = images.decode(content_of(_answer), _answer.name, side=PICTURE_SIDE)
    return jpeg(decoded, PICTURE_SIDE)


def content_of(answer: Answer) -> bytes:
    """The file itself. Raises ImageError for one that could not be read."""
    if answer.member is None:
        raise ImageError(answer.error or f"{answer.name}: it could not be read.")
    return answer.member.content()


def prediction_table(
    answers: Sequence[Answer], classes: Sequence[str], forced: Container[str] = (), findings: bool = False
) -> pd.DataFrame:
    """A row per file: file, decision (of ``findings``: ``present``, "A | B"), ``p_CLASS`` for each class, withheld (the
    reason), seen (where in the run's own pictures), error.

    A failed file has no probabilities, nor has one whose answer is withheld, unless its key is in ``forced``.
    """
    said = "present" if findings else "decision"
    columns = ["file", said, *(f"p_{name}" for name in classes), "withheld", "seen", "error"]
    rows = []
    for answer in answers:
        row: dict[str, Any] = {"file": answer.name, said: ""}
        prediction = answer.prediction.shown(answer.key in forced) if answer.prediction else None
        if prediction and prediction.probabilities:
            row[said] = " | ".join(prediction.present or ()) if findings else prediction.label or ""
            row |= {f"p_{name}": value for name, value in prediction.probabilities.items()}
        seen = prediction.seen.sentence if prediction and prediction.seen else ""
        rows.append({**row, "withheld": answer.withheld or "", "seen": seen, "error": answer.error or ""})
    return pd.DataFrame(rows, columns=columns)


def drawn(frame: pd.DataFrame, classes: Sequence[str], implied: Implied) -> pd.DataFrame:
    """:func:`prediction_table` as it is shown: of coherent labels the leaves, of which the longest decides; findings
    stay, less what means none of them, which has no threshold.
    """
    if "present" in frame:
        shown = frame.drop(columns=[f"p_{name}" for name in classes if means_none(name)])
        answered = shown["error"].eq("") & frame[f"p_{classes[0]}"].notna()
        shown.loc[answered & shown["present"].eq(""), "present"] = none_reached(classes)
        return shown
    columns = [f"p_{name}" for name in classes]
    there = frame[columns].notna().all(axis=1)
    if not isinstance(implied, Coherent) or not there.any():
        return frame
    shown = frame.astype(dict.fromkeys(columns, float))
    shown.loc[there, columns] = implied.tree.leaves(shown.loc[there, columns].to_numpy())
    return shown


def prediction_columns(classes: Sequence[str], implied: Implied, findings: bool = False) -> dict[str, Any]:
    """How :func:`drawn` is shown: probabilities as bars of 0 to 1."""
    titles = implied.tree.leaf_names() if isinstance(implied, Coherent) and not findings else classes
    bars = {
        f"p_{name}": st.column_config.ProgressColumn(
            title, min_value=0.0, max_value=1.0, format="%.3f", width=130 if title == name else 200
        )
        for name, title in zip(classes, titles, strict=True)
    }
    said = {name: st.column_config.TextColumn(name.capitalize(), width=220) for name in ("withheld", "seen", "error")}
    wide = st.column_config.TextColumn("Reaches its threshold", width=360)
    return {"file": "File", "decision": "Decision", "present": wide, **bars, **said}
