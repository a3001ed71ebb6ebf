"""What a data set looks like: classes, sizes, formats."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, PALETTE, axis, category_axis, class_colors, figure, label, share_axis
from cxr_core.figures import of, percent

MAX_POINTS = 2000


def distribution(counts: pd.DataFrame, share: bool = False) -> go.Figure:
    """Images per class, one group of bars per split.

    ``counts``: rows splits, columns classes, as ``Dataset.counts()``; ``share`` shows each class's share of its
    split instead of the number.
    """
    splits = [str(split) or "all images" for split in counts.index]
    totals = counts.sum(axis=1).to_numpy(dtype=np.int64)
    colors = class_colors(str(name) for name in counts.columns)
    traces = []
    for name in counts.columns:
        images = counts[name].to_numpy(dtype=np.int64)
        traces.append(
            go.Bar(
                x=list(range(len(splits))),
                y=np.divide(images, totals, out=np.zeros(len(images)), where=totals > 0) if share else images,
                name=label(str(name)),
                marker={"color": colors[str(name)], "line": {"width": 0}},
                text=[percent(n, t) if share else f"{n:,}" for n, t in zip(images, totals, strict=True)],
                textposition="outside",
                textangle=0,
                cliponaxis=False,
                hovertext=[
                    f"{label(str(name))}, {label(split)}<br>{of(int(n), int(t))} ({percent(n, t)})"
                    for split, n, t in zip(splits, images, totals, strict=True)
                ],
                hovertemplate=HOVER,
            )
        )
    values = share_axis("Share of the split") if share else axis("Images", rangemode="tozero", tickformat=",d")
    return figure(
        traces,
        barmode="group",
        bargap=0.25,
        bargroupgap=0.08,
        xaxis=category_axis(splits),
        yaxis={**values, "fixedrange": True},
    )


def sizes(samples: pd.DataFrame, classes: Sequence[str] | None = None) -> go.Figure:
    """Width against height in pixels by class, one dot per size that occurs, at most MAX_POINTS dots.

    ``samples`` needs the columns label, width and height. A dot's area grows with the number of its images.
    Pass all ``classes`` where ``samples`` are a part of the data set, so that the colours stay.
    """
    groups = samples.groupby(["label", "width", "height"], as_index=False).size()
    if len(groups) > MAX_POINTS:
        groups = groups.sample(MAX_POINTS, random_state=0).sort_index()
    totals = samples["label"].value_counts()
    largest = max(int(groups["size"].max()), 1) if len(groups) else 1
    colors = class_colors(classes or samples["label"].unique())
    traces = []
    for name in sorted(totals.index):
        dots = groups[groups["label"] == name]
        traces.append(
            go.Scatter(
                x=dots["width"],
                y=dots["height"],
                mode="markers",
                name=label(name),
                marker={
                    "color": colors[name],
                    "opacity": 0.55,
                    "size": 5 + 20 * np.sqrt(dots["size"].to_numpy() / largest),
                    "line": {"width": 0},
                },
                hovertext=[
                    f"{label(name)}<br>{row.width} x {row.height} px<br>{of(int(row.size_), int(totals[name]))}"
                    for row in dots.rename(columns={"size": "size_"}).itertuples()
                ],
                hovertemplate=HOVER,
            )
        )
    pixels: dict[str, Any] = {"rangemode": "tozero", "tickformat": ",d", "nticks": 6}
    chart = figure(traces, height=380, drag=True, xaxis=axis("Width, px", **pixels), yaxis=axis("Height, px", **pixels))
    return chart.update_layout(legend_itemsizing="constant")


def formats(samples: pd.DataFrame) -> go.Figure:
    """Images by file format, mode and bits, the most frequent first.

    ``samples`` needs the columns format, mode and bits.
    """
    kinds = (
        samples["format"].astype(str) + ", " + samples["mode"].astype(str) + ", " + samples["bits"].astype(str) + " bit"
    )
    counts = kinds.value_counts()
    names = [str(name) for name in counts.index]
    return figure(
        [
            go.Bar(
                x=counts.to_numpy(),
                y=list(range(len(names))),
                orientation="h",
                marker={"color": PALETTE[1], "line": {"width": 0}},
                text=[f"{n:,} ({percent(n, len(samples))})" for n in counts],
                textposition="auto",
                textangle=0,
                cliponaxis=False,
                hovertext=[
                    f"{label(name)}<br>{of(int(n), len(samples))}" for name, n in zip(names, counts, strict=True)
                ],
                hovertemplate=HOVER,
            )
        ],
        height=90 + 40 * max(len(names), 1),
        legend=False,
        top=8,
        xaxis=axis("Images", rangemode="tozero", tickformat=",d", nticks=6, fixedrange=True),
        yaxis=category_axis(names, range=[len(names) - 0.5, -0.5]),
    )
