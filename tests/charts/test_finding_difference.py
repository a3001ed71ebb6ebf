"""Two runs finding by finding: a dot each, grey where the interval holds no difference."""

from cxr_core.charts.finding_difference import Row, finding_differences
from cxr_core.charts.look import NEUTRAL

ROWS: list[Row] = [
    ("sure", 0.1, [0.05, 0.15], "80 images"),
    ("open", -0.02, [-0.1, 0.06], "80 images"),
    ("none", None, None, "3 images"),
    ("alone", 0.2, None, "3 images"),
]


def test_a_difference_that_is_not_sure_is_grey() -> None:
    chart = finding_differences(ROWS, "ROC AUC, A less B", ("B", "A"))
    sure, grey = chart.data
    assert (list(sure.y), list(grey.y)) == ([0], [1, 3])
    assert grey.marker.color == NEUTRAL != sure.marker.color
    assert sure.hovertext[0] == "sure<br>+0.100, 95 % interval +0.050 to +0.150<br>80 images"
    assert "no interval" in grey.hovertext[1]
    assert chart.layout.xaxis.range[1] > 0.2
    assert [note.text for note in chart.layout.annotations] == ["← B better", "A better →"]
