"""Charts of findings: every finding has its place, what is not defined says so, colours stay with their finding."""

import pytest

from cxr_core.charts.findings import TITLES, finding_curves, finding_figures, together
from tests.charts.finding_outcome import NAMES, PAIRS, REPORT


@pytest.mark.parametrize("key", TITLES)
def test_each_finding_has_a_row_with_its_figure_and_interval(key: str) -> None:
    order = list(reversed(NAMES))
    chart = finding_figures(REPORT, key, order)
    dots = chart.data[0]
    assert list(chart.layout.yaxis.ticktext) == order
    for x, row, low, high in zip(dots.x, dots.y, dots.error_x.arrayminus, dots.error_x.array, strict=True):
        name = order[row]
        assert x == REPORT["per_class"][name][key]
        ends = REPORT["ci"]["per_class"][name][key]
        if ends:
            assert (x - low, x + high) == pytest.approx((min(ends[0], x), max(ends[1], x)))
    texts = [note.text for note in chart.layout.annotations]
    missing = [name for name in order if REPORT["per_class"][name][key] is None]
    assert [text for text in texts if text == "–"] == ["–"] * len(missing)
    assert len(dots.x) == len(order) - len(missing)


def test_the_rare_finding_is_hollow_and_the_mean_is_drawn() -> None:
    chart = finding_figures(REPORT, "roc_auc")
    shown = dict(zip(chart.data[0].y, chart.data[0].marker.symbol, strict=True))
    assert shown == {0: "circle", 1: "circle", 2: "circle-open"}
    said = [note.text for note in chart.layout.annotations]
    assert f"macro {REPORT['macro_roc_auc']:.2f}" in said
    assert 0.5 in [shape.x0 for shape in chart.layout.shapes]
    assert not finding_figures(REPORT, "recall").layout.shapes
    assert "there in" in chart.data[0].hovertext[0]


def test_pairs_show_what_is_there_and_what_is_called() -> None:
    chart = together(PAIRS)
    there, called, alone = chart.data[1:]
    assert list(there.x) == [pair.there for pair in PAIRS]
    assert list(called.x) == [pair.called for pair in PAIRS]
    assert list(alone.x) == [pair.alone for pair in PAIRS]
    assert list(chart.layout.yaxis.ticktext) == [f"{pair.first}<br>+ {pair.second}" for pair in PAIRS]
    assert f"called together in {PAIRS[0].called} of {PAIRS[0].n}" in there.hovertext[0]


def test_a_curve_keeps_its_colour_whichever_are_chosen() -> None:
    epochs, macro = [1, 2, 3], [0.5, 0.6, 0.7]
    both = finding_curves(epochs, macro, {"Nodule": [0.5, None, 0.8], "Effusion": [0.6, 0.7, 0.4]}, NAMES, marked=2)
    one = finding_curves(epochs, macro, {"Effusion": [0.6, 0.7, 0.4]}, NAMES)
    assert both.data[2].line.color == one.data[1].line.color
    assert both.data[1].y[1] is None
    assert [shape.x0 for shape in both.layout.shapes if shape.x0 == shape.x1] == [2]
    assert both.layout.yaxis.range[0] < 0.4
    assert finding_curves([], [], {}, NAMES).data
