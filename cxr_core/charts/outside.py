"""A run's findings on its own test and on another data set, side by side; or any figures of two sides.

``rows``: title -> (value, 95 % interval) inside and outside, and what was counted; the first is drawn on top.
"""

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, PALETTE, category_axis, figure, label, share_axis, upright, whiskers
from cxr_core.figures import Ends, compact

SIDES = ("own test", "there")


class Row(NamedTuple):
    """One finding, or the mean of all: ``values`` and ``ends`` are (own test, there)."""

    title: str
    values: tuple[float | None, float | None]
    ends: tuple[Ends, Ends]
    counted: tuple[str, str]


def inside_outside(
    rows: Sequence[Row], title: str, guess: float | None = None, sides: tuple[str, str] = SIDES
) -> go.Figure:
    """A row per finding with a dot for each side and whiskers for the intervals; ``guess``: the line of guessing."""
    traces = []
    for side, (name, color, symbol) in enumerate(
        zip(sides, (PALETTE[1], PALETTE[0]), ("circle", "diamond"), strict=True)
    ):
        there = [(k, row) for k, row in enumerate(rows) if row.values[side] is not None]
        values, ranges = [row.values[side] for _, row in there], [row.ends[side] for _, row in there]
        traces.append(
            go.Scatter(
                x=values,
                y=[k + 0.3 * (side - 0.5) for k, _ in there],
                mode="markers",
                name=name,
                marker={"color": color, "size": 10, "symbol": symbol},
                error_x=whiskers(values, ranges, color),
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
        height=120 + 36 * len(rows),
        margin={"l": 8, "r": 16, "t": 8, "b": 56},
        shapes=[upright(guess, dash="dot")] if guess is not None else [],
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
