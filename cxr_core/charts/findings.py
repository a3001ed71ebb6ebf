"""Findings, any number of them an image: how good each is, which are called together, and how each was learnt.

``report`` is what ``cxr_core.runs.measured.measured`` gives of a run of findings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import (
    HOVER,
    NEUTRAL,
    PALETTE,
    axis,
    beside,
    category_axis,
    class_colors,
    figure,
    label,
    share_axis,
    upright,
    whiskers,
)
from cxr_core.evaluation.findings import Together
from cxr_core.figures import UNDEFINED, compact, counted, number, of

# Figure -> what a reader calls it; the keys are those of a report.
TITLES = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "recall": "Sensitivity",
    "specificity": "Specificity",
    "precision": "PPV",
    "npv": "NPV",
    "f1": "F1",
    "prevalence": "Prevalence",
}
MACRO = "macro"


def finding_figures(report: Mapping[str, Any], key: str, order: Sequence[str] | None = None) -> go.Figure:
    """One figure of every finding with its 95 % interval; ``key`` of TITLES, ``order``: from top to bottom.

    A finding that is not defined has a dash, one of fewer than ten patients a hollow dot; for areas the line of a guess
    and the mean over the findings that were counted.
    """
    names = list(order or report["classes"])
    values = [report["per_class"][name][key] for name in names]
    ranges = [report["ci"]["per_class"][name].get(key) for name in names]
    few = [min(report["per_class"][name][side] for side in ("patients", "others")) < 10 for name in names]
    there = [k for k, value in enumerate(values) if value is not None]
    dots = go.Scatter(
        x=[values[k] for k in there],
        y=there,
        mode="markers",
        marker={
            "color": PALETTE[1],
            "size": 10,
            "symbol": ["circle-open" if few[k] else "circle" for k in there],
            "line": {"width": 2, "color": PALETTE[1]},
        },
        error_x=whiskers([values[k] for k in there], [ranges[k] for k in there], PALETTE[1]),
        hovertext=[_said(report, names[k], key) for k in there],
        hovertemplate=HOVER,
    )
    average, macro = report.get(f"{MACRO}_{key}"), [name for name in names if name in report["counted"]]
    lines = [(average, "dash", f"{MACRO} {number(average, 2)}")] if average is not None and len(macro) > 1 else []
    # A guess needs no text of its own: on a phone it would meet the other.
    lines += [(0.5, "dot", "")] if key == "roc_auc" else []
    above = [
        {
            "x": x,
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "xanchor": "right" if x > 0.7 else "center",
            "text": text,
            "showarrow": False,
        }
        for x, _, text in lines
        if text
    ]
    # Areas begin where guessing does; what lies below is shown all the same.
    ends = [end for k in there for end in (values[k], *(ranges[k] or ()))]
    low = min([0.45, *(end - 0.03 for end in ends)]) if key == "roc_auc" else -0.01
    return figure(
        [dots],
        height=96 + 30 * len(names),
        legend=False,
        margin={"l": 8, "r": 124, "t": 28, "b": 8},
        shapes=[upright(x, dash=dash) for x, dash, _ in lines],
        annotations=[*beside(compact(value, ends, 2) for value, ends in zip(values, ranges, strict=True)), *above],
        xaxis=share_axis(
            TITLES[key],
            range=[low, 1.01],
            dtick=0.1 if low > 0.3 else 0.5,
            tickformat=".1f",
            fixedrange=True,
            showgrid=True,
        ),
        yaxis=category_axis(names, range=[len(names) - 0.5, -0.5]),
    )


def _said(report: Mapping[str, Any], name: str, key: str) -> str:
    found = report["per_class"][name]
    ends = report["ci"]["per_class"][name].get(key)
    patients = f"{counted(found['patients'], 'patient')} with it, {found['others']:,} without"
    return (
        f"{label(name, 48)}<br>{TITLES[key]} {compact(found[key], ends)}<br>"
        f"there in {of(found['positives'], found['n'])} images where it is known<br>{patients}"
    )


def together(pairs: Sequence[Together]) -> go.Figure:
    """Pairs of findings: in how many images they are there together, and in how many they are called together.

    A tick where they would be if the two had nothing to do with each other.
    """
    # One below the other: side by side neither would have room.
    titles = [f"{label(pair.first, 26)}<br>+ {label(pair.second, 26)}" for pair in pairs]
    rows = list(range(len(pairs)))
    hover = [
        f"{label(pair.first, 48)} and {label(pair.second, 48)}<br>there together in {of(pair.there, pair.n)} images<br>"
        f"called together in {of(pair.called, pair.n)}, correctly in {of(pair.right, pair.called)}<br>"
        f"by chance alone in about {pair.alone:.0f}"
        for pair in pairs
    ]
    series: tuple[tuple[str, list[float], dict[str, Any]], ...] = (
        ("there together", [pair.there for pair in pairs], {"size": 12, "color": PALETTE[1]}),
        (
            "predicted together",
            [pair.called for pair in pairs],
            {"size": 12, "color": PALETTE[0], "symbol": "diamond-open", "line": {"width": 2}},
        ),
        (
            "by chance alone",
            [pair.alone for pair in pairs],
            {"size": 16, "symbol": "line-ns", "line": {"width": 2, "color": NEUTRAL}},
        ),
    )
    traces: list[Any] = [
        go.Scatter(
            x=[end for pair in pairs for end in (pair.there, pair.called, None)],
            y=[place for row in rows for place in (row, row, None)],
            mode="lines",
            line={"color": NEUTRAL, "width": 2},
            showlegend=False,
            hoverinfo="skip",
        )
    ]
    traces += [
        go.Scatter(
            x=x,
            y=rows,
            mode="markers",
            name=title,
            marker=marker,
            hovertext=hover,
            hovertemplate=HOVER,
            cliponaxis=False,
        )
        for title, x, marker in series
    ]
    ticks = category_axis(titles, range=[len(pairs) - 0.5, -0.5])
    # Both names count: the axis' own shortening would cut the second.
    ticks["ticktext"] = titles
    most = max([1, *(end for pair in pairs for end in (pair.there, pair.called, pair.alone))])
    return figure(
        traces,
        height=120 + 42 * len(pairs),
        margin={"l": 8, "r": 16, "t": 8, "b": 64},
        xaxis=axis("Images", range=[-0.03 * most, 1.05 * most], fixedrange=True, tickformat=",d", nticks=5),
        yaxis=ticks,
    )


def finding_curves(
    epochs: Sequence[int],
    macro: Sequence[float | None],
    by_finding: Mapping[str, Sequence[float | None]],
    names: Sequence[str],
    marked: int | None = None,
) -> go.Figure:
    """Validation ROC AUC by epoch: the mean over the findings, and one curve for each of ``by_finding``.

    ``names``: all findings, so that each keeps its colour whichever are shown; ``marked``: an epoch with a line.
    """
    colors = class_colors(names)
    series = [("macro (all findings)", macro, NEUTRAL, 4)]
    series += [(name, values, colors[name], 2) for name, values in by_finding.items()]
    traces = [
        go.Scatter(
            x=list(epochs),
            y=list(values),
            name=label(name, 28),
            mode="lines+markers" if len(epochs) <= 60 else "lines",
            line={"color": color, "width": width},
            marker={"size": 5},
            hovertext=[
                f"{label(name, 48)}, epoch {epoch}<br>ROC AUC {UNDEFINED if value is None else number(value)}"
                for epoch, value in zip(epochs, values, strict=True)
            ],
            hovertemplate=HOVER,
        )
        for name, values, color, width in series
    ]
    last = max(epochs, default=0)
    # There is no half an epoch.
    ticks: dict[str, Any] = {"dtick": 1} if last <= 10 else {"nticks": 10}
    known = [value for _, values, _, _ in series for value in values if value is not None]
    low = min([0.45, *(value - 0.03 for value in known)])
    chart = figure(
        traces,
        height=400,
        xaxis=axis("Epoch", showgrid=False, range=[0.7, max(last, 2) + 0.3], fixedrange=True, **ticks),
        yaxis=axis("ROC AUC, validation", range=[max(0, low), 1.01], fixedrange=True, tickformat=".1f", dtick=0.1),
    )
    chart.add_hline(y=0.5, line={"color": NEUTRAL, "dash": "dot", "width": 1})
    if marked is not None:
        chart.add_vline(x=marked, line={"color": NEUTRAL, "dash": "dash", "width": 1})
    return chart
