"""Reliability: each bin with its count, panels that do not cover each other."""

import json

import pytest

from cxr_core import charts
from tests.charts.outcome import AFTER, BEFORE, CLASSES


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
    alone = charts.reliability(BEFORE, CLASSES)
    assert not alone.layout.showlegend
    assert {trace.line.dash for trace in alone.data if trace.mode == "lines+markers"} == {"solid"}


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
