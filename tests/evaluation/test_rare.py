"""A class of three images: exact intervals against SciPy, and the coverage of what follows from them, simulated."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from cxr_core.evaluation.intervals import bootstrap, macro_f1_interval, paired, unpaired
from cxr_core.evaluation.rare import FEW, clopper_pearson, widened

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_interval_is_scipys(counts: tuple[int, int]) -> None:
    exact = binomtest(*counts).proportion_ci(method="exact")
    assert clopper_pearson(*counts) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_only_few_units_widen_and_never_narrow() -> None:
    assert widened([1.0, 1.0], 1.0, FEW) == [1.0, 1.0]
    assert widened([1.0, 1.0], 1.0, FEW - 1) == pytest.approx([binomtest(9, 9).proportion_ci().low, 1.0])
    assert widened([0.0, 1.0], 0.5, 4) == [0.0, 1.0]
    assert widened(None, 0.5, 4) is None


def issue() -> tuple[np.ndarray, np.ndarray]:
    """An external data set of 107, 3 and 2 images: 93 of 112 decided rightly, and none of the five."""
    true = np.repeat([0, 1, 2], [107, 3, 2])
    decided = np.zeros(112, dtype=int)
    decided[93:107] = 1
    return true, decided


def measured(true: np.ndarray, decided: np.ndarray, groups: list[str] | None = None) -> dict[str, Any]:
    probabilities = np.full((len(true), 3), 0.1) + 0.7 * np.eye(3)[decided]
    return bootstrap(true, probabilities, decided, CLASSES, {}, groups, resamples=500)


def test_three_images_that_are_all_wrong_promise_little() -> None:
    true, decided = issue()
    ci = measured(true, decided)
    assert ci["few"] == {"NORMAL": 3, "PNEUMONIA": 2}
    assert ci["accuracy"][0] > 0.75
    for name, images in ci["few"].items():
        exact = binomtest(0, images).proportion_ci(method="exact")
        assert ci["per_class"][name]["recall"] == pytest.approx([exact.low, exact.high])
    # Balanced accuracy is 0.290; a third of what either rare class may be is room that the interval must leave.
    low, high = ci["balanced_accuracy"]
    assert low <= 93 / 107 / 3 <= high
    assert high > (0.8 + binomtest(0, 2).proportion_ci().high) / 3
    assert ci["macro_f1"][1] - ci["macro_f1"][0] > 0.1
    assert macro_f1_interval(true, decided, 3, resamples=500) == ci["macro_f1"]


def test_images_of_one_patient_count_as_one() -> None:
    true, decided = issue()
    twice = np.repeat(np.arange(len(true)), 2)
    ci = measured(true[twice], decided[twice], [f"p{k}" for k in twice])
    assert ci["few"] == {"NORMAL": 3, "PNEUMONIA": 2}
    assert ci["per_class"]["NORMAL"]["recall"] == measured(true, decided)["per_class"]["NORMAL"]["recall"]


# Recall of each class (rows: where its images go), and how many images there are.
POPULATIONS = {
    "few and good": ([107, 3, 2], [[0.95, 0.03, 0.02], [0.1, 0.85, 0.05], [0.1, 0.1, 0.8]]),
    "few and bad": ([107, 3, 2], [[0.93, 0.04, 0.03], [0.7, 0.2, 0.1], [0.8, 0.1, 0.1]]),
    "one of three": ([50, 50, 3], [[0.99, 0.005, 0.005], [0.005, 0.99, 0.005], [0.03, 0.02, 0.95]]),
    "all few": ([5, 6, 7], [[0.9, 0.05, 0.05], [0.3, 0.6, 0.1], [0.5, 0.1, 0.4]]),
}


def collected(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    counts, rates = POPULATIONS[name]
    true = np.repeat(np.arange(3), counts)
    return true, np.concatenate([rng.choice(3, n, p=rates[k]) for k, n in enumerate(counts)])


def truly(name: str) -> dict[str, float]:
    """Balanced accuracy and macro F1 of the population that the images come from."""
    counts, rates = POPULATIONS[name]
    matrix = np.array(counts)[:, None] * np.array(rates)
    f1 = 2 * np.diag(matrix) / (matrix.sum(axis=0) + matrix.sum(axis=1))
    return {"balanced_accuracy": float(np.diag(rates).mean()), "macro_f1": float(f1.mean())}


@pytest.mark.parametrize("name", POPULATIONS)
def test_the_intervals_of_averages_cover(name: str) -> None:
    """95 of 100, less what 120 simulated test sets leave to chance. The bootstrap alone covers 50 to 95."""
    rng, simulations = np.random.default_rng(0), 120
    covered = dict.fromkeys(truth := truly(name), 0)
    for _ in range(simulations):
        true, decided = collected(name, rng)
        ci = bootstrap(true, np.eye(3)[decided], decided, CLASSES, {}, resamples=150)
        for figure, value in truth.items():
            covered[figure] += ci[figure][0] - 1e-9 <= value <= ci[figure][1] + 1e-9
    assert min(covered.values()) >= 0.91 * simulations, covered


def test_the_drop_between_two_data_sets_covers() -> None:
    rng, simulations = np.random.default_rng(1), 80
    names = ("one of three", "few and bad")
    drop = truly(names[0])["macro_f1"] - truly(names[1])["macro_f1"]
    covered = 0
    for _ in range(simulations):
        (true_a, a), (true_b, b) = (collected(name, rng) for name in names)
        low, high = unpaired((true_a, a, None), (true_b, b, None), 3, resamples=150)["macro_f1"]["ci"]
        covered += low <= drop <= high
    assert covered >= 0.91 * simulations


def test_two_runs_on_few_images_cover_their_difference() -> None:
    """Both decide by the same rates, apart: the truth is no difference."""
    rng, simulations, covered = np.random.default_rng(2), 80, 0
    for _ in range(simulations):
        true, a = collected("few and good", rng)
        _, b = collected("few and good", rng)
        found = paired(true, a, b, 3, resamples=150)
        assert found["few"] == [1, 2]
        covered += found["macro_f1_ci"][0] <= 0 <= found["macro_f1_ci"][1]
        covered += found["balanced_accuracy_ci"][0] <= 0 <= found["balanced_accuracy_ci"][1]
    assert covered >= 0.91 * 2 * simulations


def test_one_image_more_does_not_prove_the_better_run() -> None:
    true, a = issue()
    b = a.copy()
    a[107:110] = 1
    found = paired(true, a, b, 3)
    # Three of three against none of three: as sure as three throws of a coin can make anybody.
    assert found["balanced_accuracy_difference"] == pytest.approx(1 / 3)
    low, high = found["balanced_accuracy_ci"]
    assert low < 1 / 3 * (1 - 0.708 + 0.05) < 1 / 3 < high
    assert paired(true, b, b, 3)["macro_f1_ci"] == [0, 0]
    turned = paired(true, b, a, 3)
    assert turned["macro_f1_ci"] == pytest.approx([-found["macro_f1_ci"][1], -found["macro_f1_ci"][0]], abs=0.03)
