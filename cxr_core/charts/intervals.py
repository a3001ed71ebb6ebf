"""The figures of each class with their intervals.

``report`` is what ``cxr_core.evaluation.metrics`` returns under this name; ``ci`` comes from ``intervals.bootstrap``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, category_axis, class_colors, figure, label, share_axis, whiskers
from cxr_core.figures import NOT_DEFINED, compact, interval, number, of

FIGURES = {
    "recall": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
}


def interval_bars(
    report: Mapping[str, Any], ci: Mapping[str, Any], figures: Sequence[str] = tuple(FIGURES)
) -> go.Figure:
    """Figures of each class as bars, the 95 % interval as a whisker and beside it; ``figures`` are keys of FIGURES.

    A figure that is not defined has no bar and a dash, one without an interval no whisker.
    """
    colors = class_colors(report["classes"])
    step = 0.8 / len(colors)
    traces, beside = [], []
    for k, (name, color) in enumerate(colors.items()):
        values = [_value(report, name, key) for key in figures]
        ranges = [ci["per_class"].get(name, {}).get(key) for key in figures]
        rows = [j + step * (k - (len(colors) - 1) / 2) for j in range(len(figures))]
        triples = list(zip(figures, values, ranges, strict=True))
        bar = {
            "x": values,
            "y": rows,
            "width": 0.85 * step,
            "orientation": "h",
            "name": label(name),
            "marker": {"color": color, "opacity": 0.5, "line": {"width": 0}},
            "error_x": whiskers(values, ranges, color),
            "hovertext": [f"{label(name)}, {FIGURES[f]}<br>{_counted(report, name, f, v, r)}" for f, v, r in triples],
            "hovertemplate": HOVER,
        }
        traces.append(go.Bar(bar))
        beside += [
            {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "y": row, "text": compact(value, ends, 2)}
            for row, (_, value, ends) in zip(rows, triples, strict=True)
        ]
    return figure(
        traces,
        height=80 + len(figures) * (14 + 24 * len(colors)),
        barmode="overlay",
        margin={"l": 8, "r": 120, "t": 24, "b": 8},
        annotations=[{**text, "yanchor": "middle", "showarrow": False} for text in beside],
        xaxis=share_axis(dtick=0.5, fixedrange=True, showgrid=True),
        yaxis=category_axis([FIGURES[key] for key in figures], range=[len(figures) - 0.5, -0.5]),
    )


def _parts(report: Mapping[str, Any], name: str) -> dict[str, tuple[int, int, str]]:
    """What each ratio of a class counts, among how many, and what these are."""
    (tn, fp), (fn, tp) = report["one_vs_rest"][name]
    return {
        "recall": (tp, tp + fn, f"that are {label(name)}"),
        "specificity": (tn, tn + fp, "that are not"),
        "precision": (tp, tp + fp, f"decided {label(name)}"),
        "f1": (2 * tp, 2 * tp + fp + fn, "(twice the true positives)"),
    }


def _value(report: Mapping[str, Any], name: str, key: str) -> float | None:
    """A figure of one class, None where it has no denominator: the report has a 0 there."""
    parts = _parts(report, name)
    value: float | None = report["per_class"][name][key]
    return None if key in parts and not parts[key][1] else value


def _counted(report: Mapping[str, Any], name: str, key: str, value: float | None, ends: Sequence[float] | None) -> str:
    """What stands behind a bar: the count that it divides, and its interval."""
    parts = _parts(report, name)
    if key in parts:
        part, whole, of_what = parts[key]
        counted = f"{of(part, whole)} {of_what}"
    else:
        positives = of(report["per_class"][name]["positives"], report["n"])
        counted = f"{NOT_DEFINED if value is None else number(value)} ({positives} positive)"
    if not ends:
        said = "no interval: fewer than two patients"
    elif ends[0] == ends[1]:
        said = f"{number(ends[0], 2)} in every resample: nothing else was seen"
    else:
        said = f"95 % interval {interval(ends, 2)}"
    return f"{counted}<br>{said}"
