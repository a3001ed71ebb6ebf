"""The images of a cell as tiles, page by page; each opens with everything that is known of it.

case_tiles(run, split, rows, "NORMAL decided PNEUMONIA")      # rows: see cxr_core.ui.evaluate.matrix.behind
"""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.data import marks
from cxr_core.data.marks import ACTIONS
from cxr_core.errors import ImageError
from cxr_core.figures import counted, of
from cxr_core.images import read_bytes
from cxr_core.inference.neighbours import kept_vector
from cxr_core.runs import Run
from cxr_core.runs.needs import gone
from cxr_core.settings import runs_dir
from cxr_core.ui import escaped, guarded, thumbnail
from cxr_core.ui.case import Case, answer_view, picture_view, similar_view
from cxr_core.ui.evaluate.labelled import labels_view, opposites
from cxr_core.ui.marks import mark_buttons
from cxr_core.ui.viewer import Turn
from cxr_core.ui.warm import warm_up

PER_PAGE = 12
AT = "case-at"

Row = dict[str, Any]


def case_tiles(
    run: Run,
    split: str,
    rows: pd.DataFrame,
    title: str,
    finding: str = "",
    order: str = "most confident first",
) -> None:
    """Tiles of ``rows``, in their ``order``, under what they have in common; a click on a name opens the image.
    ``finding``: which one of a run of findings is looked at.
    """
    if rows.empty:
        st.markdown(f"**{escaped(title)}** · no image")
        return
    if run.imported:
        st.markdown(f"**{escaped(title)}** · {counted(len(rows), 'image')}")
        st.info(escaped(gone(run)), icon=":material/folder_off:")
        return
    pages = -(-len(rows) // PER_PAGE)
    place = st.empty()
    # Another cell begins at its own first page.
    page = st.pagination(pages, key=f"cases-{title}-{pages}") if pages > 1 else 1
    first = (page - 1) * PER_PAGE
    shown = rows.iloc[first : first + PER_PAGE].to_dict("records")
    place.markdown(f"**{escaped(title)}** · {first + 1:,} to {of(first + len(shown), len(rows))} images, {order}")
    given = marks.read(runs_dir()).groupby("digest")["action"].agg(list).to_dict()
    with st.container(key="tiles-cases"):
        for k, row in enumerate(shown):
            _tile(run, split, rows, first + k, row, given.get(row["digest"], []), finding)
    warm_up()


def _tile(run: Run, split: str, rows: pd.DataFrame, at: int, row: Row, marked: list[str], finding: str) -> None:
    name = row["file"].rsplit("/", 1)[-1]
    with st.container(gap="xsmall"):
        try:
            st.image(thumbnail(_path(run, row)), width="stretch", alt=f"{row['label']}, {name}")
        except ImageError as error:
            st.caption(escaped(str(error)))
        if st.button(escaped(_short(name)), key=f"case-{at}-{row['digest']}", type="tertiary", help="Open it"):
            st.session_state[AT] = at
            _open(run, split, rows, finding)
        st.caption(f"{escaped(finding or row['decision'])} {row['confidence']:.3f}")
        for action in marked:
            st.badge(ACTIONS[action], icon=":material/flag:", color="orange")


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:9]}…{name[-9:]}"


def _path(run: Run, row: Row) -> Path:
    return run.picture(row["file"])


@st.dialog("Image", width="large", on_dismiss="rerun")
def _open(run: Run, split: str, rows: pd.DataFrame, finding: str) -> None:
    at = min(st.session_state[AT], len(rows) - 1)
    row: Row = rows.iloc[at].to_dict()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Previous", on_click=_turn, args=(-1,), disabled=at == 0, icon=":material/chevron_left:")
        st.button("Next", on_click=_turn, args=(1,), disabled=at == len(rows) - 1, icon=":material/chevron_right:")
        facts = [f"image {of(at + 1, len(rows))}", row["file"]]
        facts += [f"patient {row['patient']}"] if row["patient"] else []
        facts += [str(row["source"])] if row["source"] else []
        st.caption(" · ".join(map(escaped, facts)), width="stretch")
    # The key is the image's, so that what is chosen for this one is not chosen for the next.
    key = f"{split}-{row['digest']}" + (f"-{finding}" if finding else "")
    left, right = st.columns([3, 2])
    with guarded():
        probabilities = {name: row[f"p_{name}"] for name in run.classes}
        vector = kept_vector(run, row["digest"]) if split == "val" else None
        content = read_bytes(_path(run, row))
        case = Case(content, row["file"], probabilities, row["decision"], row["label"], vector)
        with left, guarded():
            picture_view(run, case, key, finding, "case", Turn(_turn, at > 0, at < len(rows) - 1))
        with right, guarded():
            if finding:
                labels_view(run, row, finding, key)
            else:
                answer_view(run, case, key)
        with right, guarded():
            others = opposites(run, row) if finding else [name for name in run.classes if name != row["label"]]
            mark_buttons(row["digest"], row["file"], row["label"], key, others, several=bool(finding))
        similar_view(run, case, key)


def _turn(step: int) -> None:
    st.session_state[AT] += step
