"""Curves of a run that is still training: a long data frame and the Vega-Lite specification that draws it.

The specification never changes while a run trains, only the frame grows; that, and the interval parameter ``z``
bound to the scales, is what keeps the reader's zoom::

    frame, spec = live_curve(run.history, "loss")
    st.vega_lite_chart(frame, spec, key=f"loss-{run.id}", on_select="rerun", selection_mode=["z"])
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd

from cxr_core.charts.look import METRIC_TITLES, NEUTRAL, PALETTE, class_colors
from cxr_core.figures import of
from cxr_core.runs.records import Epoch

MAX_POINTS = 1000
SERIES = {"train": "train", "val": "validation"}
SERIES_COLORS = {"train": NEUTRAL, "validation": PALETTE[1]}
# Of a findings' area under the ROC curve one half is a guess: it is drawn as a number, from where the curves begin.
Kind = Literal["loss", "share", "area"]
KINDS: dict[str, Kind] = {"loss": "loss", "macro_roc_auc": "area"}
COLUMNS = ["epoch", "series", "value", "images", "best"]


def live_curve(
    history: Sequence[Epoch], metric: str, splits: Sequence[str] = tuple(SERIES)
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """``metric`` (loss, accuracy, macro_f1, ...) by epoch; ``splits``: those in which it is counted, train and val.

    The frame has the columns epoch, series, value, images ("" here) and best, at most MAX_POINTS rows; values that
    are missing or not finite leave a gap. ``history`` may be empty.
    """
    best = best_epoch(history)
    shown = {split: SERIES[split] for split in splits}
    colors = {series: SERIES_COLORS[series] for series in shown.values()}
    rows = [
        _point(row.epoch, series, value, "", best)
        for row in thin(history, len(SERIES))
        for split, series in shown.items()
        if (value := finite(row.part(split).figure(metric))) is not None
    ]
    return _frame(rows), _spec(METRIC_TITLES.get(metric, metric), colors, KINDS.get(metric, "share"))


def live_recall(history: Sequence[Epoch], classes: Sequence[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Recall of each class on validation by epoch; as ``live_curve``, with the images counted in ``images``."""
    best = best_epoch(history)
    rows = []
    for row in thin(history, len(classes)):
        validation = row.val
        for k, name in enumerate(classes):
            value = finite(validation.recall.get(name))
            if value is None:
                continue
            counts = validation.confusion[k]
            images = of(counts[k], sum(counts))
            rows.append(_point(row.epoch, name, value, images, best))
    return _frame(rows), _spec("Recall, validation", class_colors(classes), "share")


def live_areas(
    history: Sequence[Epoch], names: Sequence[str], shown: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """ROC AUC on validation by epoch of the findings that are ``shown``, of all ``names``; as ``live_curve``."""
    best, colors = best_epoch(history), class_colors(names)
    rows = [
        _point(row.epoch, name, value, "", best)
        for row in thin(history, len(shown))
        for name in shown
        if (value := finite(row.val.roc_auc.get(name))) is not None
    ]
    return _frame(rows), _spec("ROC AUC, validation", {name: colors[name] for name in shown}, "area")


def best_epoch(history: Sequence[Epoch]) -> int | None:
    """The epoch whose weights are kept: the last one marked best."""
    return next((row.epoch for row in reversed(history) if row.best), None)


def finite(value: float | None) -> float | None:
    """The value as a float, or None where it is missing, infinite or not a number (a diverged loss)."""
    return float(value) if value is not None and math.isfinite(value) else None


def thin(history: Sequence[Epoch], series: int) -> list[Epoch]:
    """Every n-th epoch, so that ``series`` curves have at most MAX_POINTS points; first, last and best are kept."""
    limit = max(MAX_POINTS // max(series, 1), 3)
    if len(history) <= limit:
        return list(history)
    stride = math.ceil(len(history) / (limit - 2))
    best = best_epoch(history)
    return [row for i, row in enumerate(history) if i % stride == 0 or i == len(history) - 1 or row.epoch == best]


def _point(epoch: int, series: str, value: float, images: str, best: int | None) -> dict[str, Any]:
    return {"epoch": epoch, "series": series, "value": value, "images": images, "best": epoch == best}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"epoch": "int64", "series": "object", "value": "float64", "images": "object", "best": "bool"}
    )


