"""What only a person can say of a data set: a form, with the first rows of its table and its first images beside it.

    question_form(root, error.question)

The answer is kept (:mod:`cxr_core.data.answers`), and the data set is read by it from then on.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from cxr_core.data import other_table
from cxr_core.data.doubt import ASKS_FOLDER, FIRST, NEAREST, nearest
from cxr_core.data.folder import IMAGE_SUFFIXES, Folder
from cxr_core.data.listing import SPLIT_NAMES
from cxr_core.data.replies import reply
from cxr_core.data.sets import tables
from cxr_core.data.sets.description import BLANK, LIST, NO, UNCERTAIN, YES, Description
from cxr_core.data.sets.place import look
from cxr_core.errors import DatasetError, ImageError, Question
from cxr_core.figures import counted
from cxr_core.ui.cached import forget_scans, thumbnail
from cxr_core.ui.frame import escaped, guarded
from cxr_core.ui.sheet import sheet

_ROWS, _PICTURES = 8, 6
_NO_COLUMN = "(none)"
_SEPARATORS = {
    "": "one name, or a value",
    "|": "several names, A|B",
    ";": "several names, A;B",
    ",": "several names, A, B",
    LIST: "a list, ['A', 'B']",
}
_TASKS = {"exclusive": "exactly one class", "findings": "any number of findings"}
_ABOUT = ("patient", "study", "age", "sex", "view", "source", "split")
_MEANINGS = {"yes": YES, "no": NO, "uncertain": UNCERTAIN, "blank": BLANK}
_HEAD = 2000


def question_form(root: Path, question: Question) -> None:
    """The question, and a form that answers it. The page is run anew with the data set once it can be read."""
    because = f"{question.because[:1].upper()}{question.because[1:]}"
    st.warning(f"**{escaped(question.asks)}**\n\n{escaped(because)}", icon=":material/help:")
    st.caption("Nothing is guessed: say it once, and every page and command reads the data set so.")
    place = look(root)
    found = [root] if place.chosen is not None else other_table.beside(place)
    ways: dict[str, Callable[[], None]] = {}
    if place.chosen is None:
        files = _first_images(place.root)
        if any("/" in file for file in files):
            ways["The folders tell"] = lambda: _folders(root, files, question)
    if found:
        ways["A table tells"] = lambda: _table(root, found, question)
    if not ways:
        st.info(
            "There is no table beside the images and no folder of classes. Put the images of each class into a folder "
            "of its own, or put a table (CSV) with a row for each image beside them.",
            icon=":material/table:",
        )
        _pictures(place.root, _first_images(place.root))
        return
    of_folders = question.asks == ASKS_FOLDER
    names = sorted(ways, key=lambda way: (way == "The folders tell") != of_folders)
    chosen = None
    if len(names) > 1:
        chosen = st.segmented_control("How are the labels told?", names, default=names[0], key="answer-way")
    ways[chosen or names[0]]()


def _answer(root: Path, rules: dict[str, str] | None, description: Description | None) -> None:
    with guarded():
        reply(root, rules, description, anew=True)
        forget_scans()
        st.rerun()


def _folders(root: Path, files: Sequence[str], question: Question) -> None:
    """Which folder is the class, with what comes of it for the first images."""
    shown = pd.DataFrame(
        {"file": files, "outermost folder": map(_first, files), "folder next to it": map(nearest, files)}
    )
    form, beside = st.columns([2, 3])
    with form:
        choice = st.radio(
            "The class of an image is",
            ways := (FIRST, NEAREST),
            ways.index((question.proposal or {}).get("rules", {}).get("classes", FIRST)),
            format_func=lambda way: {
                FIRST: "the name of its outermost folder (behind train and test)",
                NEAREST: "the name of the folder next to it, patients and studies passed over",
            }[way],
            key="answer-classes",
        )
        if st.button("Read it so", type="primary", icon=":material/check:", key="answer-folders"):
            _answer(root, {"classes": choice}, None)
    with beside:
        sheet(shown.drop_duplicates(["outermost folder", "folder next to it"]).head(_ROWS), hide_index=True)
        _pictures(root, files)


def _first(file: str) -> str:
    return next((name for name in file.split("/")[:-1] if name.lower() not in SPLIT_NAMES), "")


def _table(root: Path, found: Sequence[Path], question: Question) -> None:
    """The columns of a table and what they mean, its first rows and the first images beside it."""
    path = found[0]
    if len(found) > 1:
        names = {str(one): one for one in found}
        path = names[st.selectbox("Table", list(names), format_func=lambda name: Path(name).name, key="answer-table")]
        st.caption("To read one of several alike, choose it by its path above.")
    columns = list(tables.spelled(path))
    proposed = _proposed(question, columns)
    form, beside = st.columns([2, 3])
    with beside:
        st.caption(f"The first rows of {escaped(path.name)}, which has {counted(len(columns), 'column')}")
        head = tables.head(path, _ROWS)
        sheet(head, hide_index=True)
        _pictures(look(root).root, _first_images(look(root).root))
    with form, st.form("answer-form", border=True):
        told = _columns(columns, proposed)
        if st.form_submit_button("Read it so", type="primary", icon=":material/check:"):
            with guarded():
                _answer(root, None, _description(told))


def _proposed(question: Question, columns: Sequence[str]) -> dict[str, Any]:
    """What was proposed, as far as this table has its columns."""
    given = (question.proposal or {}).get("description", {})
    kept = {name: value for name, value in given.items() if name not in ("file", "labels", *_ABOUT)}
    kept |= {name: value for name, value in given.items() if name in ("file", *_ABOUT) and value in columns}
    return {**kept, "labels": [name for name in given.get("labels", ()) if name in columns]}


def _columns(columns: list[str], proposed: dict[str, Any]) -> dict[str, Any]:
    """The widgets; what they say, by the fields of a description."""
    told: dict[str, Any] = {}
    file = proposed.get("file")
    told["file"] = st.selectbox(
        "The image's file is named in", columns, columns.index(file) if file else None, key="answer-file"
    )
    told["labels"] = st.multiselect(
        "The labels are in", columns, proposed["labels"], key="answer-labels", help="One column, or one a finding."
    )
    told["separator"] = st.selectbox(
        "A cell of one column holds",
        list(_SEPARATORS),
        list(_SEPARATORS).index(proposed.get("separator", "")),
        format_func=lambda sign: _SEPARATORS[sign],
        key="answer-separator",
    )
    told["task"] = st.radio(
        "An image has",
        list(_TASKS),
        list(_TASKS).index(proposed.get("task", "findings")),
        format_func=lambda task: _TASKS[task],
        key="answer-task",
    )
    with st.expander("What the values mean, where a column is a finding"):
        for meaning, usual in _MEANINGS.items():
            values = ", ".join(proposed.get(meaning, usual))
            told[meaning] = st.text_input(meaning.capitalize(), values, key=f"answer-{meaning}")
        told["no_finding"] = st.text_input(
            "None of the findings is called", proposed.get("no_finding", ""), key="answer-no-finding"
        )
    with st.expander("Patient, split and more", expanded=True):
        options = [_NO_COLUMN, *columns]
        for name in _ABOUT:
            at = options.index(proposed.get(name, _NO_COLUMN))
            chosen = st.selectbox(name.capitalize(), options, at, key=f"answer-{name}")
            told[name] = "" if chosen == _NO_COLUMN else chosen
    return told


def _description(told: dict[str, Any]) -> Description:
    if not told["file"] or not told["labels"]:
        raise DatasetError("Expected the column of the file and at least one of labels. Choose both.")
    # An empty cell is blank by itself.
    values = {
        meaning: tuple(part.strip() for part in told[meaning].split(",") if part.strip() or meaning == "blank")
        for meaning in _MEANINGS
    }
    try:
        return Description.model_validate({**told, **values})
    except ValidationError as error:
        raise DatasetError(f"{error.errors()[0]['msg'].removeprefix('Value error, ').capitalize()}.") from error


def _first_images(root: Path) -> list[str]:
    """Some images below a folder, no two from the same one where there are several."""
    folder = Folder(root)
    images = (
        entry.path.relative_to(root).as_posix()
        for entry in islice(folder.walk(root), _HEAD)
        if entry.path.suffix.lower() in IMAGE_SUFFIXES
    )
    by_folder: dict[str, list[str]] = {}
    for file in images:
        by_folder.setdefault(file.rpartition("/")[0], []).append(file)
    turns = [file for turn in range(_PICTURES) for files in by_folder.values() for file in files[turn : turn + 1]]
    return turns[: 4 * _PICTURES]


def _pictures(root: Path, files: Sequence[str]) -> None:
    with st.container(key="pictures-answer"):
        for file in files[:_PICTURES]:
            with st.container(gap="xsmall"):
                try:
                    st.image(thumbnail(root / file), width="stretch", alt=file)
                except ImageError as error:
                    st.caption(escaped(str(error)))
                    continue
                st.caption(escaped(file))
