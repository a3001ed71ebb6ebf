"""What a data set of findings looks like: how frequent each is, how many an image has, which occur together, and whom
the images show.

    composition(dataset.labels())            # yes, uncertain, blank and no of each finding
    by_split(counts, totals)                 # share of each split that has it
    per_image(dataset.values, names)         # how many findings an image has
    co_occurrence(dataset.values, names)     # which are there together
    ages(samples["age"]), groups(samples["view"])
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from cxr_core.charts.look import HOVER, NEUTRAL, PALETTE, axis, category_axis, figure, label, share_axis
from cxr_core.charts.matrix import DARK_SCALE, SCALE
from cxr_core.figures import counted, of, percent
from cxr_core.findings import decisive

# Of sets with hundreds of findings the most frequent are drawn; a table beside the chart has them all.
MOST = 30
_KINDS = {
    "yes": PALETTE[0],
    "uncertain": PALETTE[6],
    "blank": "rgba(128, 128, 128, 0.55)",
    "no": "rgba(128, 128, 128, 0.2)",
}
_SPLITS = {"train": PALETTE[1], "val": PALETTE[6], "test": PALETTE[0], "": PALETTE[1]}
_ROW = 26


def composition(labels: pd.DataFrame) -> go.Figure:
    """One bar a finding, the most frequent at the top: the shares of images that say yes, uncertain, nothing and no.

    ``labels``: as ``Dataset.labels()``, rows findings.
    """
    shown = labels.sort_values("yes", ascending=False, kind="stable").head(MOST)
    totals = shown.sum(axis=1).to_numpy(dtype=np.int64)
    names = [str(name) for name in shown.index]
    traces = []
    for kind, color in _KINDS.items():
        images = shown[kind].to_numpy(dtype=np.int64)
        traces.append(
            go.Bar(
                x=np.divide(images, totals, out=np.zeros(len(images)), where=totals > 0),
                y=list(range(len(names))),
                orientation="h",
                name=kind,
                marker={"color": color, "line": {"width": 0}},
                hovertext=[
                    f"{label(name, 48)}: {kind}<br>{of(int(n), int(total))} ({percent(n, total)})"
                    for name, n, total in zip(names, images, totals, strict=True)
                ],
                hovertemplate=HOVER,
            )
        )
    return figure(
        traces,
        height=110 + _ROW * max(len(names), 1),
        top=8,
        barmode="stack",
        bargap=0.3,
        legend_traceorder="normal",
        xaxis=share_axis("Share of the images", fixedrange=True),
        yaxis=category_axis(names, range=[len(names) - 0.5, -0.5]),
    )


def by_split(counts: pd.DataFrame, totals: pd.Series) -> go.Figure:
    """One row a finding, a dot a split: the share of its images that have the finding.

    ``counts``: rows splits, columns findings, as ``Dataset.counts()``; ``totals``: images of each split.
    """
    order = counts.sum().sort_values(ascending=False, kind="stable").index[:MOST]
    names = [str(name) for name in order]
    traces = []
    for split in counts.index:
        images, total = counts.loc[split, order].to_numpy(dtype=np.int64), int(totals[split])
        traces.append(
            go.Scatter(
                x=images / max(total, 1),
                y=list(range(len(names))),
                mode="markers",
                name=str(split) or "all images",
                marker={"color": _SPLITS.get(str(split), NEUTRAL), "size": 10, "opacity": 0.85},
                cliponaxis=False,
                hovertext=[
                    f"{label(name, 48)}, {split or 'all images'}<br>{of(int(n), total)} ({percent(n, total, 1)})"
                    for name, n in zip(names, images, strict=True)
                ],
                hovertemplate=HOVER,
            )
        )
    return figure(
        traces,
        height=110 + _ROW * max(len(names), 1),
        top=8,
        xaxis=axis("Share of the split that has it", rangemode="tozero", tickformat=".0%", fixedrange=True),
        yaxis=category_axis(names, range=[len(names) - 0.5, -0.5]),
    )


def per_image(values: NDArray[np.floating], names: Sequence[str]) -> go.Figure:
    """How many images have none, one, two ... of the findings, devices and uncertain ones not counted."""
    number = (np.asarray(values)[:, decisive(names)] == 1).sum(axis=1)
    images = np.bincount(number, minlength=2)
    return _bars([str(count) for count in range(len(images))], images, len(number), "Findings of an image", "findings")


def ages(years: pd.Series) -> go.Figure:
    """How many images are of each decade of life; unknown ages are left out."""
    known = years.dropna().to_numpy()
    decades = np.bincount((known // 10).astype(np.int64), minlength=1)
    names = [f"{10 * decade}-{10 * decade + 9}" for decade in range(len(decades))]
    return _bars(names, decades, len(years), "Age in years", "years")


def groups(column: pd.Series, title: str) -> go.Figure:
    """How many images are of each value of a column, the most frequent first; "" is not known."""
    counts = column.replace("", "not known").value_counts().head(MOST)
    return _bars([str(name) for name in counts.index], counts.to_numpy(), len(column), title, "")


def _bars(names: Sequence[str], images: NDArray[np.integer], total: int, title: str, unit: str) -> go.Figure:
    bars = go.Bar(
        x=list(range(len(names))),
        y=images,
        marker={"color": PALETTE[1], "line": {"width": 0}},
        text=[f"{n:,}" for n in images],
        textposition="outside",
        textangle=0,
        cliponaxis=False,
        hovertext=[
            f"{label(name, 48)} {unit}<br>{of(int(n), total)} images ({percent(n, total)})"
            for name, n in zip(names, images, strict=True)
        ],
        hovertemplate=HOVER,
    )
    return figure(
        [bars],
        height=260,
        legend=False,
        bargap=0.25,
        xaxis=category_axis(names, title),
        yaxis=axis("Images", rangemode="tozero", tickformat=",d", nticks=5, fixedrange=True),
    )


def co_occurrence(values: NDArray[np.floating], names: Sequence[str], dark: bool = False) -> go.Figure:
    """Rows and columns are findings: of the images that have the row's, the share that has the column's too.

    ``dark``: for a dark page.
    """
    there = (np.asarray(values) == 1).astype(np.int64)
    kept = [k for k in np.argsort(-there.sum(axis=0), kind="stable")[:MOST].tolist() if there[:, k].any()]
    shown = [names[k] for k in sorted(kept)]
    there = there[:, sorted(kept)]
    both = there.T @ there
    have = np.diag(both)
    shares = np.divide(both, have[:, None], out=np.zeros(both.shape), where=have[:, None] > 0)
    # Every image that has a finding has it: the diagonal would outshine the rest.
    colors = np.where(np.eye(len(shown), dtype=bool), np.nan, shares)
    most = float(np.nanmax(colors, initial=0.0)) or 1.0
    places = list(range(len(shown)))
    cells = go.Heatmap(
        x=places,
        y=places,
        z=colors,
        zmin=0,
        zmax=most,
        colorscale=DARK_SCALE if dark else SCALE,
        showscale=False,
        xgap=1,
        ygap=1,
        text=[[percent(float(shares[i, j])) if both[i, j] and i != j else "" for j in places] for i in places],
        texttemplate="%{text}" if len(shown) <= 15 else "",
        textfont={"size": 11},
        hoverongaps=True,
        hovertext=[
            [
                f"{label(shown[i], 48)}: {counted(int(have[i]), 'image')}"
                + ("" if i == j else f"<br>{label(shown[j], 48)} too in {of(int(both[i, j]), int(have[i]))}")
                for j in places
            ]
            for i in places
        ],
        hovertemplate=HOVER,
    )
    # On the page's own ground, in its own ink: a cell without a colour has none that its text could be read on.
    counts = [
        {"x": k, "y": k, "text": f"{have[k]:,}", "showarrow": False, "font": {"size": 11}}
        for k in places
        if len(shown) <= 10
    ]
    return figure(
        [cells],
        annotations=counts,
        height=170 + max(_ROW, 30) * max(len(shown), 1),
        legend=False,
        top=8,
        xaxis=category_axis(shown, "has this too", tickangle=-45),
        yaxis=category_axis(shown, "An image that has", range=[len(shown) - 0.5, -0.5]),
    )
