"""Bars with their intervals: whiskers that end where the interval ends, counts at hand, a dash where nothing is."""

from typing import Any

import numpy as np
import pytest

from cxr_core import charts
from cxr_core.charts.intervals import FIGURES
from tests.charts.outcome import CI, CLASSES, ONE_CI, ONE_REPORT, REPORT


def test_whiskers_end_where_the_interval_ends() -> None:
    chart = charts.interval_bars(REPORT, CI)
    for name, bar in zip(CLASSES, chart.data, strict=True):
        assert bar.name == name
        assert bar.marker.color == charts.class_colors(CLASSES)[name]
        ends = zip(bar.x, bar.error_x.arrayminus, bar.error_x.array, strict=True)
        for key, (value, below, above) in zip(FIGURES, ends, strict=True):
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
