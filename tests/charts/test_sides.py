"""Inside and outside are drawn where they are, and what is not defined is not drawn."""

from cxr_core.charts.sides import Row, side_by_side


def test_each_side_has_its_dots_and_whiskers() -> None:
    rows = [
        Row("Mean", (0.8, 0.7), ((0.7, 0.9), (0.6, 0.8)), ("", "")),
        Row("<b>Edema", (0.9, None), (None, None), ("there in 3 of 9 images", "there in 0 of 9 images")),
    ]
    chart = side_by_side(rows, ("own test", "there"), "ROC AUC", 0.5)
    own, there = chart.data
    assert (list(own.x), list(there.x)) == ([0.8, 0.9], [0.7])
    assert there.error_x.array[0] == 0.8 - 0.7
    assert "3 of 9" in own.hovertext[1]
    assert chart.layout.yaxis.ticktext[1] == "&lt;b&gt;Edema"
    assert chart.layout.yaxis.range == (1.5, -0.5)
    low, high = chart.layout.xaxis.range
    assert low <= 0.45
    assert high > 1


def test_five_sides_are_told_apart_and_each_row_says_its_words() -> None:
    sides = ("this run", "without lungs", "middle alone", "shortcut", "source alone")
    row = Row("Edema", (0.9, 0.6, 0.8, None, 0.5), ((0.8, 0.95), (0.5, 0.7), None, None, None), ("",) * 5)
    chart = side_by_side([row, row], sides, "ROC AUC", 0.5, ["gone", "remains"])
    assert [trace.name for trace in chart.data] == list(sides)
    assert len({(trace.marker.color, trace.marker.symbol) for trace in chart.data}) == 5
    places = [trace.y[0] for trace in chart.data if trace.y]
    assert places == sorted(places)
    assert max(map(abs, places)) < 0.5
    assert [note.text for note in chart.layout.annotations] == ["gone", "remains"]
    assert chart.data[2].error_x.array is None
