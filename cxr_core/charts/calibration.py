"""Whether probabilities mean what they say: reliability diagrams, before and after temperature scaling."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, NEUTRAL, class_colors, diagonal, figure, label, share_axis
from cxr_core.figures import of

COLUMNS = 3


def reliability(points: Mapping[str, Any], classes: Sequence[str], after: Mapping[str, Any] | None = None) -> go.Figure:
    """Reliability diagrams, one for each class: how often a label holds where it is given this probability.

    ``points`` and ``after`` are ``calibration.reliability`` before and after temperature scaling: before dotted,
    after solid; one stage alone is solid. The dashed diagonal is what is meant, and a dot's area grows with the images
    in its bin.
    """
    stages = [("before", points, "dot"), ("after", after, "solid")] if after else [("", points, "solid")]
    most = max([1, *(n for _, stage, _ in stages for name in classes for n in stage[name]["count"])])
    colors = class_colors(points)
    columns = min(COLUMNS, len(classes))
    rows = -(-len(classes) // columns)
    # Few and short: on a phone a panel is a hundred pixels wide.
    ticks = {"range": [-0.02, 1.04], "tickmode": "array", "tickvals": [0, 0.5, 1], "ticktext": ["0", "0.5", "1"]}
    traces: list[Any] = []
    layout: dict[str, Any] = {"annotations": []}
    for k, name in enumerate(classes):
        row, column = divmod(k, columns)
        across, down = _panel(column, columns, 0.06), _panel(rows - 1 - row, rows, 0.12)
        n = str(k + 1) if k else ""
        layout[f"xaxis{n}"] = share_axis("Probability", domain=across, anchor=f"y{n}", **ticks)
        layout[f"yaxis{n}"] = share_axis(
            "Observed" if not column else "", domain=down, anchor=f"x{n}", showticklabels=not column, **ticks
        )
        layout["annotations"].append(
            {
                "text": label(name, 18),
                "x": sum(across) / 2,
                "y": down[1],
                "xref": "paper",
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
        axes = {"xaxis": f"x{n}", "yaxis": f"y{n}"}
        traces.append(diagonal(**axes))
        for stage, found, dash in stages:
            bins = found[name]
            hits = [round(share * count) for share, count in zip(bins["observed"], bins["count"], strict=True)]
            traces.append(
                go.Scatter(
                    x=bins["confidence"],
                    y=bins["observed"],
                    mode="lines+markers",
                    line={"color": colors[name], "width": 2, "dash": dash},
                    marker={
                        "size": [5 + 11 * float(np.sqrt(count / most)) for count in bins["count"]],
                        "color": colors[name],
                        "opacity": 0.5 if after and stage == "before" else 0.9,
                    },
                    hovertext=[
                        f"{label(name)}{', ' if stage else ''}{stage}<br>probability {p:.2f} on average<br>"
                        f"it holds for {of(hit, count)}"
                        for p, hit, count in zip(bins["confidence"], hits, bins["count"], strict=True)
                    ],
                    hovertemplate=HOVER,
                    showlegend=False,
                    **axes,
                )
            )
    for stage, _, dash in stages:
        line = {"color": NEUTRAL, "width": 2, "dash": dash}
        traces.append(go.Scatter(x=[None], y=[None], mode="lines", line=line, name=stage))
    return figure(traces, height=60 + 270 * rows, legend=after is not None, top=28, **layout)


def _panel(place: int, places: int, gap: float) -> list[float]:
    """Where one of several panels begins and ends, in 0..1."""
    size = (1 - gap * (places - 1)) / places
    return [place * (size + gap), place * (size + gap) + size]
