"""How well a run's probabilities rank the images: ROC and precision-recall curves.

``curves`` and ``report`` are what ``cxr_core.evaluation.metrics`` returns under these names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, class_colors, diagonal, figure, label, share_axis
from cxr_core.figures import NOT_DEFINED, number, of, percent


@dataclass(frozen=True)
class Plane:
    """What a curve is drawn in. ``key``: its name in ``curves``; ``across`` and ``up``: title and key of its axes."""

    key: str
    across: tuple[str, str]
    up: tuple[str, str]

    def axes(self, **given: Any) -> dict[str, Any]:
        """Both axes, a little wider than 0 to 1, so that a curve at the edge is seen."""
        return {
            "xaxis": share_axis(self.across[0], range=[-0.01, 1.01], **given),
            "yaxis": share_axis(self.up[0], range=[-0.01, 1.02], **given),
        }

    def line(self, name: str, color: str, curve: Mapping[str, Any] | None, said: str, **given: Any) -> go.Scatter:
        """A label's curve with what is ``said`` of it in the legend; without one only that line."""
        points = curve or {self.across[1]: [None], self.up[1]: [None]}
        return go.Scatter(
            x=points[self.across[1]],
            y=points[self.up[1]],
            mode="lines",
            line={"color": color, "width": 2},
            name=f"{label(name)}: {said}" if said else label(name),
            **given,
        )


ROC = Plane("roc", ("False positive rate", "fpr"), ("True positive rate", "tpr"))
PRECISION_RECALL = Plane("pr", ("Recall", "recall"), ("Precision", "precision"))


def undefined(positives: int, images: int) -> str:
    """What the legend says of a label without a positive or without a negative."""
    return f"{NOT_DEFINED} ({of(positives, images)} positive)"


def roc(curves: Mapping[str, Any], classes: Sequence[str], report: Mapping[str, Any]) -> go.Figure:
    """ROC curve of each label, its area in the legend, the diagonal of a guess dashed."""

    def counted(x: float, y: float, positives: int) -> str:
        negatives = report["n"] - positives
        return (
            f"true positives {of(round(y * positives), positives)}<br>"
            f"false positives {of(round(x * negatives), negatives)}"
        )

    lines = _lines(ROC, curves, classes, report, ("AUC", "roc_auc"), counted)
    return figure([diagonal(), *lines.values()], height=400, drag=True, **ROC.axes())


def precision_recall(curves: Mapping[str, Any], classes: Sequence[str], report: Mapping[str, Any]) -> go.Figure:
    """Precision-recall curve of each label, its average precision in the legend, its prevalence dotted: what a guess
    would reach.
    """

    def counted(x: float, y: float, positives: int) -> str:
        return f"recall {of(round(x * positives), positives)}<br>precision {percent(y, digits=1)}"

    colors = class_colors(report["classes"])
    traces = []
    for name, line in _lines(PRECISION_RECALL, curves, classes, report, ("AP", "average_precision"), counted).items():
        traces.append(line)
        if (curves.get(name) or {}).get(PRECISION_RECALL.key):
            prevalence = report["per_class"][name]["positives"] / report["n"]
            traces.append(
                go.Scatter(
                    x=[0, 1],
                    y=[prevalence, prevalence],
                    mode="lines",
                    line={"color": colors[name], "width": 1, "dash": "dot"},
                    legendgroup=name,
                    showlegend=False,
                    hoverinfo="skip",
                )
            )
    return figure(traces, height=400, drag=True, **PRECISION_RECALL.axes())


def _lines(
    plane: Plane,
    curves: Mapping[str, Any],
    classes: Sequence[str],
    report: Mapping[str, Any],
    area: tuple[str, str],
    counted: Callable[[float, float, int], str],
) -> dict[str, go.Scatter]:
    """The line of each label. ``area``: the figure in the legend and its key in the report; ``counted``: what stands
    behind a point, of x, y and the number of positives.
    """
    colors = class_colors(report["classes"])
    lines = {}
    for name in classes:
        figures, curve = report["per_class"][name], (curves.get(name) or {}).get(plane.key)
        positives = figures["positives"]
        if not curve or figures[area[1]] is None:
            lines[name] = plane.line(name, colors[name], None, undefined(positives, report["n"]))
            continue
        points = zip(curve[plane.across[1]], curve[plane.up[1]], curve["thresholds"], strict=True)
        lines[name] = plane.line(
            name,
            colors[name],
            curve,
            f"{area[0]} {number(figures[area[1]])}",
            legendgroup=name,
            hovertext=[
                f"{label(name)}{'' if t is None else f', threshold {number(t)}'}<br>{counted(x, y, positives)}"
                for x, y, t in points
            ],
            hovertemplate=HOVER,
        )
    return lines
