"""Two runs: their difference is seen against the line of none."""

import pytest

from cxr_core import charts
from tests.charts.outcome import PAIRED


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
