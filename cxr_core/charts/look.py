"""The one look of all charts: colours, formats, margins, axes, whiskers.

Colours are chosen to be told apart with any colour vision (after Okabe and Ito, 2008, shifted to a middle lightness)
and to keep a contrast of 3:1 on white and on near-black. Font colours are never set: the page's theme knows whether
it is light or dark.
"""

import html
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

PALETTE = ("#D55E00", "#1F77B8", "#009E73", "#C1609A", "#8C6239", "#2A9BD0", "#B8860B", "#7A6FD0", "#7A8B1F", "#E0607E")
NEUTRAL = "#808080"
GRID = "rgba(128, 128, 128, 0.22)"
TRANSPARENT = "rgba(0, 0, 0, 0)"
# A trace's own text on hover, and nothing beside it.
HOVER = "%{hovertext}<extra></extra>"

METRIC_TITLES = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "macro_roc_auc": "Macro ROC AUC",
}


def class_colors(classes: Iterable[str]) -> dict[str, str]:
    """A colour for each class by its place in the sorted list.

    Pass all classes of the data set, also where only some are shown, so that a class keeps its colour everywhere.
    From the eleventh class on the colours repeat.
    """
    return {name: PALETTE[k % len(PALETTE)] for k, name in enumerate(sorted(classes))}


def label(name: str, width: int = 24) -> str:
    """A class or run name as text of a figure: long ones shortened, Plotly's markup made harmless."""
    shortened = name if len(name) <= width else name[: width - 1] + "…"
    return html.escape(shortened, quote=False)


def wrapped(name: str, width: int = 18) -> str:
    """The same, of several words on two lines where one is too short for them."""
    if len(name) <= width:
        return label(name, width)
    lines = textwrap.wrap(name, width, max_lines=2, placeholder="…", break_long_words=False, break_on_hyphens=False)
    return "<br>".join(label(line, width) for line in lines)


def figure(
    traces: Sequence[Any], height: int = 320, legend: bool = True, drag: bool = False, top: int = 24, **layout: Any
) -> go.Figure:
    """A figure in the common look.

    ``drag`` allows zooming by dragging, which on a phone competes with scrolling; ``top`` is the room in pixels above
    the plot, for texts that stand on it.
    """
    return go.Figure(
        data=list(traces),
        layout={
            "height": height,
            "margin": {"l": 8, "r": 16, "t": top, "b": 8},
            "paper_bgcolor": TRANSPARENT,
            "plot_bgcolor": TRANSPARENT,
            "showlegend": legend,
            "legend": {
                "orientation": "h",
                "yref": "container",
                "y": 0,
                "yanchor": "bottom",
                "xref": "container",
                "x": 0.01,
                "xanchor": "left",
                "title": {"text": ""},
            },
            "dragmode": "zoom" if drag else False,
            "hoverlabel": {"align": "left", "namelength": 0},
            **layout,
        },
    )


def axis(title: str = "", **given: Any) -> dict[str, Any]:
    """A plain axis with a thin grid and room for its own labels."""
    return {
        "title": {"text": title, "standoff": 14},
        "automargin": True,
        "gridcolor": GRID,
        "gridwidth": 1,
        "zeroline": False,
        "showline": False,
        **given,
    }


def share_axis(title: str = "", **given: Any) -> dict[str, Any]:
    """An axis for shares and probabilities: always 0 to 1, ticks in per cent."""
    return axis(title, **{"range": [0, 1], "tickformat": ".0%", "dtick": 0.2, **given})


def category_axis(names: Sequence[str], title: str = "", **given: Any) -> dict[str, Any]:
    """An axis of names at the positions 0, 1, ...; positions, since names may look like numbers or repeat."""
    return axis(
        title,
        **{
            "tickmode": "array",
            "tickvals": list(range(len(names))),
            "ticktext": [label(name, 18) for name in names],
            "range": [-0.5, len(names) - 0.5],
            "showgrid": False,
            "fixedrange": True,
            **given,
        },
    )


def metric_axis(metric: str, **given: Any) -> dict[str, Any]:
    """The value axis of a training metric: shares are fixed to 0 to 1, a loss has no upper bound."""
    title = METRIC_TITLES.get(metric, metric)
    if metric == "macro_roc_auc":
        return share_axis(title, **{"tickformat": ".1f", **given})
    return axis(title, rangemode="tozero", **given) if metric == "loss" else share_axis(title, **given)


def diagonal(**given: Any) -> go.Scatter:
    """The dashed line from 0 to 1: a guess in a ROC curve, meant and observed alike in a reliability diagram."""
    line = {"color": NEUTRAL, "width": 1, "dash": "dash"}
    return go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, showlegend=False, hoverinfo="skip", **given)


def upright(x: float, **line: Any) -> dict[str, Any]:
    """A line over the whole height of the plot, as a shape of the layout; thin and grey unless ``line`` says else."""
    drawn = {"color": NEUTRAL, "width": 1, **line}
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": drawn}


def beside(texts: Iterable[str], shift: int = 8) -> list[dict[str, Any]]:
    """A column of texts to the right of the plot, one for each row, as annotations of the layout."""
    place = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": shift, "yanchor": "middle", "showarrow": False}
    return [{**place, "y": row, "text": text} for row, text in enumerate(texts)]


def better_ends(left: str, right: str) -> list[dict[str, Any]]:
    """Above the ends of an axis of differences, whom each end speaks for, as annotations of the layout."""
    place = {"xref": "paper", "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False}
    return [
        {**place, "x": 0, "xanchor": "left", "text": f"← {label(left, 18)} better"},
        {**place, "x": 1, "xanchor": "right", "text": f"{label(right, 18)} better →"},
    ]


def whiskers(values: Sequence[float | None], ranges: Sequence[Sequence[float] | None], color: str) -> dict[str, Any]:
    """Plotly's error bars from [low, high], of no length where there is no interval; they always reach the value."""
    known = [
        (value, ends or (value, value)) if value is not None else (0, (0, 0))
        for value, ends in zip(values, ranges, strict=True)
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, ends[1] - value) for value, ends in known],
        "arrayminus": [max(0.0, value - ends[0]) for value, ends in known],
        "color": color,
        "thickness": 2,
        "width": 4,
    }
