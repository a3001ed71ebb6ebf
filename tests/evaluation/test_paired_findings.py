"""Two runs finding by finding: the differences are those of the runs alone, and the draws are the same for both."""

import numpy as np
import pytest

from cxr_core.evaluation.findings import judged
from cxr_core.evaluation.paired_findings import compared

NAMES = ("a", "b", "none there")
RNG = np.random.default_rng(0)
TRUTH = np.stack([RNG.random(200) < 0.4, RNG.random(200) < 0.2, np.zeros(200, bool)], axis=1)
KNOWN = RNG.random((200, 3)) < 0.8
FIRST = np.clip(0.3 * TRUTH + RNG.uniform(0, 0.7, (200, 3)), 0, 1)
SECOND = np.clip(0.1 * TRUTH + RNG.uniform(0, 0.9, (200, 3)), 0, 1)
PATIENTS = [f"p{k // 2}" for k in range(200)]
LIMITS = {"a": 0.4, "b": 0.6}


def test_each_figure_is_that_of_the_run_alone() -> None:
    found = compared(TRUTH, KNOWN, FIRST, SECOND, NAMES, LIMITS, {}, PATIENTS, resamples=50)
    alone = [judged(TRUTH, KNOWN, p, NAMES, limits, PATIENTS, 50) for p, limits in ((FIRST, LIMITS), (SECOND, {}))]
    assert (found.n, found.units, found.counted) == (200, 100, ("a", "b"))
    for k, finding in enumerate(found.findings):
        for name, difference in finding.figures.items():
            values = [report.findings[k].figures[name].value for report in alone]
            assert [difference.first, difference.second] == pytest.approx(values)
            if values[0] is not None and values[1] is not None:
                assert difference.difference == pytest.approx(values[0] - values[1])
        assert (finding.n, finding.positives) == (alone[0].findings[k].n, alone[0].findings[k].positives)
    assert found.macro_roc_auc.first == pytest.approx(alone[0].macro_roc_auc.value)
    assert found.macro_roc_auc.second == pytest.approx(alone[1].macro_roc_auc.value)


def test_a_run_does_not_differ_from_itself() -> None:
    found = compared(TRUTH, KNOWN, FIRST, FIRST, NAMES, LIMITS, LIMITS, PATIENTS, resamples=50)
    for finding in found.findings[:2]:
        assert all(one.difference == 0 and one.ends == [0, 0] and not one.is_sure for one in finding.figures.values())
    assert found.macro_roc_auc.ends == [0, 0]
    assert found.findings[2].few
    assert found.findings[2].figures["roc_auc"].difference is None


def test_turned_round_the_differences_turn_round() -> None:
    there = compared(TRUTH, KNOWN, FIRST, SECOND, NAMES, LIMITS, {}, PATIENTS, resamples=80)
    back = compared(TRUTH, KNOWN, SECOND, FIRST, NAMES, {}, LIMITS, PATIENTS, resamples=80)
    for one, other in zip(there.findings[:2], back.findings[:2], strict=True):
        for name, difference in one.figures.items():
            assert difference.ends is not None
            assert other.figures[name].ends == pytest.approx([-end for end in reversed(difference.ends)])


def test_pairing_is_narrower_than_the_two_intervals_apart() -> None:
    near = np.clip(FIRST + RNG.normal(0, 0.01, FIRST.shape), 0, 1)
    found = compared(TRUTH, KNOWN, FIRST, near, NAMES, LIMITS, LIMITS, PATIENTS, resamples=200)
    alone = judged(TRUTH, KNOWN, FIRST, NAMES, LIMITS, PATIENTS, 200)
    paired, single = found.findings[0].figures["roc_auc"].ends, alone.findings[0].figures["roc_auc"].ends
    assert paired is not None
    assert single is not None
    assert paired[1] - paired[0] < 0.5 * (single[1] - single[0])
