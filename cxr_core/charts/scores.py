"""Scores held against each other: a run and its controls, several sets of images, sources seen and left out."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import (
    HOVER,
    NEUTRAL,
    PALETTE,
    beside,
    category_axis,
    figure,
    label,
    share_axis,
    upright,
    whiskers,
)
from cxr_core.figures import compact, of

# A row of figures and the key of the one that is drawn; None: nothing is.
Point = tuple[Mapping[str, Any] | None, str]


def score_bars(
    titles: Sequence[str],
    values: Sequence[float],
    ranges: Sequence[Sequence[float] | None],
    counted: Sequence[str],
    chance: float,
    figure_title: str = "Macro F1",
) -> go.Figure:
    """The figure of this title, of a run and of what it is held against: a bar each, with its interval and ``counted``
    on hover.

    The first is the run's own, in another colour, and the lower end of its interval is drawn through the others; so is
    what guessing would reach.
    """
    colors = [PALETTE[1], *[NEUTRAL] * (len(titles) - 1)]
    rows = list(range(len(titles)))
    traces = [
        go.Bar(
            x=[value],
            y=[row],
            width=0.6,
            orientation="h",
            marker={"color": color, "opacity": 0.5, "line": {"width": 0}},
            error_x=whiskers([value], [ends], color),
            hovertext=[f"{label(title)}<br>{compact(value, ends, 2)}<br>{text}"],
            hovertemplate=HOVER,
        )
        for row, color, title, value, ends, text in zip(rows, colors, titles, values, ranges, counted, strict=True)
    ]
    low = ranges[0][0] if ranges[0] else values[0]
    # Each text on its own side of its line, so that they do not meet on a phone.
    lines = [
        (low, PALETTE[1], "run's lower end", "left" if chance < low else "right"),
        (chance, NEUTRAL, "guessing", "right" if chance < low else "left"),
    ]
    above = [
        {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": side, "text": text, "showarrow": False}
        for x, _, text, side in lines
    ]
    return figure(
        traces,
        height=90 + 44 * len(titles),
        legend=False,
        margin={"l": 8, "r": 120, "t": 32, "b": 8},
        shapes=[upright(x, color=color, dash="dot") for x, color, _, _ in lines],
        annotations=[*beside(compact(value, ends, 2) for value, ends in zip(values, ranges, strict=True)), *above],
        xaxis=share_axis(figure_title, dtick=0.5, tickformat=".1f", fixedrange=True, showgrid=True),
        yaxis=category_axis(titles, range=[len(titles) - 0.5, -0.5]),
    )


def scores_by_set(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Accuracy and macro F1 of one run on several sets of images, external ones or sources, with intervals.

    ``rows``: {"name", "n", "right", "accuracy", "macro_f1", "ci": {"accuracy", "macro_f1"}}, the first on top.
    """
    series = {
        title: [(row, key) for row in rows] for key, title in (("macro_f1", "Macro F1"), ("accuracy", "Accuracy"))
    }
    return _dots([row["name"] for row in rows], series)


def left_out(seen: Sequence[Mapping[str, Any]], never: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Macro F1 on each source of a run that had seen it, and of one that never had, with intervals.

    ``seen`` and ``never``: rows as ``scores_by_set`` takes them, named by "source"; ``seen`` may lack some.
    """
    own = {row["source"]: row for row in seen}
    series: dict[str, list[Point]] = {
        "seen in training (the run)": [(own.get(row["source"]), "macro_f1") for row in never],
        "never seen": [(row, "macro_f1") for row in never],
    }
    return _dots([row["source"] for row in never], series)


def _dots(names: Sequence[str], series: Mapping[str, Sequence[Point]]) -> go.Figure:
    """A row per name with a dot of each series, its interval as a whisker; None leaves the place empty."""
    traces = []
    for k, (title, points) in enumerate(series.items()):
        there = [(j, row, key) for j, (row, key) in enumerate(points) if row is not None]
        values, ranges = [row[key] for _, row, key in there], [row["ci"][key] for _, row, key in there]
        hover = [
            f"{label(names[j])}, {title}<br>{compact(row[key], row['ci'][key], 2)}<br>"
            f"{of(row['right'], row['n'])} images right"
            for j, row, key in there
        ]
        traces.append(
            go.Scatter(
                x=values,
                y=[j + 0.3 * (k - 0.5) for j, _, _ in there],
                mode="markers",
                name=title,
                marker={"color": PALETTE[k + 1], "size": 11},
                error_x=whiskers(values, ranges, PALETTE[k + 1]),
                hovertext=hover,
                hovertemplate=HOVER,
            )
        )
    return figure(
        traces,
        height=110 + 56 * len(names),
        margin={"l": 8, "r": 16, "t": 8, "b": 48},
        xaxis=share_axis(fixedrange=True, showgrid=True),
        yaxis=category_axis(list(names), range=[len(names) - 0.5, -0.5]),
    )
