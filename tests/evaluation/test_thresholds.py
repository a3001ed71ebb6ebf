"""Thresholds on validation: what they are on many images, and what they cost on few, on synthetic scores."""

from typing import Literal

import numpy as np
import pytest
from scipy.stats import norm

from cxr_core.errors import ConfigError
from cxr_core.evaluation.thresholds import Rule, choose
from cxr_core.labels import choose_thresholds

GRID = np.linspace(-6, 9, 1501)


def drawn(rng: np.random.Generator, n: int, prevalence: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    truth = np.zeros((n, 1), dtype=bool)
    truth[: max(1, rng.binomial(n, prevalence))] = True
    return truth, 1 / (1 + np.exp(-(rng.normal(size=(n, 1)) + shift * truth)))


def worth(threshold: float | np.ndarray, prevalence: float, shift: float, by: str) -> np.ndarray:
    """F1 or J in the population that the scores come from."""
    place = np.log(threshold / (1 - np.asarray(threshold)))
    sensitivity, alarms = norm.sf(place, shift), norm.sf(place)
    if by == "youden":
        return np.asarray(sensitivity - alarms)
    right = sensitivity * prevalence
    return np.asarray(2 * right / (prevalence + right + alarms * (1 - prevalence)))


def sample(n: int, prevalence: float, shift: float, rule: Rule, seed: int = 0) -> float:
    truth, p = drawn(np.random.default_rng(seed), n, prevalence, shift)
    return choose(truth, truth | True, p, ["a"], rule)["a"].threshold


@pytest.mark.parametrize("by", ["f1", "youden"])
def test_on_many_images_it_is_the_best(by: Literal["f1", "youden"]) -> None:
    best = worth(1 / (1 + np.exp(-GRID)), 0.2, 2, by).max()
    assert worth(sample(50_000, 0.2, 2, Rule(by)), 0.2, 2, by) > best - 0.002


def test_on_few_images_it_loses_less_f1_than_the_best_of_them() -> None:
    rng, lost, lost_by_best = np.random.default_rng(0), [], []
    for n, prevalence in ((50, 0.1), (100, 0.05), (100, 0.3)):
        best = worth(1 / (1 + np.exp(-GRID)), prevalence, 1.5, "f1").max()
        for _ in range(40):
            truth, p = drawn(rng, n, prevalence, 1.5)
            ours = choose(truth, truth | True, p, ["a"], Rule())["a"].threshold
            # Single labels as implied ones that nothing implies: the rule of before.
            plain = choose_thresholds(
                np.where(truth[:, 0], 0, 1), np.column_stack([p[:, 0], 1 - p[:, 0]]), ["a", "b"], {"x": ()}
            )["a"]
            lost.append(best - worth(ours, prevalence, 1.5, "f1"))
            lost_by_best.append(best - worth(plain, prevalence, 1.5, "f1"))
    assert np.mean(lost) < 0.9 * np.mean(lost_by_best)


@pytest.mark.parametrize("wanted", [0.1, 0.7, 0.85, 0.9, 1.0])
def test_the_highest_threshold_that_reaches_a_sensitivity(wanted: float) -> None:
    truth, p = drawn(np.random.default_rng(1), 100, 0.1, 1)
    p = np.round(p, 2)
    threshold = choose(truth, truth | True, p, ["a"], Rule("sensitivity", wanted))["a"].threshold
    reached = [float((p[truth] >= t).mean()) for t in (threshold, np.nextafter(threshold, 1))]
    assert reached[0] >= wanted > reached[1]


def test_only_the_known_count() -> None:
    truth, p = drawn(np.random.default_rng(2), 120, 0.3, 1)
    known = np.random.default_rng(3).random((120, 1)) < 0.6
    for rule in (Rule(), Rule("youden"), Rule("sensitivity")):
        masked = choose(truth, known, np.where(known, p, np.nan), ["a"], rule)["a"]
        rows = known[:, 0]
        assert masked == choose(truth[rows], known[rows], p[rows], ["a"], rule)["a"]
        assert masked.positives == truth[known].sum()


def test_without_both_it_is_one_half() -> None:
    truth, p = drawn(np.random.default_rng(2), 20, 0.3, 1)
    for same in (truth & False, truth | True):
        chosen = choose(same, truth | True, p, ["a"], Rule())["a"]
        assert chosen.threshold == 0.5
        assert chosen.few


def test_apart_is_the_middle_of_the_gap() -> None:
    truth = np.array([[True]] * 20 + [[False]] * 20)
    p = np.where(truth, 0.8, 0.3)
    for rule in (Rule("f1"), Rule("youden")):
        # Between 0.3 and 0.8 all are equally good.
        assert choose(truth, truth | True, p, ["a"], rule)["a"].threshold == pytest.approx(0.55)


def test_a_sensitivity_out_of_range_is_told() -> None:
    with pytest.raises(ConfigError, match=r"90 % is 0\.9"):
        Rule("sensitivity", 90)
