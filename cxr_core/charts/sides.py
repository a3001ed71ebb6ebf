"""The same figure of one and several others, side by side: own test and another data set, a run and its controls, a
source seen and never seen, before and after.

    side_by_side(rows, ("own test", "there"), "ROC AUC", guess=0.5)

``rows``: of each finding or source a value, its 95 % interval and what was counted for each side; the first is on top.
"""

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from cxr_core.charts.look import (
    HOVER,
    PALETTE,
    beside,
    category_axis,
    figure,
    label,
    share_axis,
    upright,
    whiskers,
)
from cxr_core.figures import Ends, compact

# Colour and symbol of each side; the first is the run's own.
_MARKERS = (
    (PALETTE[1], "circle"),
    (PALETTE[0], "diamond"),
    (PALETTE[2], "square-open"),
    (PALETTE[3], "triangle-up-open"),
    (PALETTE[4], "x-thin-open"),
)


class Row(NamedTuple):
    """One finding, a source, or the mean of all: ``values``, ``ends`` and ``counted`` have a place for each side."""

    title: str
    values: tuple[float | None, ...]
    ends: tuple[Ends, ...]
    counted: tuple[str, ...]


def side_by_side(
    rows: Sequence[Row], sides: Sequence[str], title: str, guess: float | None = None, said: Sequence[str] = ()
) -> go.Figure:
    """A row per finding with a dot for each of up to five sides and whiskers for the intervals; ``guess``: the line of
    guessing; ``said``: a few words at the right of each row.
    """
    traces = []
    for side, (name, (color, symbol)) in enumerate(zip(sides, _MARKERS, strict=False)):
        there = [(k, row) for k, row in enumerate(rows) if row.values[side] is not None]
        values, ranges = [row.values[side] for _, row in there], [row.ends[side] for _, row in there]
        shift = 0.3 * (side - 0.5) if len(sides) == 2 else 0.16 * (side - (len(sides) - 1) / 2)
        traces.append(
            go.Scatter(
                x=values,
                y=[k + shift for k, _ in there],
                mode="markers",
                name=name,
                marker={"color": color, "size": 10, "symbol": symbol, "line": {"color": color, "width": 2}}
                if symbol.endswith("-open")
                else {"color": color, "size": 10, "symbol": symbol},
                error_x=whiskers(values, ranges, color) if any(ranges) else None,
                hovertext=[
                    f"{label(row.title, 48)}, {name}<br>{compact(row.values[side], row.ends[side])}<br>"
                    f"{row.counted[side]}"
                    for _, row in there
                ],
                hovertemplate=HOVER,
            )
        )
    reached = [
        end for row in rows for value, ends in zip(row.values, row.ends, strict=True) for end in (value, *(ends or ()))
    ]
    low = min([0.45, *(end - 0.03 for end in reached if end is not None)]) if guess is not None else -0.01
    return figure(
        traces,
        legend=len(sides) > 1,
        height=120 + (36 if len(sides) < 3 else 48) * len(rows) + (40 if len(sides) > 2 else 0),
        margin={"l": 8, "r": 76 if said else 16, "t": 8, "b": 56 if len(sides) < 3 else 96},
        shapes=[upright(guess, dash="dot")] if guess is not None else [],
        annotations=beside(said),
        xaxis=share_axis(
            title,
            range=[low, 1.01],
            dtick=0.1 if low > 0.3 else 0.2,
            tickformat=".1f",
            fixedrange=True,
            showgrid=True,
        ),
        yaxis=category_axis(
            [row.title for row in rows],
            range=[len(rows) - 0.5, -0.5],
            ticktext=[label(row.title, 22) for row in rows],
        ),
    )
