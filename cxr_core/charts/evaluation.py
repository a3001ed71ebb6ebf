"""How good a run is: curves over thresholds, figures per class, one image's probabilities.

``curves`` and ``report`` are what ``cxr_core.evaluation.metrics`` returns under these names.
"""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import NEUTRAL, category_axis, class_colors, figure, label, share_axis
from cxr_core.figures import NOT_DEFINED, number, of, percent

FIGURES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}


def roc(curves: Mapping[str, Any], classes: list[str], report: Mapping[str, Any]) -> go.Figure:
    """ROC curve of each label, its area in the legend, the diagonal of a guess dashed."""
    traces: list[Any] = [
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"color": NEUTRAL, "width": 1, "dash": "dash"},
            showlegend=False,
            hoverinfo="skip",
        )
    ]
    for name in classes:
        figures, color = report["per_class"][name], class_colors(report["classes"])[name]
        curve = (curves.get(name) or {}).get("roc")
        negatives = report["n"] - figures["positives"]
        traces.append(
            _curve(
                name,
                color,
                "AUC",
                figures["roc_auc"],
                curve and (curve["fpr"], curve["tpr"], curve["thresholds"]),
                of(figures["positives"], report["n"]),
                lambda x, y, p=figures["positives"], n=negatives: (
                    f"true positives {of(round(y * p), p)}<br>false positives {of(round(x * n), n)}"
                ),
            )
        )
    return figure(
        traces,
        height=400,
        drag=True,
        xaxis=share_axis("False positive rate", range=[-0.01, 1.01]),
        yaxis=share_axis("True positive rate", range=[-0.01, 1.02]),
    )


def precision_recall(curves: Mapping[str, Any], classes: list[str], report: Mapping[str, Any]) -> go.Figure:
    """Precision-recall curve of each label, its average precision in the legend, its prevalence dotted."""
    traces: list[Any] = []
    for name in classes:
        figures, color = report["per_class"][name], class_colors(report["classes"])[name]
        curve = (curves.get(name) or {}).get("pr")
        prevalence = figures["positives"] / report["n"]
        traces.append(
            _curve(
                name,
                color,
                "AP",
                figures["average_precision"],
                curve and (curve["recall"], curve["precision"], curve["thresholds"]),
                of(figures["positives"], report["n"]),
                lambda x, y, p=figures["positives"]: (
                    f"recall {of(round(x * p), p)}<br>precision {percent(y, digits=1)}"
                ),
            )
        )
        if curve:
            traces.append(
                go.Scatter(
                    x=[0, 1],
                    y=[prevalence, prevalence],
                    mode="lines",
                    line={"color": color, "width": 1, "dash": "dot"},
                    legendgroup=name,
                    showlegend=False,
                    hoverinfo="skip",
                )
            )
    return figure(
        traces,
        height=400,
        drag=True,
        xaxis=share_axis("Recall", range=[-0.01, 1.01]),
        yaxis=share_axis("Precision", range=[-0.01, 1.02]),
    )


def _curve(
    name: str, color: str, area_name: str, area: float | None, points: Any, positives: str, counted: Any
) -> go.Scatter:
    """One label's curve; without points (no positive or no negative) only its line in the legend, which says so."""
    if not points or area is None:
        return go.Scatter(
            x=[None],
            y=[None],
            mode="lines",
            line={"color": color, "width": 2},
            name=f"{label(name)}: {NOT_DEFINED} ({positives} positive)",
        )
    x, y, thresholds = points
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": color, "width": 2},
        legendgroup=name,
        name=f"{label(name)}: {area_name} {number(area)}",
        hovertext=[
            f"{label(name)}{'' if t is None else f', threshold {number(t)}'}<br>{counted(a, b)}"
            for a, b, t in zip(x, y, thresholds, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def metric_bars(report: Mapping[str, Any]) -> go.Figure:
    """Precision, recall and F1 of each class."""
    traces = []
    for name, color in class_colors(report["classes"]).items():
        figures = report["per_class"][name]
        (_, fp), (fn, tp) = report["one_vs_rest"][name]
        counted = {
            "precision": f"{of(tp, tp + fp)} decided {label(name)}",
            "recall": f"{of(tp, tp + fn)} that are {label(name)}",
            "f1": f"{of(2 * tp, 2 * tp + fp + fn)} (twice the true positives)",
        }
        traces.append(
            go.Bar(
                x=list(range(len(FIGURES))),
                y=[figures[figure_name] for figure_name in FIGURES],
                name=label(name),
                marker={"color": color, "line": {"width": 0}},
                text=[f"{figures[figure_name]:.2f}" for figure_name in FIGURES],
                textposition="outside",
                textangle=0,
                cliponaxis=False,
                hovertext=[f"{label(name)}, {FIGURES[f]}<br>{counted[f]}" for f in FIGURES],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    return figure(
        traces,
        barmode="group",
        bargap=0.25,
        bargroupgap=0.08,
        xaxis=category_axis(list(FIGURES.values())),
        yaxis=share_axis(fixedrange=True),
    )


def probabilities(
    probabilities: Mapping[str, float], decision: str, thresholds: Mapping[str, float] | None = None
) -> go.Figure:
    """The probability of each class for one image, the decided class in bold, a tick at each threshold.

    The percentages stand in a column of their own to the right: no bar and no tick reaches them.
    """
    names = sorted(probabilities)
    colors = class_colors(names)
    traces: list[Any] = [
        go.Bar(
            x=[probabilities[name] for name in names],
            y=list(range(len(names))),
            orientation="h",
            marker={"color": [colors[name] for name in names], "line": {"width": 0}},
            hoverinfo="skip",
            width=0.55,
        )
    ]
    if thresholds:
        marked = [k for k, name in enumerate(names) if name in thresholds]
        traces.append(
            go.Scatter(
                x=[thresholds[names[k]] for k in marked],
                y=marked,
                mode="markers",
                marker={"symbol": "line-ns", "size": 26, "line": {"width": 2, "color": NEUTRAL}},
                hovertext=[f"{label(names[k])}: threshold {number(thresholds[names[k]])}" for k in marked],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    axis = category_axis(names, range=[len(names) - 0.5, -0.5])
    axis["ticktext"] = [f"<b>{label(name, 18)}</b>" if name == decision else label(name, 18) for name in names]
    written = [
        {
            "text": percent(probabilities[name], digits=1),
            "x": 1,
            "xref": "paper",
            "xanchor": "left",
            "xshift": 10,
            "y": k,
            "yanchor": "middle",
            "showarrow": False,
        }
        for k, name in enumerate(names)
    ]
    return figure(
        traces,
        height=70 + 42 * len(names),
        legend=False,
        margin={"l": 8, "r": 68, "t": 8, "b": 8},
        annotations=written,
        xaxis=share_axis(fixedrange=True),
        yaxis=axis,
    )
