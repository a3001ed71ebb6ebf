"""What a run of findings says to one image of its split, beside the labels as they came."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.charts.present import by_threshold, present_bars
from cxr_core.figures import number, percent
from cxr_core.findings import column, none_reached
from cxr_core.labels import thresholded
from cxr_core.runs import Decision, Run
from cxr_core.ui import escaped
from cxr_core.ui.sheet import sheet

_WORDS = {1.0: "yes", 0.0: "no", -1.0: "uncertain"}


def labels_view(run: Run, row: Mapping[str, Any], finding: str, key: str) -> None:
    """``row`` of the predictions: ``finding`` in a sentence, every probability against its threshold, every label."""
    names = [name for name in run.classes if name in thresholded(run.classes, run.implied)]
    limits = Decision.load(run).thresholds
    scores = {name: float(row[f"p_{name}"]) for name in names}
    score, limit = scores[finding], limits[finding]
    reach = "reaches" if score >= limit else "does not reach"
    st.markdown(
        f"**{escaped(finding)}**: label **{as_it_came(row[column(finding)])}**; its probability of {number(score)} "
        f"{reach} the threshold of {number(limit)}."
    )
    there = [name for name in names if row[column(name)] == 1]
    st.plotly_chart(present_bars(scores, limits, there), key=f"present-{key}", config={"displayModeBar": False})
    if not any(scores[name] >= limits[name] for name in names):
        st.caption(escaped(none_reached(run.classes)))
    with st.expander("Labels as they came"):
        rows = [
            {
                "Finding": name,
                "Label": as_it_came(row[column(name)]),
                "Probability": scores[name],
                "Threshold": limits[name],
            }
            for name in by_threshold(scores, limits)
        ]
        # What means none of them has a label, and no threshold.
        rows += [
            {"Finding": name, "Label": as_it_came(row[column(name)]), "Probability": float(row[f"p_{name}"])}
            for name in run.classes
            if name not in scores
        ]
        digits = {name: st.column_config.NumberColumn(format="%.3f") for name in ("Probability", "Threshold")}
        sheet(pd.DataFrame(rows), hide_index=True, column_config=digits, placeholder="none")


def as_it_came(value: float) -> str:
    """``yes``, ``no``, ``uncertain``, ``blank``, or the share of the readers who saw it."""
    if pd.isna(value):
        return "blank"
    return _WORDS.get(float(value)) or f"{percent(value)} of the readers"


def opposites(run: Run, row: Mapping[str, Any]) -> list[str]:
    """What the labels of this image may be instead: of a finding that it has, that it is not there, and so on."""
    said: list[str] = []
    for name in run.findings:
        came = row[column(name)]
        said += [] if came == 1 else [f"{name} is there"]
        said += [] if came == 0 else [f"{name} is not there"]
    return said