def _spec(title: str, colors: dict[str, str], kind: Kind) -> dict[str, Any]:
    share = kind == "share"
    scale = {"domain": [0, 1]} if share else {"zero": False}
    axis_format = {"loss": "~g", "share": ".0%", "area": ".2f"}[kind]
    value_format = {"loss": ".4f", "share": ".1%", "area": ".3f"}[kind]
    # Good curves are high: the end of the scale that they leave free is the lower one, but for a loss.
    low = kind != "loss"
    areas = kind == "area"
    x = {
        "field": "epoch",
        "type": "quantitative",
        "title": "Epoch",
        "axis": {"tickMinStep": 1, "tickCount": 8, "format": "d", "grid": False},
        "scale": {"zero": False, "nice": False, "padding": 10},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "title": title,
        "axis": {"format": axis_format, "tickCount": 5},
        "scale": scale,
    }
    color = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": list(colors), "range": list(colors.values())},
        # Names of many findings do not fit into one line.
        "legend": {"orient": "bottom", "title": None, **({"columns": 2, "labelLimit": 140} if areas else {})},
    }
    tooltip = [
        {"field": "series", "type": "nominal", "title": "Series"},
        {"field": "epoch", "type": "quantitative", "title": "Epoch", "format": "d"},
        {"field": "value", "type": "quantitative", "title": title, "format": value_format},
        {"field": "images", "type": "nominal", "title": "Images"},
    ]
    best = [{"filter": "datum.best"}, {"aggregate": [{"op": "max", "field": "epoch", "as": "epoch"}]}]
    best_x = {"field": "epoch", "type": "quantitative"}
    return {
        "height": 320,
        "background": "transparent",
        "params": [
            {
                "name": "z",
                "select": {"type": "interval", "encodings": ["x"]},
                "bind": "scales",
                # In a layered chart the parameter belongs to one layer, or Vega defines its signals twice.
                "views": ["lines"],
            }
        ],
        "layer": [
            {
                "name": "lines",
                "mark": {"type": "line", "strokeWidth": 2, "clip": True},
                "encoding": {"x": x, "y": y, "color": color},
            },
            {
                "mark": {"type": "rule", "strokeDash": [4, 4], "color": NEUTRAL, "clip": True},
                "transform": best,
                "encoding": {"x": best_x},
            },
            {
                # Inside the plot and clipped: a text that is zoomed out of view must not take room beside the plot.
                # At the end of the scale that good curves leave free, on the side of the line that has more room.
                "mark": {
                    "type": "text",
                    "color": NEUTRAL,
                    "baseline": "bottom" if low else "top",
                    "align": {"expr": "datum.late ? 'right' : 'left'"},
                    "dx": {"expr": "datum.late ? -5 : 5"},
                    "dy": -4 if low else 4,
                    "clip": True,
                },
                "transform": [
                    {"joinaggregate": [{"op": "max", "field": "epoch", "as": "last"}]},
                    {"filter": "datum.best"},
                    {"aggregate": [{"op": "max", "field": f, "as": f} for f in ("epoch", "last")]},
                    {"calculate": "datum.epoch * 2 > datum.last", "as": "late"},
                    {"calculate": "'best: ' + datum.epoch", "as": "text"},
                ],
                "encoding": {
                    "x": best_x,
                    "y": {"value": {"expr": "height"} if low else 0},
                    "text": {"field": "text", "type": "nominal"},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 28, "opacity": 1, "clip": True},
                "encoding": {"x": x, "y": y, "color": color, "tooltip": tooltip},
            },
        ],
    }
