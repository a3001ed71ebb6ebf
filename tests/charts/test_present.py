"""The bars of one image: what reaches its threshold stands first, whatever the probability."""

from cxr_core.charts.present import SHOWN, by_threshold, present_bars

P = {"a": 0.9, "b": 0.3, "c": 0.6, "d": 0.2, "e": 0.05}
LIMITS = {"a": 0.95, "b": 0.25, "c": 0.5, "d": 0.3}


def test_those_that_fire_come_first_then_the_nearest_to_their_threshold() -> None:
    assert by_threshold(P, LIMITS) == ["c", "b", "a", "d", "e"]


def test_bars_and_ticks_stand_in_that_order() -> None:
    chart = present_bars(P, LIMITS, true=["b", "e"])
    bars, ticks = chart.data
    assert list(bars.x) == [0.6, 0.3, 0.9, 0.2, 0.05]
    assert list(ticks.x) == [0.5, 0.25, 0.95, 0.3, 0.5]
    assert list(chart.layout.yaxis.ticktext) == ["<b>c</b>", "<b>● b</b>", "a", "d", "● e"]
    assert "reaches its threshold of 0.250" in bars.hovertext[1]
    assert len({bars.marker.color[0], bars.marker.color[1]}) == 1 != len(set(bars.marker.color))


def test_of_many_findings_those_that_matter_are_shown() -> None:
    many = {f"f{k}": 0.01 * k for k in range(60)}
    chart = present_bars(many, dict.fromkeys(many, 0.58), true=["f0"])
    assert len(chart.data[0].x) == SHOWN + 1
    assert chart.layout.yaxis.ticktext[-1] == "● f0"
