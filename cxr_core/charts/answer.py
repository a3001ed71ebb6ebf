"""What a run says to one image: its probabilities, the decision, the thresholds."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, NEUTRAL, beside, category_axis, class_colors, figure, label, share_axis, wrapped
from cxr_core.figures import number, percent


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
                hovertemplate=HOVER,
            )
        )
    axis = category_axis(names, range=[len(names) - 0.5, -0.5])
    axis["ticktext"] = [f"<b>{wrapped(name)}</b>" if name == decision else wrapped(name) for name in names]
    return figure(
        traces,
        height=70 + 42 * len(names),
        legend=False,
        margin={"l": 8, "r": 68, "t": 8, "b": 8},
        annotations=beside((percent(probabilities[name], digits=1) for name in names), shift=10),
        # On a phone a leaf's name leaves little room.
        xaxis=share_axis(fixedrange=True, dtick=0.5, tickangle=0),
        yaxis=axis,
    )
