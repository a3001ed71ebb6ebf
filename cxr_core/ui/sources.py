"""A split's figures source by source, and whether this data set could tell disease from source."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.evaluation.by_source import by_source, held_out
from cxr_core.training.runs import Run
from cxr_core.ui.figures import NO_BAR
from cxr_core.ui.frame import escaped, of


def sources_section(run: Run, table: pd.DataFrame) -> None:
    """``table``: the predictions of the chosen split, as ``judged`` gives them."""
    st.info(escaped(held_out(run.split)["message"]), icon=":material/info:")
    if not table["source"].fillna("").astype(bool).any():
        return
    rows = _by_source(table, run.classes, run.implied)
    st.plotly_chart(charts.collections([{**row, "name": row["source"]} for row in rows]), key="sources", config=NO_BAR)
    st.dataframe(pd.DataFrame([_row(row) for row in rows]), hide_index=True)
    st.caption(
        "In brackets: 95 % interval, by patient. Macro F1 is over the classes that occur in a source, in truth or in a "
        "decision: between sources of other classes it cannot be compared."
    )


@st.cache_data(max_entries=16, show_spinner="Measuring")
def _by_source(table: pd.DataFrame, classes: list[str], implied: dict[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    return by_source(table, classes, implied)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    written = {}
    for key, title in (("accuracy", "Accuracy"), ("macro_f1", "Macro F1")):
        ends = row["ci"][key]
        written[title] = f"{row[key]:.3f} ({ends[0]:.3f} to {ends[1]:.3f})" if ends else f"{row[key]:.3f} (no interval)"
    return {"Source": row["source"], "Right": of(row["right"], row["n"]), **written, **row["classes"]}
