"""All findings of a run: one table that can be sorted by any figure, one chart, and both to take away."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.charts.findings import TITLES, finding_figures
from cxr_core.figures import NO_INTERVAL, compact
from cxr_core.runs import Run
from cxr_core.ui.evaluate.classes import NO_BAR, downloads
from cxr_core.ui.evaluate.findings.few_rows import some_of
from cxr_core.ui.sheet import sheet

BY_NAME, BY_COUNT, AS_GIVEN = "Name", "Positives", "As in the data set"
_COUNTS = ("Known", "Positives", "Patients with it")


def table_section(run: Run, report: Mapping[str, Any], table: pd.DataFrame, split: str) -> None:
    """The chart of one figure, the table of all, the downloads."""
    left, right = st.columns(2)
    key = left.selectbox("Figure", list(TITLES), key="findings-figure", format_func=lambda name: TITLES[name])
    by = right.selectbox("Sorted by", ("The figure", BY_NAME, BY_COUNT, AS_GIVEN), key="findings-sorted")
    drawn = some_of(ordered(report, key, by), "findings-some")
    st.plotly_chart(finding_figures(report, key, drawn), key="findings-chart", config=NO_BAR)
    areas = "Dashed: the mean over the findings that were counted. Dotted: chance. " if key == "roc_auc" else ""
    st.caption(f"{areas}Whiskers: 95 % interval, by patient. Hollow: fewer than ten patients with it, or without it.")
    counts = {name: st.column_config.NumberColumn(name, format="localized") for name in _COUNTS}
    shares = {"Threshold": st.column_config.NumberColumn("Threshold", format="%.3f")}
    pinned = {"Finding": st.column_config.TextColumn("Finding", pinned=True)}
    sheet(read_table(report), hide_index=True, column_config={**pinned, **counts, **shares}, placeholder="–")
    st.caption("Click a column's head to sort. In brackets: 95 % interval. Known: images where the finding is known.")
    downloads(run, split, figures_table(report), table)


def ordered(report: Mapping[str, Any], key: str, by: str) -> list[str]:
    """The findings from the best to the worst by a figure, or by another order; what is not defined comes last."""
    names = list(report["classes"])
    if by == BY_NAME:
        return sorted(names, key=str.casefold)
    if by == AS_GIVEN:
        return names
    figure = "positives" if by == BY_COUNT else key

    def place(name: str) -> tuple[bool, float]:
        value = report["per_class"][name][figure]
        return value is None, -(value or 0)

    return sorted(names, key=place)


def read_table(report: Mapping[str, Any]) -> pd.DataFrame:
    """A row per finding, to be read. Figures are texts of one width, so that they sort as numbers do."""
    rows = []
    for name in report["classes"]:
        figures, ci = report["per_class"][name], report["ci"]["per_class"][name]
        rows.append(
            {
                "Finding": name,
                **{
                    TITLES[key]: None
                    if figures[key] is None
                    else compact(figures[key], ci.get(key), lacking=NO_INTERVAL)
                    for key in TITLES
                },
                "Known": figures["n"],
                "Positives": figures["positives"],
                "Patients with it": figures["patients"],
                "Threshold": figures["threshold"],
            }
        )
    return pd.DataFrame(rows)


def figures_table(report: Mapping[str, Any]) -> pd.DataFrame:
    """A row per finding and figure, to be computed with: finding, figure, value, low, high and the counts."""
    rows = []
    for name in report["classes"]:
        figures = report["per_class"][name]
        counts = {key: figures[key] for key in ("n", "unknown", "positives", "patients", "others", "threshold")}
        for key in TITLES:
            low, high = report["ci"]["per_class"][name].get(key) or (None, None)
            rows.append({"finding": name, "figure": key, "value": figures[key], "low": low, "high": high, **counts})
    return pd.DataFrame(rows)
