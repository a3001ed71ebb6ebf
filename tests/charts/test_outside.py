"""Inside and outside are drawn where they are, and what is not defined is not drawn."""

from cxr_core.charts.outside import Row, inside_outside


def test_each_side_has_its_dots_and_whiskers() -> None:
    rows = [
        Row("Mean", (0.8, 0.7), ((0.7, 0.9), (0.6, 0.8)), ("", "")),
        Row("<b>Edema", (0.9, None), (None, None), ("there in 3 of 9 images", "there in 0 of 9 images")),
    ]
    chart = inside_outside(rows, "ROC AUC", 0.5)
    own, there = chart.data
    assert (list(own.x), list(there.x)) == ([0.8, 0.9], [0.7])
    assert there.error_x.array[0] == 0.8 - 0.7
    assert "3 of 9" in own.hovertext[1]
    assert chart.layout.yaxis.ticktext[1] == "&lt;b&gt;Edema"
    assert chart.layout.yaxis.range == (1.5, -0.5)
    low, high = chart.layout.xaxis.range
    assert low <= 0.45
    assert high > 1
