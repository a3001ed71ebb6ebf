"""Confusion matrices, which can be clicked.

A heat map gives no selection events, so invisible markers lie over its cells; ``customdata`` of a marker is
``[true class, predicted class, images, images of the true class]``::

    event = st.plotly_chart(confusion(matrix, classes), on_select="rerun", selection_mode="points")
    true, predicted, *_ = event.selection.points[0]["customdata"]
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from cxr_core.charts.look import HOVER, PALETTE, category_axis, figure, label
from cxr_core.figures import of, percent

# Opaque, few to many away from the page's ground: from a pale to a deep blue on a light page, the other way round on a
# dark one. Plotly chooses the text's colour by the cell, nearly black or white; the step in the middle leaves out the
# blues on which neither reads well.
SCALE = [[0.0, "#E8F0F7"], [0.5, "#9CC3E2"], [0.500001, "#2F75AB"], [1.0, "#0B3C66"]]
DARK_SCALE = [[0.0, "#17242F"], [0.5, "#2F6C9C"], [0.500001, "#9CC3E2"], [1.0, "#E8F0F7"]]


def confusion(matrix: npt.ArrayLike, classes: Sequence[str], share: bool = False, dark: bool = False) -> go.Figure:
    """A (K, K) confusion matrix, rows true, columns predicted, the first class at the top left.

    Cells say how many images and which share of their row; the colour follows the share of the row where ``share``
    is set (classes of different size compare), else the count. ``dark``: for a dark page.
    """
    return _heatmap(np.asarray(matrix, dtype=np.int64), list(classes), share, dark)


def one_vs_rest(matrix: npt.ArrayLike, name: str, dark: bool = False) -> go.Figure:
    """The 2 x 2 matrix [[tn, fp], [fn, tp]] of one class, coloured by the share of the row."""
    return _heatmap(np.asarray(matrix, dtype=np.int64), [f"not {name}", name], share=True, dark=dark, height=240)


def _heatmap(
    counts: npt.NDArray[np.int64], names: list[str], share: bool, dark: bool, height: int | None = None
) -> go.Figure:
    size = len(names)
    two_lines = size > 3 or counts.max(initial=0) >= 1000
    rows = counts.sum(axis=1)
    shares = np.divide(counts, rows[:, None], out=np.zeros(counts.shape), where=rows[:, None] > 0)
    cells = [(i, j) for i in range(size) for j in range(size)]
    marker = max(12, min(28, 200 // size))
    return figure(
        [
            go.Heatmap(
                x=list(range(size)),
                y=list(range(size)),
                z=shares if share else counts,
                zmin=0,
                zmax=1 if share else max(int(counts.max(initial=0)), 1),
                text=[
                    [_text(int(counts[i, j]), int(rows[i]), size, two_lines) for j in range(size)] for i in range(size)
                ],
                texttemplate="%{text}",
                textfont={"size": 14 if size <= 4 else 11},
                colorscale=DARK_SCALE if dark else SCALE,
                showscale=False,
                xgap=2,
                ygap=2,
                hoverinfo="skip",
            ),
            go.Scatter(
                x=[j for _, j in cells],
                y=[i for i, _ in cells],
                mode="markers",
                marker={"symbol": "square", "size": marker, "opacity": 0, "color": PALETTE[0]},
                customdata=[[names[i], names[j], int(counts[i, j]), int(rows[i])] for i, j in cells],
                hovertext=[
                    f"true {label(names[i])}<br>predicted {label(names[j])}<br>"
                    f"{of(int(counts[i, j]), int(rows[i]))} ({percent(int(counts[i, j]), int(rows[i]))})"
                    for i, j in cells
                ],
                hovertemplate=HOVER,
            ),
        ],
        height=height or 120 + max(60 if size <= 6 else 34, 28) * size + 60,
        legend=False,
        top=8,
        hoverdistance=-1,
        xaxis=category_axis(names, "Predicted"),
        yaxis=category_axis(names, "True", range=[size - 0.5, -0.5]),
    )


def _text(count: int, row: int, size: int, two_lines: bool) -> str:
    if size > 8:
        return f"{count:,}"
    return f"{count:,}{'<br>' if two_lines else ' '}({percent(count, row)})"
