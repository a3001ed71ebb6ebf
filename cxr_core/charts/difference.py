"""Two runs on the same images: what the one has more than the other.

``paired`` comes from ``cxr_core.evaluation.intervals.paired``.
"""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import (
    HOVER,
    PALETTE,
    axis,
    better_ends,
    category_axis,
    figure,
    label,
    upright,
    whiskers,
)
from cxr_core.figures import signed


def paired_difference(paired: Mapping[str, Any], first: str = "first run", second: str = "second run") -> go.Figure:
    """Macro F1, balanced accuracy and accuracy of the first run minus those of the second, with intervals, and the line
    of no difference.

    An interval that holds the line does not tell the runs apart.
    """
    rows = [
        ("Macro F1", paired["macro_f1_difference"], paired["macro_f1_ci"]),
        ("Balanced accuracy", paired["balanced_accuracy_difference"], paired["balanced_accuracy_ci"]),
        ("Accuracy", paired["accuracy_difference"], paired["ci"]),
    ]
    values, ranges = [row[1] for row in rows], [row[2] for row in rows]
    reach = 1.15 * max(0.01, *(abs(end) for row in rows for end in (row[1], *(row[2] or ()))))
    return figure(
        [
            go.Scatter(
                x=values,
                y=list(range(len(rows))),
                mode="markers",
                marker={"color": PALETTE[1], "size": 11},
                error_x=whiskers(values, ranges, PALETTE[1]),
                hovertext=[
                    f"{title}: {label(first)} minus {label(second)}<br>{signed(value)}, "
                    + (f"95 % interval {signed(ends[0])} to {signed(ends[1])}" if ends else "no interval")
                    + f"<br>{paired['n']:,} images, {paired['groups']:,} drawn units"
                    for title, value, ends in rows
                ],
                hovertemplate=HOVER,
            )
        ],
        height=250,
        legend=False,
        top=44,
        shapes=[upright(0, width=2)],
        annotations=better_ends(second, first),
        xaxis=axis("Difference", range=[-reach, reach], tickformat=".2~f", nticks=7, fixedrange=True, showgrid=True),
        yaxis=category_axis([row[0] for row in rows], range=[len(rows) - 0.5, -0.5]),
    )
