"""The confusion matrix that one can walk into: a click on a cell, or two boxes, lead to the images behind it.

cell = matrix_cell(report)                    # ("COVID19", "NORMAL"); ANY stands for every class
rows = behind(table, cell, run.implied)       # the images, most confident first
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.hierarchy import Coherent
from cxr_core.labels import Implied
from cxr_core.ui import is_dark
from cxr_core.ui.evaluate.classes import NO_BAR

ANY = "any class"
SHARE = {"Images": False, "Share of the row": True}
TRUE, PREDICTED, TURN = "cell-true", "cell-predicted", "matrix-turn"

Cell = tuple[str, str]


def matrix_cell(report: Mapping[str, Any]) -> Cell:
    """Draw the matrix and the boxes; the cell that is chosen, at first the most frequent error."""
    classes = report["classes"]
    _begin(report)
    left, right = st.columns([3, 2])
    with left:
        coloured = st.segmented_control("Colour by", list(SHARE), default="Images", required=True, key="matrix-colour")
        st.plotly_chart(
            charts.confusion(report["confusion"], classes, SHARE[coloured], is_dark()),
            key=_key(),
            on_select=_follow_click,
            selection_mode="points",
            config=NO_BAR,
        )
        st.caption(
            "Each cell: images, and their share of the row (of all images that truly are this class). Click a cell to "
            "see its images."
        )
    with right:
        st.write("**The images of a cell**")
        st.caption("Chosen by a click on the matrix, or here.")
        options = [ANY, *classes]
        true = st.selectbox("True class", options, key=TRUE, on_change=_drop_click, persist_state="session")
        predicted = st.selectbox(
            "Predicted class", options, key=PREDICTED, on_change=_drop_click, persist_state="session"
        )
    return true, predicted


def behind(table: pd.DataFrame, cell: Cell, implied: Implied) -> pd.DataFrame:
    """The rows of a cell, ``confidence`` (the probability of the decided class, of coherent labels of the decided leaf)
    descending.
    """
    true, predicted = cell
    rows = table[table["label"].eq(true) | (true == ANY)]
    rows = rows[rows["decision"].eq(predicted) | (predicted == ANY)]
    columns = [name for name in rows.columns if name.startswith("p_")]
    decided = [columns.index(f"p_{name}") for name in rows["decision"]]
    shown = rows[columns].to_numpy(dtype=np.float64)
    shares = implied.tree.leaves(shown) if isinstance(implied, Coherent) else shown
    confidence = shares[np.arange(len(rows)), decided]
    return rows.assign(confidence=confidence).sort_values("confidence", ascending=False, kind="stable")


def cell_title(cell: Cell) -> str:
    """``True NORMAL, predicted PNEUMONIA``."""
    true, predicted = cell
    return f"True {true}, predicted {predicted}"


def _begin(report: Mapping[str, Any]) -> None:
    """The most frequent error is chosen first, and again where another run does not know what was chosen."""
    options = {ANY, *report["classes"]}
    if st.session_state.get(TRUE) in options and st.session_state.get(PREDICTED) in options:
        return
    cells = [
        (count, true, predicted)
        for true, row in zip(report["classes"], report["confusion"], strict=True)
        for predicted, count in zip(report["classes"], row, strict=True)
        if true != predicted
    ]
    _, st.session_state[TRUE], st.session_state[PREDICTED] = max(cells, key=lambda cell: cell[0])


def _key() -> str:
    return f"matrix-{st.session_state.get(TURN, 0)}"


def _follow_click() -> None:
    points = st.session_state[_key()].selection.points
    # A second click on a cell takes the selection away: the cell stays chosen.
    if points:
        st.session_state[TRUE], st.session_state[PREDICTED] = points[0]["customdata"][:2]


def _drop_click() -> None:
    # The figure keeps its own selection; a new one has none, so that the next click on any cell counts.
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
