"""Subgroups: a dot each, those that are too small say so, the two of the largest gap in a colour of their own."""

import pytest

from cxr_core.charts.subgroups import TITLES, subgroup_dots
from cxr_core.evaluation.subgroups import subgroups
from tests.charts.finding_outcome import KNOWN, LIMITS, NAMES, PATIENTS, TRUTH, P

SEX = ["F" if k % 3 else "M" for k in range(300)]
VIEW = ["AP" if k < 4 else "PA" for k in range(300)]
FOUND = subgroups(TRUTH, KNOWN, P, NAMES, LIMITS, {"sex": SEX, "view": VIEW}, PATIENTS, resamples=50)
ROWS = [row for row in FOUND.rows if row.finding == "Nodule"]


@pytest.mark.parametrize("name", TITLES)
def test_each_subgroup_has_a_row(name: str) -> None:
    gap = next((gap for gap in FOUND.gaps if (gap.finding, gap.by, gap.figure) == ("Nodule", "sex", name)), None)
    chart = subgroup_dots(ROWS, name, 0.8, gap)
    assert list(chart.layout.yaxis.ticktext) == ["sex: F", "sex: M", "view: AP", "view: PA"]
    plain, apart = chart.data
    assert list(apart.y) == ([0, 1] if gap else [])
    assert sorted([*plain.y, *apart.y]) == [0, 1, 3]
    texts = [note.text for note in chart.layout.annotations]
    assert texts[2] == "too few to say"
    for row, x in (*zip(plain.y, plain.x, strict=True), *zip(apart.y, apart.x, strict=True)):
        assert x == ROWS[row].figures[name].value


def test_the_calibration_gap_has_a_sign_and_the_line_of_none() -> None:
    chart = subgroup_dots(ROWS, "calibration_gap", 0.8)
    low, high = chart.layout.xaxis.range
    assert low == -high
    assert chart.layout.annotations[0].text[0] in "+−"
    assert chart.layout.shapes[0].x0 == 0
