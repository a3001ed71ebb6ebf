"""The decision curve of one finding: whether acting on the run does more good than acting on everybody, or nobody.

``curve`` is ``cxr_core.evaluation.net_benefit.decision_curve``.
"""

from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, NEUTRAL, PALETTE, axis, figure, share_axis, upright
from cxr_core.evaluation.net_benefit import DecisionCurve
from cxr_core.figures import number, percent, signed

_BAND = "rgba(31, 119, 184, 0.18)"


def decision_curve(curve: DecisionCurve, threshold: float | None = None) -> go.Figure:
    """Net benefit over the probability from which one would act: the run with its 95 % interval, everybody, nobody.

    The prevalence is dotted, the run's own ``threshold`` dashed. Without a positive or a negative only everybody and
    nobody can be drawn.
    """
    across = list(curve.thresholds)
    lines: list[tuple[str, list[float], dict[str, Any]]] = [
        ("act on nobody", [0.0] * len(across), {"color": NEUTRAL, "width": 2}),
        ("act on everybody", list(curve.treat_all), {"color": PALETTE[0], "width": 2, "dash": "dash"}),
    ]
    if curve.model is not None:
        lines.append(("act on this run", list(curve.model), {"color": PALETTE[1], "width": 3}))
    band: list[Any] = []
    if curve.ends is not None and (known := [k for k, ends in enumerate(curve.ends) if ends]):
        ends = [curve.ends[k] or [0, 0] for k in known]
        x = [across[k] for k in known]
        band.append(
            go.Scatter(
                x=[*x, *x[::-1]],
                y=[*(high for _, high in ends), *(low for low, _ in ends[::-1])],
                fill="toself",
                fillcolor=_BAND,
                line={"width": 0},
                mode="lines",
                name="95 % interval",
                hoverinfo="skip",
            )
        )
    # One at which everybody would be treated at a great loss says nothing, and would press the rest together.
    top = max([curve.prevalence, *(curve.model or ())])
    reach = 1.15 * max(top, 0.01)
    traces = [
        go.Scatter(
            x=across,
            y=y,
            mode="lines",
            name=name,
            line=line,
            hovertext=[
                f"act from {percent(t)} on: {name}<br>net benefit {signed(value)}"
                for t, value in zip(across, y, strict=True)
            ],
            hovertemplate=HOVER,
        )
        for name, y, line in lines
    ]
    # Each text in a row of its own: the two may lie on the same place.
    marks = [(curve.prevalence, "dot", f"prevalence {percent(curve.prevalence, digits=1)}", 18)]
    if threshold is not None:
        marks.append((threshold, "dash", f"threshold {number(threshold, 2)}", 0))
    return figure(
        [*band, *traces],
        height=400,
        top=48,
        shapes=[upright(x, dash=dash) for x, dash, _, _ in marks],
        annotations=[
            {
                "x": x,
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "xanchor": "left" if x < 0.5 else "right",
                "yshift": up,
                "text": text,
                "showarrow": False,
            }
            for x, _, text, up in marks
        ],
        xaxis=share_axis("Probability from which one acts", fixedrange=True),
        yaxis=axis("Net benefit", range=[-0.35 * reach, reach], fixedrange=True, nticks=6),
    )
