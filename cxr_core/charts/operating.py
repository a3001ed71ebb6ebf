"""Operating points: a threshold on a label's curves, and what its answers are worth at another prevalence.

``curves`` is what ``cxr_core.evaluation.metrics`` returns under this name, ``point`` is ``operating.at_threshold``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, NEUTRAL, PALETTE, class_colors, diagonal, figure, label, share_axis, upright
from cxr_core.charts.ranking import PRECISION_RECALL, ROC, undefined
from cxr_core.evaluation.operating import at_prevalence, fractions
from cxr_core.figures import NOT_DEFINED, number, of, percent


def operating_curves(curves: Mapping[str, Any], name: str, point: Mapping[str, Any]) -> tuple[go.Figure, go.Figure]:
    """ROC and precision-recall curve of the label ``name``, the operating point marked on both.

    ``curves``: all labels, as ``metrics.curves``; ``point``: ``operating.at_threshold``. Two figures, so that a narrow
    page can put one below the other. A label without a positive or a negative has no curves: the legend says so.
    """
    color, found = class_colors(curves)[name], curves[name]
    counted = fractions(point)
    sensitivity, specificity, ppv = (point[ratio] for ratio in ("sensitivity", "specificity", "ppv"))
    alarms = None if specificity is None else 1 - specificity
    text = [f"{label(name)}, threshold {number(point['threshold'])}"]
    text += [f"{ratio}: {of(*counted[ratio])}" for ratio in ("sensitivity", "specificity")]
    text.append(f"positive predictive value: {of(*counted['ppv'])}")
    charts = []
    for plane, guess, x, y in (
        (ROC, [diagonal()], alarms, sensitivity),
        (PRECISION_RECALL, [], sensitivity, ppv),
    ):
        curve = found[plane.key]
        said = "" if curve else undefined(point["tp"] + point["fn"], point["n"])
        line = plane.line(name, color, curve, said, hoverinfo="skip")
        mark = go.Scatter(
            x=[x],
            y=[y],
            mode="markers",
            marker={"size": 14, "color": color, "line": {"width": 3, "color": NEUTRAL}},
            name=f"threshold {number(point['threshold'])}",
            hovertext=["<br>".join(text)],
            hovertemplate=HOVER,
            cliponaxis=False,
        )
        shown = [line, mark] if x is not None and y is not None else [line]
        charts.append(figure([*guess, *shown], height=360, **plane.axes(fixedrange=True)))
    return charts[0], charts[1]


def predictive_values(sensitivity: float | None, specificity: float | None, prevalence: float) -> go.Figure:
    """Positive and negative predictive value over the prevalence, the chosen prevalence marked. All in 0..1.

    Without a sensitivity or a specificity there is nothing to draw, and the legend says so.
    """
    # Denser towards rare findings, where the positive predictive value moves most.
    shares = np.linspace(0, 1, 201) ** 2
    along = [at_prevalence(sensitivity, specificity, float(share)) for share in shares]
    chosen = at_prevalence(sensitivity, specificity, prevalence)
    traces: list[Any] = []
    for key, title, color in (
        ("ppv", "Positive predictive value", PALETTE[0]),
        ("npv", "Negative predictive value", PALETTE[1]),
    ):
        value = chosen[key]
        said = NOT_DEFINED if value is None else percent(value, digits=1)
        traces.append(
            go.Scatter(
                x=shares,
                y=[values[key] for values in along],
                mode="lines",
                line={"color": color, "width": 2},
                name=f"{title}: {said}",
                hoverinfo="skip",
            )
        )
        if value is not None:
            of_all = ("true_positives", "positives") if key == "ppv" else ("true_negatives", "negatives")
            right, tested = (round(1000 * (chosen[share] or 0)) for share in of_all)
            traces.append(
                go.Scatter(
                    x=[prevalence],
                    y=[value],
                    mode="markers",
                    marker={"size": 12, "color": color, "line": {"width": 2, "color": NEUTRAL}},
                    showlegend=False,
                    hovertext=[
                        f"{title}: {said}<br>at a prevalence of {100 * prevalence:.3g} %, among 1,000 patients:<br>"
                        f"right in {of(right, tested)}"
                    ],
                    hovertemplate=HOVER,
                    cliponaxis=False,
                )
            )
    return figure(
        traces,
        height=340,
        shapes=[upright(prevalence, dash="dash")],
        xaxis=share_axis("Prevalence", range=[-0.01, 1.01], fixedrange=True),
        yaxis=share_axis("Predictive value", range=[-0.01, 1.02], fixedrange=True),
    )
