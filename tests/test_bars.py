"""What is drawn of one answer: of coherent labels the leaves, which add up to one and of which the longest decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_core.bars import Bars, bars
from cxr_core.hierarchy import Coherent
from cxr_core.labels import Implied, decide

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
IMPLIED = {"COVID19": ("PNEUMONIA",)}
COHERENT = Coherent(CLASSES, IMPLIED)
SHARES = st.floats(0, 1)


def of(covid: float, pneumonia: float, implied: Implied, thresholds: dict[str, float]) -> Bars:
    """The answer with these shown probabilities, decided as a run decides it."""
    row = [covid, 1 - pneumonia, pneumonia]
    decision = CLASSES[decide(np.array([row]), CLASSES, implied, thresholds)[0]]
    return bars(dict(zip(CLASSES, row, strict=True)), decision, CLASSES, implied, thresholds)


@given(SHARES, SHARES)
def test_the_longest_bar_is_the_decision(c: float, pneumonia: float) -> None:
    shown = of(c * pneumonia, pneumonia, COHERENT, {})
    assert list(shown.values) == ["COVID19", "NORMAL", "PNEUMONIA without COVID19"]
    assert sum(shown.values.values()) == pytest.approx(1)
    assert shown.values[shown.decided] == max(shown.values.values())
    assert shown.whole == {"PNEUMONIA of any kind": pneumonia}
    assert shown.against == ()


@given(SHARES, SHARES, st.floats(0.01, 0.99))
def test_where_a_threshold_decides_otherwise_a_sentence_says_why(c: float, pneumonia: float, limit: float) -> None:
    shown = of(c * pneumonia, pneumonia, COHERENT, {"PNEUMONIA": limit, "NORMAL": 0.2})
    assert [part.name for part in shown.against] == ["PNEUMONIA"]
    assert (shown.decided != "NORMAL") == shown.against[0].reaches == (pneumonia >= limit)
    # The threshold is of two bars together.
    assert shown.limits == {}
    if shown.values[shown.decided] < max(shown.values.values()):
        assert "is more probable" in shown.reason


def test_in_words() -> None:
    shown = of(0.22, 0.62, COHERENT, {"COVID19": 0.2})
    assert shown.decided == "COVID19"
    assert shown.limits == {"COVID19": 0.2}
    assert shown.together == "PNEUMONIA of any kind: 62.0 %."
    assert shown.reason == (
        "PNEUMONIA without COVID19 is more probable (40 %), but COVID19 (22 %) reaches its threshold of 20 %."
    )


@pytest.mark.parametrize("implied", [{}, IMPLIED], ids=["single", "flat"])
def test_other_runs_show_what_they_showed(implied: dict[str, tuple[str, ...]]) -> None:
    thresholds = {"COVID19": 0.3, "NORMAL": 0.4, "PNEUMONIA": 0.6}
    shown = of(0.4, 0.5, implied, thresholds)
    assert shown.values == {"COVID19": 0.4, "NORMAL": 0.5, "PNEUMONIA": 0.5}
    assert (shown.reason, shown.together) == ("", "")
    # A label that means none of the findings has a threshold among classes, and none among labels.
    assert [part.name for part in shown.against] == [name for name in CLASSES if not implied or name != "NORMAL"]
