"""Figures per class with their intervals: table, bars, one class against the rest, curves over all thresholds."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.charts.intervals import FIGURES
from cxr_core.charts.look import label
from cxr_core.figures import NO_INTERVAL, NOT_DEFINED, compact, of
from cxr_core.runs import Run
from cxr_core.sheets import written
from cxr_core.ui import download, guarded, is_dark
from cxr_core.ui.run import cached_curves
from cxr_core.ui.sheet import sheet

AVERAGES = ("precision", "recall", "f1")
TITLES = {**FIGURES, "recall": "Sensitivity (recall)"}
NO_BAR = {"displayModeBar": False}
COUNTS = {name: st.column_config.NumberColumn(name, format="localized") for name in ("Support", "Positives")}
SHARES = {name: st.column_config.NumberColumn(name, format="%.3f") for name in ("Precision", "Recall", "F1")}


def figures_section(run: Run, report: Mapping[str, Any], table: pd.DataFrame, split: str) -> None:
    """All of it, with the downloads."""
    pinned = {"Class": st.column_config.TextColumn("Class", pinned=True)}
    sheet(class_table(report), hide_index=True, column_config={**pinned, **COUNTS})
    st.caption(
        "In brackets: 95 % interval. Support counts the images of a class."
        + (
            " Positives also counts the images of classes that imply it; ROC AUC and average precision are over these."
            if run.implied
            else ""
        )
    )
    st.plotly_chart(charts.interval_bars(report, report["ci"]), key="bars", config=NO_BAR)
    sheet(averages_table(report), hide_index=True, column_config={**COUNTS, **SHARES})
    _one_vs_rest(report)
    _curves(run, report, split)
    downloads(run, split, figures_table(report), table)


def downloads(run: Run, split: str, figures: pd.DataFrame, predictions: pd.DataFrame) -> None:
    """Both tables, to take away as CSV."""
    with st.container(horizontal=True):
        for title, frame in (("Figures", figures), ("Predictions", predictions)):
            name = title.lower()
            download(
                f"{title} as CSV",
                partial(written, frame),
                f"{run.id}-{split}-{name}.csv",
                "text/csv",
                f"{split} {name}",
                run=run.id,
                icon=":material/download:",
            )


def class_table(report: Mapping[str, Any]) -> pd.DataFrame:
    """A row per class, to be read: each figure with its interval and, where it is a ratio, what it was counted on."""
    rows = []
    for name in report["classes"]:
        figures, ci = report["per_class"][name], report["ci"]["per_class"][name]
        (tn, fp), (fn, tp) = report["one_vs_rest"][name]
        counts = {"recall": (tp, tp + fn), "specificity": (tn, tn + fp), "precision": (tp, tp + fp)}
        row: dict[str, Any] = {"Class": name, "Support": figures["support"], "Positives": figures["positives"]}
        for key, title in TITLES.items():
            row[title] = _written(figures[key], ci[key], counts.get(key))
        rows.append(row)
    return pd.DataFrame(rows)


def figures_table(report: Mapping[str, Any]) -> pd.DataFrame:
    """A row per class and figure, to be computed with: class, figure, value, low, high, support, positives."""
    rows = []
    for name in report["classes"]:
        figures = report["per_class"][name]
        for key in TITLES:
            low, high = report["ci"]["per_class"][name][key] or (None, None)
            rows.append((name, key, figures[key], low, high, figures["support"], figures["positives"]))
    return pd.DataFrame(rows, columns=["class", "figure", "value", "low", "high", "support", "positives"])


def averages_table(report: Mapping[str, Any]) -> pd.DataFrame:
    """Macro and weighted averages of precision, recall and F1."""
    rows = [
        {
            "Average": kind,
            **{("F1" if key == "f1" else key.capitalize()): report[f"{kind.lower()}_{key}"] for key in AVERAGES},
            "Support": report["n"],
        }
        for kind in ("Macro", "Weighted")
    ]
    return pd.DataFrame(rows)


def _written(value: float | None, ends: list[float] | None, counts: tuple[int, int] | None) -> str:
    """``0.712 (0.601–0.811), 57 of 80``."""
    if value is None or (counts and not counts[1]):
        return NOT_DEFINED
    return compact(value, ends, lacking=NO_INTERVAL) + (f", {of(*counts)}" if counts else "")


def _one_vs_rest(report: Mapping[str, Any]) -> None:
    st.write("**One class against the rest**")
    classes = report["classes"]
    for column, name in zip(st.columns(min(3, len(classes))) * len(classes), classes, strict=False):
        with column:
            matrix = charts.one_vs_rest(report["one_vs_rest"][name], name, is_dark())
            # Three in a row leave no room for "not PNEUMONIA", and slanted labels would shrink one of them.
            ticks = {"ticktext": ["rest", label(name, 18)], "tickangle": 0}
            matrix.update_xaxes(ticks).update_yaxes(ticks)
            st.plotly_chart(matrix, key=f"one-{name}", config=NO_BAR)


def _curves(run: Run, report: Mapping[str, Any], split: str) -> None:
    with guarded():
        points = cached_curves(run, split)
        left, right = st.columns(2)
        left.write("**ROC**")
        left.plotly_chart(charts.roc(points, report["classes"], report), key="roc")
        right.write("**Precision and recall**")
        right.plotly_chart(charts.precision_recall(points, report["classes"], report), key="pr")
        st.caption(
            "Dashed: a guess. Dotted: the share of positives, which is the precision of calling every image positive."
        )
