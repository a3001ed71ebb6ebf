"""What a reader of the charts of trust relies on: intervals where they are, points on their curves, counts at hand."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from cxr_core import charts
from cxr_core.charts import intervals as bars
from cxr_core.charts import look
from cxr_core.evaluation import calibration, intervals, metrics, operating

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
TRUE = np.random.default_rng(0).integers(0, 3, 120)
LOGITS = np.random.default_rng(1).normal(0, 2, (120, 3)) + 2 * np.eye(3)[TRUE]
PROBABILITIES = calibration.calibrate(LOGITS, 1, {})
DECISIONS = LOGITS.argmax(axis=1)
REPORT = metrics.report(TRUE, PROBABILITIES, DECISIONS, CLASSES, {})
CURVES = metrics.curves(TRUE, PROBABILITIES, CLASSES, {})
CI = intervals.bootstrap(TRUE, PROBABILITIES, DECISIONS, CLASSES, {}, resamples=100)
PAIRED = intervals.paired(TRUE, DECISIONS, np.ones(120, dtype=int), 3, resamples=100)
BEFORE = calibration.reliability(PROBABILITIES, TRUE, CLASSES, {})
AFTER = calibration.reliability(calibration.calibrate(LOGITS, 2, {}), TRUE, CLASSES, {})
POINT = operating.at_threshold(TRUE == 0, PROBABILITIES[:, 0], 0.4)

# The report and the intervals of a test set without one class, of one image.
ONE, FLAT = [1], np.full((1, 3), 0.3)
ONE_REPORT, ONE_CI = (
    metrics.report(ONE, FLAT, ONE, CLASSES, {}),
    intervals.bootstrap(ONE, FLAT, ONE, CLASSES, {}, resamples=5),
)
NO_POINT = operating.at_threshold([False], [0.3], 0.5)

FIGURES: dict[str, Callable[[], go.Figure]] = {
    "intervals": lambda: charts.interval_bars(REPORT, CI),
    "intervals of one image": lambda: charts.interval_bars(ONE_REPORT, ONE_CI),
    "scores": lambda: charts.score_bars(["a <b>", "b"], [0.7, 0.4], [(0.6, 0.8), None], ["9 images"] * 2, 0.33),
    "difference": lambda: charts.paired_difference(PAIRED, "a <b>", "b"),
    "difference on one image": lambda: charts.paired_difference(intervals.paired([0], [0], [0], 2, resamples=5)),
    "scores by set": lambda: charts.scores_by_set([{**REPORT, "name": "a <b>", "right": 1, "ci": CI}]),
    "scores of one image": lambda: charts.scores_by_set([{**ONE_REPORT, "name": "", "right": 1, "ci": ONE_CI}]),
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


def test_whiskers_end_where_the_interval_ends() -> None:
    chart = charts.interval_bars(REPORT, CI)
    for name, bar in zip(CLASSES, chart.data, strict=True):
        assert bar.name == name
        assert bar.marker.color == charts.class_colors(CLASSES)[name]
        ends = zip(bar.x, bar.error_x.arrayminus, bar.error_x.array, strict=True)
        for key, (value, below, above) in zip(bars.FIGURES, ends, strict=True):
            assert value == pytest.approx(REPORT["per_class"][name][key])
            assert [value - below, value + above] == pytest.approx(CI["per_class"][name][key])
    figures = REPORT["per_class"]["COVID19"]
    low, high = CI["per_class"]["COVID19"]["recall"]
    assert chart.layout.annotations[0].text == f"{figures['recall']:.2f} ({low:.2f}–{high:.2f})"
    hits = REPORT["one_vs_rest"]["COVID19"][1][1]
    assert f"{hits} of {figures['support']} that are COVID19" in chart.data[0].hovertext[0]
    assert len(charts.interval_bars(REPORT, CI, ("recall", "f1")).data[0].x) == 2


def test_rows_of_a_chart_never_lie_on_each_other() -> None:
    chart = charts.interval_bars(REPORT, CI)
    rows = sorted(y for bar in chart.data for y in bar.y)
    assert min(np.diff(rows)) >= max(bar.width for bar in chart.data)


def test_what_is_not_defined_has_a_dash_and_no_bar() -> None:
    chart = charts.interval_bars(ONE_REPORT, ONE_CI)
    absent, present, _ = chart.data
    assert absent.x[0] is None
    assert absent.hovertext[0].endswith("0 of 0 that are COVID19<br>no interval: fewer than two patients")
    assert present.x[0] == 1
    assert set(present.error_x.array) == {0}
    texts = [annotation.text for annotation in chart.layout.annotations]
    assert "–" in texts
    assert "1.00" in texts


def test_an_interval_that_is_a_point_is_explained() -> None:
    ci: dict[str, Any] = {"per_class": {name: {"recall": [1.0, 1.0]} for name in CLASSES}}
    assert (
        "1.00 in every resample: nothing else was seen"
        in charts.interval_bars(REPORT, ci, ["recall"]).data[0].hovertext[0]
    )


def test_a_difference_is_seen_against_the_line_of_none() -> None:
    chart = charts.paired_difference(PAIRED, "first", "second")
    (dots,) = chart.data
    # The balanced figures first.
    names = ("macro_f1", "balanced_accuracy", "accuracy")
    assert list(dots.x) == [PAIRED[f"{name}_difference"] for name in names]
    assert dots.x[2] + dots.error_x.array[2] == pytest.approx(PAIRED["ci"][1])
    (line,) = chart.layout.shapes
    assert line.x0 == line.x1 == 0
    low, high = chart.layout.xaxis.range
    assert low == -high
    assert high > PAIRED["ci"][1]
    left, right = chart.layout.annotations
    assert left.text == "← second better"
    assert right.text == "first better →"


def test_reliability_shows_each_bin_with_its_count() -> None:
    chart = charts.reliability(BEFORE, CLASSES, AFTER)
    drawn = [trace for trace in chart.data if trace.mode == "lines+markers"]
    assert len(drawn) == 6
    assert {trace.line.dash for trace in drawn} == {"dot", "solid"}
    for trace, points in zip(drawn[:2], (BEFORE["COVID19"], AFTER["COVID19"]), strict=True):
        assert list(trace.x) == points["confidence"]
        assert list(trace.y) == points["observed"]
        assert all(text.endswith(f"of {n}") for text, n in zip(trace.hovertext, points["count"], strict=True))
    assert [annotation.text for annotation in chart.layout.annotations] == CLASSES
    assert [trace.name for trace in chart.data if trace.showlegend is None and trace.name] == ["before", "after"]
    assert not charts.reliability(BEFORE, CLASSES).layout.showlegend


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7])
def test_panels_lie_beside_and_below_each_other(number: int) -> None:
    names = [f"class {k}" for k in range(number)]
    chart = charts.reliability(dict.fromkeys(names, BEFORE["NORMAL"]), names)
    layout = json.loads(chart.to_json())["layout"]
    boxes = [
        (layout[f"xaxis{k or ''}"]["domain"], layout[f"yaxis{k or ''}"]["domain"])
        for k in [None, *range(2, number + 1)]
    ]
    assert all(-1e-9 <= low < high <= 1 + 1e-9 for box in boxes for low, high in box)
    for i, (across, down) in enumerate(boxes):
        for others_across, others_down in boxes[:i]:
            apart = across[0] > others_across[1] or down[1] < others_down[0]
            assert apart, "each next panel is right of or below those before"


def test_the_operating_point_lies_on_both_curves() -> None:
    for kind, chart in zip(("roc", "pr"), charts.operating_curves(CURVES, "COVID19", POINT), strict=True):
        mark, line = chart.data[-1], chart.data[-2]
        x, y = mark.x[0], mark.y[0]
        along, up = np.array(line.x), np.array(line.y)
        if kind == "roc":
            assert (x, y) == pytest.approx((1 - POINT["specificity"], POINT["sensitivity"]))
        else:
            assert (x, y) == pytest.approx((POINT["sensitivity"], POINT["ppv"]))
        # Between two neighbouring points of the curve, in the box that they span.
        low, high = np.minimum(along[1:], along[:-1]) - 1e-9, np.maximum(along[1:], along[:-1]) + 1e-9
        under, over = np.minimum(up[1:], up[:-1]) - 1e-9, np.maximum(up[1:], up[:-1]) + 1e-9
        assert ((low <= x) & (x <= high) & (under <= y) & (y <= over)).any()
        assert f"sensitivity: {POINT['tp']} of {POINT['tp'] + POINT['fn']}" in mark.hovertext[0]
        assert mark.name == "threshold 0.400"


def test_a_label_without_positives_has_no_point_and_says_why() -> None:
    for chart in charts.operating_curves(metrics.curves(ONE, FLAT, CLASSES, {}), "COVID19", NO_POINT):
        assert chart.data[-1].name == "COVID19: not defined (0 of 1 positive)"


def test_a_point_that_calls_nobody_has_no_precision_to_mark() -> None:
    point = operating.at_threshold(TRUE == 0, PROBABILITIES[:, 0], 1.0)
    roc, pr = charts.operating_curves(CURVES, "COVID19", point)
    assert (roc.data[-1].x[0], roc.data[-1].y[0]) == (0, 0)
    assert pr.data[-1].name == "COVID19"


def test_predictive_values_mark_the_chosen_prevalence() -> None:
    chart = charts.predictive_values(0.9, 0.95, 0.01)
    ppv, mark, npv, _ = chart.data
    assert ppv.name == "Positive predictive value: 15.4 %"
    assert npv.name == "Negative predictive value: 99.9 %"
    assert (mark.x[0], mark.y[0]) == pytest.approx((0.01, 90 / 585))
    assert mark.hovertext[0].endswith("at a prevalence of 1 %, among 1,000 patients:<br>right in 9 of 59")
    assert chart.layout.shapes[0].x0 == 0.01
    assert (min(ppv.x), max(ppv.x)) == (0, 1)
    assert all(np.diff(ppv.y) > 0)
    assert all(np.diff(npv.y) < 0)


def test_predictive_values_without_a_sensitivity_say_so() -> None:
    chart = charts.predictive_values(None, 0.9, 0.1)
    assert [trace.name for trace in chart.data] == [
        "Positive predictive value: not defined",
        "Negative predictive value: not defined",
    ]
