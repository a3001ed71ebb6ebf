"""Curves of finished runs, and of several runs over each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.live import KINDS, SERIES, SERIES_COLORS, best_epoch, finite, thin
from cxr_core.charts.look import HOVER, NEUTRAL, PALETTE, axis, class_colors, figure, label, metric_axis, share_axis
from cxr_core.figures import of
from cxr_core.runs.records import Epoch

DASHES = ("solid", "dash", "dot", "dashdot")


def history_curve(history: Sequence[Epoch], metric: str) -> go.Figure:
    """``metric`` of train and validation by epoch, the best epoch marked; ``history`` as ``Run.history``."""
    traces = [_line(history, split, metric, series, color=SERIES_COLORS[series]) for split, series in SERIES.items()]
    chart = figure(traces, drag=True, xaxis=_epochs(len(history)), yaxis=metric_axis(metric))
    best = best_epoch(history)
    if best is not None:
        chart.add_vline(x=best, line={"color": NEUTRAL, "dash": "dash", "width": 1})
        chart.add_annotation(x=best, y=1, yref="paper", yanchor="bottom", text=f"best: {best}", showarrow=False)
    return chart


def curves(histories: Mapping[str, Sequence[Epoch]], metric: str, split: str = "val") -> go.Figure:
    """``metric`` of several runs over each other: ``{run's name: history}``, split ``train`` or ``val``."""
    traces = [
        _line(
            history,
            split,
            metric,
            name,
            color=PALETTE[k % len(PALETTE)],
            dash=DASHES[k // len(PALETTE) % len(DASHES)],
        )
        for k, (name, history) in enumerate(histories.items())
    ]
    last = max((len(history) for history in histories.values()), default=0)
    return figure(traces, height=360, drag=True, xaxis=_epochs(last), yaxis=metric_axis(metric))


def _line(history: Sequence[Epoch], split: str, metric: str, name: str, color: str, dash: str = "solid") -> go.Scatter:
    rows = thin(history, 1)
    best = best_epoch(history)
    values = [finite(row.part(split).figure(metric)) for row in rows]
    shown = {"loss": "%{y:.4f}", "area": "%{y:.3f}", "share": "%{y:.1%}"}[KINDS.get(metric, "share")]
    return go.Scatter(
        x=[row.epoch for row in rows],
        y=values,
        name=label(name, 48),
        mode="lines+markers",
        line={"color": color, "width": 2, "dash": dash},
        # Dots only where they can be told apart; the best epoch always has one.
        marker={
            "color": color,
            "opacity": 1,
            "size": [9 if row.epoch == best else 5 if len(rows) <= 60 else 0 for row in rows],
        },
        customdata=[label(name, 48)] * len(rows),
        hovertemplate=f"%{{customdata}}<br>epoch %{{x}}: {shown}<extra></extra>",
    )


def _epochs(last: int) -> dict[str, Any]:
    return axis(
        "Epoch", showgrid=False, range=[0.7, max(last, 2) + 0.3], **({"dtick": 1} if last <= 10 else {"nticks": 10})
    )


def recall_curve(history: Sequence[Epoch], classes: Sequence[str], epoch: int) -> go.Figure:
    """Recall of each class on validation by epoch, a dashed line at ``epoch``; ``history`` as ``Run.history``."""
    rows = thin(history, len(classes))
    colors = class_colors(classes)
    traces = []
    for k, name in enumerate(classes):
        counts = [row.val.confusion[k] for row in rows]
        traces.append(
            go.Scatter(
                x=[row.epoch for row in rows],
                y=[finite(row.val.recall.get(name)) for row in rows],
                name=label(name),
                mode="lines+markers" if len(rows) <= 60 else "lines",
                line={"color": colors[name], "width": 2},
                hovertext=[
                    f"{label(name)}, epoch {row.epoch}<br>{of(count[k], sum(count))}"
                    for row, count in zip(rows, counts, strict=True)
                ],
                hovertemplate=HOVER,
            )
        )
    chart = figure(traces, xaxis=_epochs(len(history)), yaxis=share_axis("Recall, validation", fixedrange=True))
    chart.add_vline(x=epoch, line={"color": NEUTRAL, "dash": "dash", "width": 1})
    return chart
