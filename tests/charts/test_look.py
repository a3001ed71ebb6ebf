"""Every chart of a run's figures suits a light and a dark theme, and has room for its own labels."""

import json
from collections.abc import Callable

import plotly.graph_objects as go
import pytest

from cxr_core import charts
from cxr_core.charts import look
from cxr_core.evaluation import intervals, metrics
from tests.charts.outcome import (
    AFTER,
    BEFORE,
    CI,
    CLASSES,
    CURVES,
    FLAT,
    NO_POINT,
    ONE,
    ONE_CI,
    ONE_REPORT,
    PAIRED,
    POINT,
    REPORT,
)

SEEN = {**REPORT, "source": "a <b>", "right": 1, "ci": CI}

FIGURES: dict[str, Callable[[], go.Figure]] = {
    "intervals": lambda: charts.interval_bars(REPORT, CI),
    "intervals of one image": lambda: charts.interval_bars(ONE_REPORT, ONE_CI),
    "scores": lambda: charts.score_bars(["a <b>", "b"], [0.7, 0.4], [(0.6, 0.8), None], ["9 images"] * 2, 0.33),
    "difference": lambda: charts.paired_difference(PAIRED, "a <b>", "b"),
    "difference on one image": lambda: charts.paired_difference(intervals.paired([0], [0], [0], 2, resamples=5)),
    "scores by set": lambda: charts.scores_by_set([{**REPORT, "name": "a <b>", "right": 1, "ci": CI}]),
    "scores of one image": lambda: charts.scores_by_set([{**ONE_REPORT, "name": "", "right": 1, "ci": ONE_CI}]),
    "left-out sources": lambda: charts.left_out([SEEN], [SEEN, {**SEEN, "source": "never seen"}]),
    "reliability": lambda: charts.reliability(BEFORE, CLASSES),
    "reliability before and after": lambda: charts.reliability(BEFORE, CLASSES, AFTER),
    "reliability of one class": lambda: charts.reliability(BEFORE, ["NORMAL"], AFTER),
    "roc": lambda: charts.operating_curves(CURVES, "COVID19", POINT)[0],
    "precision-recall": lambda: charts.operating_curves(CURVES, "COVID19", POINT)[1],
    "no curve": lambda: charts.operating_curves(metrics.curves(ONE, FLAT, CLASSES, {}), "COVID19", NO_POINT)[0],
    "predictive values": lambda: charts.predictive_values(0.9, 0.95, 0.01),
    "no predictive values": lambda: charts.predictive_values(None, 0.95, 0.01),
    "predictive values of a test that never fires": lambda: charts.predictive_values(0.0, 1.0, 0.5),
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES.keys())
def test_every_figure_suits_both_themes(make: Callable[[], go.Figure]) -> None:
    chart = json.loads(make().to_json())
    layout = chart["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == look.TRANSPARENT
    axes = [part for name, part in layout.items() if name.startswith(("xaxis", "yaxis"))]
    assert all(axis["automargin"] for axis in axes)
    for part in [*chart["data"], *axes, *layout.get("annotations", [])]:
        for font in ("font", "textfont", "tickfont"):
            assert "color" not in part.get(font, {}), "the theme sets font colours"
