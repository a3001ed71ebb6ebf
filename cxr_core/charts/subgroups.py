"""One finding in parts of the images: a dot and its interval for each subgroup, the largest gap named.

``rows`` and ``gap`` are of ``cxr_core.evaluation.subgroups.subgroups``.
"""

from collections.abc import Sequence

import plotly.graph_objects as go

from cxr_core.charts.look import (
    HOVER,
    NEUTRAL,
    PALETTE,
    axis,
    beside,
    category_axis,
    figure,
    label,
    share_axis,
    whiskers,
)
from cxr_core.evaluation.subgroups import Gap, Subgroup
from cxr_core.figures import compact, interval, of, signed

TITLES = {
    "roc_auc": "ROC AUC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "calibration_gap": "Mean probability minus prevalence",
    "prevalence": "Prevalence",
}


def subgroup_dots(
    rows: Sequence[Subgroup], figure_name: str, overall: float | None = None, gap: Gap | None = None
) -> go.Figure:
    """``figure_name`` (of TITLES) of one finding in each of ``rows``, in their order; a row that is too small says so.

    ``overall``: the figure on all images, dashed. ``gap``: its two subgroups are drawn in another colour.
    """
    titles = [f"{row.by}: {row.value}" for row in rows]
    ends_of_gap = {(gap.by, value) for value in (gap.high, gap.low)} if gap else set()
    traces = []
    for name, color, apart in (("subgroup", PALETTE[1], False), ("largest gap", PALETTE[0], True)):
        shown = [
            (k, row) for k, row in enumerate(rows) if not row.too_few and ((row.by, row.value) in ends_of_gap) == apart
        ]
        values = [row.figures[figure_name].value for _, row in shown]
        ranges = [row.figures[figure_name].ends for _, row in shown]
        traces.append(
            go.Scatter(
                x=values,
                y=[k for k, _ in shown],
                mode="markers",
                name=name,
                marker={"color": color, "size": 11, "symbol": "diamond" if apart else "circle"},
                error_x=whiskers(values, ranges, color),
                hovertext=[
                    f"{label(titles[k], 48)}<br>{_written(figure_name, value, ends)}<br>"
                    f"there in {of(row.positives, row.n)} images<br>"
                    f"{row.patients:,} patients with it, {row.others:,} without"
                    for (k, row), value, ends in zip(shown, values, ranges, strict=True)
                ],
                hovertemplate=HOVER,
            )
        )
    said = (
        "too few to say"
        if row.too_few
        else _written(figure_name, row.figures[figure_name].value, row.figures[figure_name].ends, 2)
        for row in rows
    )
    is_share = figure_name != "calibration_gap"
    title = TITLES[figure_name]
    reached = [end for row in rows if not row.too_few for end in _reach(row, figure_name)]
    reach = max([0.1, *map(abs, reached)])
    low = min([0.45, *(end - 0.03 for end in reached)]) if figure_name == "roc_auc" else -0.01
    across = (
        share_axis(
            title, range=[low, 1.01], dtick=0.1 if low > 0.3 else 0.5, tickformat=".1f", fixedrange=True, showgrid=True
        )
        if is_share
        else axis(title, range=[-1.1 * reach, 1.1 * reach], fixedrange=True, nticks=5, tickformat=".2~f")
    )
    chart = figure(
        traces,
        height=110 + 34 * len(rows),
        legend=gap is not None,
        margin={"l": 8, "r": 132, "t": 24, "b": 8 if gap is None else 48},
        annotations=beside(said),
        xaxis=across,
        yaxis=category_axis(titles, range=[len(rows) - 0.5, -0.5], ticktext=[label(title, 22) for title in titles]),
    )
    if not is_share:
        chart.add_vline(x=0, line={"color": NEUTRAL, "width": 1})
    elif overall is not None:
        chart.add_vline(x=overall, line={"color": NEUTRAL, "dash": "dash", "width": 1})
        chart.add_annotation(x=overall, y=1, yref="paper", yanchor="bottom", text="all images", showarrow=False)
    return chart


def _written(figure_name: str, value: float | None, ends: Sequence[float] | None, digits: int = 3) -> str:
    if figure_name != "calibration_gap" or value is None:
        return compact(value, ends, digits)
    return signed(value, digits) + (f" ({interval(ends, digits)})" if ends else "")


def _reach(row: Subgroup, figure_name: str) -> list[float]:
    found = row.figures[figure_name]
    return [end for end in (found.value, *(found.ends or ())) if end is not None]
