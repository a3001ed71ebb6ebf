"""Two runs finding by finding, on the same images: the difference of each area with its interval."""

from collections.abc import Sequence

import plotly.graph_objects as go

from cxr_core.charts.look import (
    HOVER,
    NEUTRAL,
    PALETTE,
    axis,
    better_ends,
    category_axis,
    figure,
    label,
    upright,
    whiskers,
)
from cxr_core.figures import Ends, signed

# Name, difference, its 95 % interval, what was counted.
Row = tuple[str, float | None, Ends, str]


def finding_differences(rows: Sequence[Row], title: str, better: tuple[str, str]) -> go.Figure:
    """A dot for each finding, a whisker for its interval, the line of no difference; those that cross it are grey.

    ``better``: what stands at the left and at the right end, such as ``("B", "A")``.
    """
    there = [(k, *row) for k, row in enumerate(rows) if row[1] is not None]
    sure = [ends is not None and not ends[0] <= 0 <= ends[1] for _, _, _, ends, _ in there]
    values, ranges = [row[2] for row in there], [row[3] for row in there]
    reach = 1.15 * max(
        [0.01, *(abs(end) for value, ends in zip(values, ranges, strict=True) for end in ends or [value or 0])]
    )
    traces = []
    for wanted, color in ((True, PALETTE[1]), (False, NEUTRAL)):
        shown = [j for j, one in enumerate(sure) if one == wanted]
        traces.append(
            go.Scatter(
                x=[values[j] for j in shown],
                y=[there[j][0] for j in shown],
                mode="markers",
                marker={"color": color, "size": 11},
                error_x=whiskers([values[j] for j in shown], [ranges[j] for j in shown], color),
                hovertext=[
                    f"{label(there[j][1], 48)}<br>{_written(values[j], ranges[j])}<br>{there[j][4]}" for j in shown
                ],
                hovertemplate=HOVER,
            )
        )
    return figure(
        traces,
        height=110 + 32 * len(rows),
        legend=False,
        top=36,
        shapes=[upright(0, width=2)],
        annotations=better_ends(*better),
        xaxis=axis(title, range=[-reach, reach], tickformat=".2~f", nticks=7, fixedrange=True, showgrid=True),
        yaxis=category_axis([row[0] for row in rows], range=[len(rows) - 0.5, -0.5]),
    )


def _written(value: float | None, ends: Ends) -> str:
    if value is None:
        return "not defined"
    return signed(value) + (f", 95 % interval {signed(ends[0])} to {signed(ends[1])}" if ends else ", no interval")
