"""What a run says to one image of any number of findings: each probability against its threshold."""

from collections.abc import Collection, Mapping
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, NEUTRAL, PALETTE, beside, category_axis, figure, label, share_axis
from cxr_core.figures import number, percent

SHOWN = 20


def by_threshold(probabilities: Mapping[str, float], thresholds: Mapping[str, float]) -> list[str]:
    """Findings that reach their threshold first, the most probable of them on top; then those nearest to it."""

    def place(name: str) -> tuple[bool, float]:
        limit = thresholds.get(name, 0.5)
        fires = probabilities[name] >= limit
        return not fires, -probabilities[name] if fires else limit - probabilities[name]

    return sorted(probabilities, key=place)


def present_bars(
    probabilities: Mapping[str, float], thresholds: Mapping[str, float], true: Collection[str] | None = None
) -> go.Figure:
    """A bar for each finding, a tick at its threshold: those that reach it first and coloured, the others grey.

    ``true``: the findings that are known to be there; they are marked. The percentages stand in a column of their own.
    Of many findings the first SHOWN, and all that reach their threshold or are there.
    """
    order = by_threshold(probabilities, thresholds)
    fires = {name: probabilities[name] >= thresholds.get(name, 0.5) for name in order}
    names = [name for k, name in enumerate(order) if k < SHOWN or fires[name] or name in (true or ())]
    rows = list(range(len(names)))
    limits = [thresholds.get(name, 0.5) for name in names]
    said = [
        f"{label(name, 48)}: {percent(probabilities[name], digits=1)}, "
        f"{'reaches' if fires[name] else 'below'} its threshold of {number(limit)}"
        for name, limit in zip(names, limits, strict=True)
    ]
    traces: list[Any] = [
        go.Bar(
            x=[probabilities[name] for name in names],
            y=rows,
            orientation="h",
            marker={
                "color": [PALETTE[0] if fires[name] else NEUTRAL for name in names],
                "opacity": [1 if fires[name] else 0.55 for name in names],
                "line": {"width": 0},
            },
            hovertext=said,
            hovertemplate=HOVER,
            width=0.55,
        ),
        go.Scatter(
            x=limits,
            y=rows,
            mode="markers",
            marker={"symbol": "line-ns", "size": 20, "line": {"width": 2, "color": PALETTE[1]}},
            hovertext=said,
            hovertemplate=HOVER,
        ),
    ]
    axis = category_axis(names, range=[len(names) - 0.5, -0.5])
    axis["ticktext"] = [
        f"<b>{text}</b>" if fires[name] else text
        for name, text in ((name, ("● " if name in (true or ()) else "") + label(name, 18)) for name in names)
    ]
    return figure(
        traces,
        height=64 + 30 * len(names),
        legend=False,
        margin={"l": 8, "r": 68, "t": 8, "b": 8},
        annotations=beside((percent(probabilities[name], digits=1) for name in names), shift=10),
        xaxis=share_axis(fixedrange=True, dtick=0.5),
        yaxis=axis,
    )
