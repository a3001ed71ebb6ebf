"""What a person marks on an image: buttons beside the picture, and the list of all marks with the way back.

mark_buttons(digest, "train/NORMAL/a.png", "NORMAL", "a", ["PNEUMONIA"])     # on an opened image
marks_list(dataset)                                               # on the Dataset page
"""

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from cxr_core.data import Dataset, marks
from cxr_core.data.marks import ACTIONS, LABEL_WRONG, LEAVE_OUT, MAX_REASON
from cxr_core.errors import CxrError, ImageError
from cxr_core.figures import of
from cxr_core.settings import runs_dir
from cxr_core.sheets import written
from cxr_core.ui.cached import thumbnail
from cxr_core.ui.downloads import download
from cxr_core.ui.frame import escaped

PER_PAGE = 10
PROBLEM = "mark-problem"
BUTTONS = {
    LABEL_WRONG: ("Label looks wrong", ":material/label_off:"),
    LEAVE_OUT: ("Leave out of training", ":material/do_not_disturb_on:"),
}


def mark_buttons(
    digest: str, file: str, label: str, key: str, others: Sequence[str] = (), several: bool = False
) -> None:
    """A button for each mark, or the one that takes it back, and a place for the reason. ``others``: what its label
    may be instead, of which ``several`` may hold together.
    """
    given = marks.read(runs_dir())
    mine = given[given["digest"] == digest].set_index("action")
    _problem()
    for action, row in mine.iterrows():
        with st.container(horizontal=True, vertical_alignment="center"):
            reason = f": {row['reason']}" if row["reason"] else ""
            st.markdown(f"Marked **{ACTIONS[str(action)]}**{escaped(_right(row) + reason)}", width="stretch")
            _undo_button(digest, str(action), f"{key}-{action}")
    left = [action for action in ACTIONS if action not in mine.index]
    if left:
        if others and LABEL_WRONG in left:
            box = partial(st.multiselect, default=None) if several else partial(st.selectbox, index=None)
            box("Right label (optional)", others, key=f"right-{key}", placeholder="Choose what it should be")
        st.text_input(
            "Reason (optional)", key=f"reason-{key}", max_chars=MAX_REASON, placeholder="What is wrong with it?"
        )
        with st.container(horizontal=True):
            for action in left:
                title, icon = BUTTONS[action]
                st.button(
                    title,
                    icon=icon,
                    key=f"mark-{action}-{key}",
                    on_click=_mark,
                    args=(digest, file, label, action, key),
                )
    st.caption(
        "A mark is written beside the runs; the image file is never changed. A training leaves marked images out where "
        "“Honour marks” is ticked."
    )


def _mark(digest: str, file: str, label: str, action: str, key: str) -> None:
    chosen = st.session_state.get(f"right-{key}") if action == LABEL_WRONG else None
    right = "; ".join(chosen) if isinstance(chosen, list) else chosen or ""
    try:
        marks.add(runs_dir(), digest, file, label, action, st.session_state.get(f"reason-{key}", ""), right)
    except CxrError as error:
        st.session_state[PROBLEM] = str(error)


def _right(row: Mapping[Hashable, Any]) -> str:
    """What a person would call it instead."""
    return f", should be {row['right']}" if row["right"] else ""


def _undo(digest: str, action: str) -> None:
    try:
        marks.undo(runs_dir(), digest, action)
    except CxrError as error:
        st.session_state[PROBLEM] = str(error)


def _undo_button(digest: str, action: str, key: str) -> None:
    st.button("Undo", icon=":material/undo:", key=f"undo-{key}", on_click=_undo, args=(digest, action))


def _problem() -> None:
    """Why the last click changed nothing: a callback cannot draw where it is."""
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.error(escaped(problem), icon=":material/error:")


def marks_list(dataset: Dataset) -> None:
    """The marks on images of this data set, each with its undo. Raises DatasetError where the table is damaged."""
    st.subheader("Marked images", anchor=False)
    given = marks.read(runs_dir())
    here = given[given["digest"].isin(dataset.samples["digest"])].iloc[::-1]
    elsewhere = len(given) - len(here)
    others = (
        f" {elsewhere:,} more {'is' if elsewhere == 1 else 'are'} on images of other data sets." if elsewhere else ""
    )
    _problem()
    if here.empty:
        st.caption(f"None: no image of this data set is marked as wrong or to be left out.{others}")
        return
    images = here["digest"].nunique()
    st.caption(
        f"{of(images, len(dataset.samples))} images are marked. Where “Honour marks” is ticked, a training does "
        f"not learn from them; they are never taken out of its test.{others}"
    )
    pages = max(1, -(-len(here) // PER_PAGE))
    page = st.pagination(pages, key=f"marks-page-{pages}") if pages > 1 else 1
    for row in here.iloc[(page - 1) * PER_PAGE : page * PER_PAGE].to_dict("records"):
        _row(dataset, row)
    download(
        "Marks as CSV",
        partial(written, here),
        f"{dataset.name}-corrections.csv",
        "text/csv",
        "marks",
        data=dataset.name,
        icon=":material/download:",
    )


def _row(dataset: Dataset, row: Mapping[Hashable, Any]) -> None:
    picture, text, way_back = st.columns([1, 9, 2], vertical_alignment="center")
    with picture:
        try:
            st.image(thumbnail(_path(dataset, row["digest"])), width=64, alt=row["label"])
        except ImageError as error:
            st.caption(escaped(str(error)))
    reason = f" · {row['reason']}" if row["reason"] else ""
    facts = f"{row['file']} · {row['label']}{_right(row)}{reason} · {row['time'][:10]}"
    text.markdown(f"**{ACTIONS[row['action']].capitalize()}** · {escaped(facts)}")
    with way_back:
        _undo_button(row["digest"], row["action"], f"{row['digest']}-{row['action']}")


def _path(dataset: Dataset, digest: str) -> Path:
    return dataset.path(dataset.samples.loc[dataset.samples["digest"] == digest, "file"].iloc[0])
