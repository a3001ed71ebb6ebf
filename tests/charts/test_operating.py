"""The operating point lies on its curves; predictive values at the chosen prevalence."""

import numpy as np
import pytest

from cxr_core import charts
from cxr_core.evaluation import metrics, operating
from tests.charts.outcome import CLASSES, CURVES, FLAT, NO_POINT, ONE, POINT, PROBABILITIES, TRUE


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
