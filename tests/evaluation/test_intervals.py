"""Intervals against a plain loop over scikit-learn with the same draws, and against SciPy's own bootstrap."""

import json
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference
from scipy import stats

from cxr_core.errors import ConfigError, DatasetError, RunError
from cxr_core.evaluation import intervals, metrics, resampling
from cxr_core.evaluation.intervals import bootstrap, macro_f1_interval, paired
from cxr_core.labels import targets

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
IMPLIED = {"COVID19": ("PNEUMONIA",)}
OVERALL = ("accuracy", "balanced_accuracy", "macro_f1")
FIGURES = ("recall", "specificity", "precision", "f1", "roc_auc", "average_precision")


def outcome(n: int, seed: int = 0, levels: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, probabilities with ties, decisions that are better than chance."""
    rng = np.random.default_rng(seed)
    true = rng.choice(3, n, p=[0.2, 0.5, 0.3])
    scores = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[true]
    probabilities = np.round(np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True) * levels) / levels
    return true, probabilities, scores.argmax(axis=1)


def drawn_images(groups: Sequence[str], resamples: int, seed: int) -> list[np.ndarray]:
    """The images of each resample: patients drawn with replacement, each with all of his or her images."""
    named = sorted({name for name in groups if name})
    members = [np.flatnonzero(np.asarray(groups) == name) for name in named]
    members += [np.array([i]) for i, name in enumerate(groups) if not name]
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(members), size=(resamples, len(members)))
    return [np.concatenate([members[k] for k in row]) for row in picks]


def by_hand(true: np.ndarray, p: np.ndarray, decided: np.ndarray, implied: dict[str, Any]) -> dict[str, float]:
    """Every figure of one resample, by scikit-learn; NaN where it is not defined."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {
            "accuracy": reference.accuracy_score(true, decided),
            "balanced_accuracy": reference.balanced_accuracy_score(true, decided),
            "macro_f1": reference.f1_score(true, decided, average="macro"),
        }
        truth = targets(true, CLASSES, implied)
        for k, name in enumerate(CLASSES):
            is_k, says_k = true == k, decided == k
            both = truth[:, k].any() and not truth[:, k].all()
            found |= {
                f"{name} recall": reference.recall_score(is_k, says_k, zero_division=np.nan),
                f"{name} specificity": reference.recall_score(~is_k, ~says_k, zero_division=np.nan),
                f"{name} precision": reference.precision_score(is_k, says_k, zero_division=np.nan),
                f"{name} f1": reference.f1_score(is_k, says_k, zero_division=np.nan),
                f"{name} roc_auc": reference.roc_auc_score(truth[:, k], p[:, k]) if both else np.nan,
                f"{name} average_precision": (
                    reference.average_precision_score(truth[:, k], p[:, k]) if both else np.nan
                ),
            }
    return found


@pytest.mark.parametrize("implied", [{}, IMPLIED], ids=["single", "implied"])
@pytest.mark.parametrize("grouped", ["images", "patients", "some patients"])
def test_intervals_equal_an_independent_bootstrap(
    implied: dict[str, Any], grouped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small parts, so that the draws run over several of them.
    monkeypatch.setattr(resampling, "CHUNK", 120 * 7)
    true, p, decided = outcome(120)
    rng = np.random.default_rng(1)
    groups = [f"patient {k}" for k in rng.integers(0, 60, 120)]
    if grouped != "patients":
        groups = ["" if grouped == "images" or i % 3 else name for i, name in enumerate(groups)]
    ci = bootstrap(true, p, decided, CLASSES, implied, groups, resamples=60, seed=5)
    # Ten patients of each class at least: tests/evaluation/test_rare.py is about fewer.
    assert ci["few"] == {}
    rows = [by_hand(true[i], p[i], decided[i], implied) for i in drawn_images(groups, 60, 5)]
    for name in rows[0]:
        expected = np.nanpercentile([row[name] for row in rows], [2.5, 97.5])
        where, _, figure = name.rpartition(" ")
        assert (ci["per_class"][where] if where else ci)[figure] == pytest.approx(list(expected), abs=1e-12), name
    assert ci["grouped"] == sum(map(bool, groups))
    assert ci["groups"] == len(set(groups) - {""}) + groups.count("")
    if grouped == "images":
        assert bootstrap(true, p, decided, CLASSES, implied, None, resamples=60, seed=5) == ci


@pytest.mark.parametrize("figure", ["roc_auc", "average_precision"])
def test_weighted_areas_equal_scikit_learn_with_sample_weight(figure: str) -> None:
    true, p, decided = outcome(80, levels=5)
    weights = np.random.default_rng(2).multinomial(80, np.full(80, 1 / 80), size=1)[0]
    area = {"roc_auc": reference.roc_auc_score, "average_precision": reference.average_precision_score}[figure]
    for k in range(3):
        weighted = area(true == k, p[:, k], sample_weight=weights)
        again = np.repeat(np.arange(80), weights)
        report = metrics.report(true[again], p[again], decided[again], CLASSES, {})
        assert report["per_class"][CLASSES[k]][figure] == pytest.approx(weighted)
    # One resample is a point: low and high are that very figure.
    ci = bootstrap(true, p, decided, CLASSES, {}, resamples=1, seed=3)
    counts = np.bincount(np.random.default_rng(3).integers(80, size=80), minlength=80)
    for k, name in enumerate(CLASSES):
        expected = area(true == k, p[:, k], sample_weight=counts)
        assert ci["per_class"][name][figure] == pytest.approx([expected, expected])


def test_accuracy_agrees_with_scipys_bootstrap() -> None:
    true, p, decided = outcome(220)
    ours = bootstrap(true, p, decided, CLASSES, {}, resamples=9999)["accuracy"]
    right = (true == decided).astype(float)
    theirs = stats.bootstrap(
        (right,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert ours == pytest.approx([theirs.low, theirs.high], abs=1.5 / 220)


def test_patients_with_alike_images_widen_the_interval() -> None:
    true, p, decided = outcome(50)
    several = np.repeat(np.arange(50), 4)
    groups = [f"p{k}" for k in several]
    images = bootstrap(true[several], p[several], decided[several], CLASSES, {})
    patients = bootstrap(true[several], p[several], decided[several], CLASSES, {}, groups)
    assert (images["groups"], patients["groups"]) == (200, 50)
    for figure in OVERALL:
        widths = [ci[figure][1] - ci[figure][0] for ci in (images, patients)]
        assert widths[1] == pytest.approx(2 * widths[0], rel=0.2), "four copies of an image are one image"
    # Copies change no figure, so they must not change the interval either.
    assert patients["per_class"] == bootstrap(true, p, decided, CLASSES, {}, [f"p{k}" for k in range(50)])["per_class"]


@pytest.mark.parametrize("seed", range(3))
def test_intervals_hold_the_figure_and_are_plain_json(seed: int) -> None:
    true, p, decided = outcome(120, seed)
    ci, report = bootstrap(true, p, decided, CLASSES, IMPLIED), metrics.report(true, p, decided, CLASSES, IMPLIED)
    for figure in OVERALL:
        assert ci[figure][0] <= report[figure] <= ci[figure][1]
    for name in CLASSES:
        assert set(ci["per_class"][name]) == set(FIGURES)
        for figure in set(FIGURES) - {"specificity"}:
            low, high = ci["per_class"][name][figure]
            assert 0 <= low <= report["per_class"][name][figure] <= high <= 1
    assert json.loads(json.dumps(ci, allow_nan=False)) == ci
    assert bootstrap(true, p, decided, CLASSES, IMPLIED) == ci


def test_macro_f1_of_decisions_alone_has_the_interval_of_the_whole() -> None:
    random = np.random.default_rng(0)
    true, decisions = random.integers(0, 3, (2, 60))
    patients = [f"p{k % 20}" for k in range(60)]
    whole = bootstrap(true, random.dirichlet(np.ones(3), 60), decisions, ["A", "B", "C"], {}, patients)
    assert macro_f1_interval(true, decisions, 3, patients) == whole["macro_f1"]
    assert macro_f1_interval(true, decisions, 3, ["p"] * 60) is None


def test_what_is_not_defined_has_no_interval() -> None:
    true, decided = np.array([1] * 10 + [2] * 10), np.array([1] * 8 + [2] * 12)
    ci = bootstrap(true, np.full((20, 3), 0.5), decided, CLASSES, {})["per_class"]
    assert ci["COVID19"] == dict.fromkeys(FIGURES) | {"specificity": [1.0, 1.0]}
    # A single patient of a class says nothing about the next one, however many images there are.
    true[0] = true[1] = 0
    groups = ["same", "same", *map(str, range(18))]
    ci = bootstrap(true, np.random.default_rng(0).random((20, 3)), decided, CLASSES, {}, groups)["per_class"]
    assert ci["COVID19"] == dict.fromkeys(FIGURES) | {"specificity": [1.0, 1.0]}
    assert ci["NORMAL"]["recall"] is not None


def test_one_image_or_one_patient_has_no_interval_at_all() -> None:
    for n, groups in ((1, None), (4, ["a"] * 4)):
        ci = bootstrap([0] * n, np.full((n, 3), 0.3), [0] * n, CLASSES, {}, groups)
        assert ci["groups"] == 1
        assert [ci[figure] for figure in OVERALL] == [None] * 3
        assert all(value is None for figures in ci["per_class"].values() for value in figures.values())


def test_an_unknown_patient_is_a_unit_however_it_is_written() -> None:
    unit, units = resampling.units_of(["b", "", " b ", math.nan, None, "a", 7], 7)  # type: ignore[list-item]
    assert units == 6
    assert unit[0] == unit[2]
    assert len(set(unit.tolist())) == 6


def test_draws_do_not_depend_on_how_they_are_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(resampling.draws(7, 50, seed=1, width=7)))
    monkeypatch.setattr(resampling, "CHUNK", 21)
    parts = list(resampling.draws(7, 50, seed=1, width=7))
    assert len(parts) == 17
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert set(whole.sum(axis=1)) == {7}


def test_bad_input_says_what_to_do() -> None:
    with pytest.raises(DatasetError, match="at least one image"):
        bootstrap([], np.zeros((0, 3)), [], CLASSES, {})
    with pytest.raises(DatasetError, match="at least one image"):
        paired([], [], [], 3)
    with pytest.raises(RunError, match="diverged"):
        bootstrap([0], [[math.nan, 0, 0]], [0], CLASSES, {})
    with pytest.raises(ConfigError, match="resamples: expected at least 1, got 0"):
        bootstrap([0, 1], np.full((2, 3), 0.3), [0, 1], CLASSES, {}, resamples=0)
    with pytest.raises(ValueError, match="each of 2 images, got 1"):
        bootstrap([0, 1], np.full((2, 3), 0.3), [0, 1], CLASSES, {}, groups=["a"])


def test_paired_difference_equals_an_independent_bootstrap() -> None:
    true, _, a = outcome(90)
    b = np.where(np.random.default_rng(3).random(90) < 0.25, 1, a)
    groups = [f"p{k // 2}" for k in range(90)]
    found = paired(true, a, b, 3, groups, resamples=80, seed=4)

    def difference(i: np.ndarray, figure: str) -> float:
        first, second = (metrics.report(true[i], np.ones((len(i), 3)), d[i], CLASSES, {}) for d in (a, b))
        return float(first[figure] - second[figure])

    for figure, ends in (("accuracy", "ci"), ("macro_f1", "macro_f1_ci")):
        assert found[f"{figure}_difference"] == pytest.approx(difference(np.arange(90), figure))
        values = [difference(i, figure) for i in drawn_images(groups, 80, 4)]
        assert found[ends] == pytest.approx(list(np.percentile(values, [2.5, 97.5])), abs=1e-12)
    assert (found["n"], found["groups"]) == (90, 45)
    turned = paired(true, b, a, 3, groups, resamples=80, seed=4)
    assert turned["ci"] == pytest.approx([-found["ci"][1], -found["ci"][0]])
    assert turned["mcnemar"]["only_a"] == found["mcnemar"]["only_b"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


# Counts of images right by both, a alone, b alone, none; p by hand: twice the smaller tail of Bin(only_a + only_b, ½).
@pytest.mark.parametrize(
    ("both", "only_a", "only_b", "none", "p"),
    [
        (10, 0, 0, 3, 1.0),
        (10, 1, 0, 0, 1.0),
        (0, 5, 0, 0, 2 / 32),
        (7, 1, 7, 2, 2 * (1 + 8) / 256),
        (4, 3, 3, 0, 1.0),
        (50, 15, 4, 6, 2 * sum(math.comb(19, k) for k in range(5)) / 2**19),
    ],
)
def test_mcnemar_equals_hand_made_tables(both: int, only_a: int, only_b: int, none: int, p: float) -> None:
    right_a = np.repeat([1, 1, 0, 0], [both, only_a, only_b, none])
    right_b = np.repeat([1, 0, 1, 0], [both, only_a, only_b, none])
    true = np.ones(len(right_a), dtype=int)
    test = paired(true, right_a, right_b, 2, resamples=20)
    assert test["mcnemar"] == {"only_a": only_a, "only_b": only_b, "p": pytest.approx(p)}
    assert test["accuracy_difference"] == pytest.approx((only_a - only_b) / len(true))
    if only_a + only_b:
        # The definition that statsmodels' exact test uses.
        tail = stats.binom.cdf(min(only_a, only_b), only_a + only_b, 0.5)
        assert test["mcnemar"]["p"] == pytest.approx(min(1, 2 * tail))


def test_a_run_against_itself_shows_no_difference() -> None:
    true, _, decided = outcome(40)
    same = paired(true, decided, decided, 3)
    assert same["accuracy_difference"] == same["macro_f1_difference"] == 0
    assert same["ci"] == same["macro_f1_ci"] == [0, 0]
    assert paired([0], [0], [1], 2)["ci"] is None


def test_two_units_are_the_fewest_that_have_an_interval() -> None:
    values = np.array([0.0, math.nan, 1.0])
    assert resampling.interval(values, 2) == pytest.approx([0.025, 0.975])
    assert resampling.interval(values, 1) is None
    assert resampling.interval(np.array([math.nan]), 9) is None


def test_a_ranking_rests_on_the_patients_of_either_side() -> None:
    """Ten patients with the finding and one without: nobody knows what the next one without would be."""
    true, random = np.array([0] * 10 + [1] * 10), np.random.default_rng(0)
    for groups in ([*map(str, range(10)), *["one"] * 10], [*["one"] * 10, *map(str, range(10))]):
        ci = bootstrap(true, random.random((20, 2)), true, ["A", "B"], {}, groups)["per_class"]
        assert [ci[name][figure] for name in "AB" for figure in ("roc_auc", "average_precision")] == [None] * 4
    ci = bootstrap(true, random.random((20, 2)), true, ["A", "B"], {})["per_class"]
    assert None not in [ci[name][figure] for name in "AB" for figure in ("roc_auc", "average_precision")]


def test_precision_rests_on_the_patients_that_are_decided_so() -> None:
    true, decided = np.array([0] * 10 + [1] * 10), np.array([0] + [1] * 19)
    ci = bootstrap(true, np.full((20, 2), 0.5), decided, ["A", "B"], {})["per_class"]
    assert ci["A"]["precision"] is None
    assert ci["A"]["recall"] is not None
    assert ci["B"]["precision"] is not None


def test_a_resample_without_a_negative_has_no_ranking() -> None:
    truth = np.array([True, True, False])
    areas = intervals._Ranking(truth, np.array([0.9, 0.1, 0.5]), np.arange(3)).areas(
        np.array([[1, 2, 0], [1, 1, 1], [0, 0, 3]])
    )
    assert np.isnan(areas[:, [0, 2]]).all()
    assert areas[:, 1] == pytest.approx([0.5, (1 + 2 / 3) / 2])


def test_two_data_sets_have_each_its_own_interval_and_the_drop_another() -> None:
    random = np.random.default_rng(3)
    sides = []
    for n, right in ((60, 0.9), (40, 0.5)):
        true = random.integers(0, 3, n)
        decided = np.where(random.random(n) < right, true, (true + 1) % 3)
        sides.append((true, decided, [f"p{k // 2}" for k in range(n)]))
    (a, b), found = sides, intervals.unpaired(sides[0], sides[1], 3, seed=5)
    for (true, decided, groups), name, seed in ((a, "a", 5), (b, "b", 5 + 7919)):
        assert found["macro_f1"][f"{name}_ci"] == macro_f1_interval(true, decided, 3, groups, seed=seed)
        assert found["accuracy"][name] == pytest.approx((true == decided).mean())
    assert found["n"] == [60, 40]
    assert found["right"] == [int((true == decided).sum()) for true, decided, _ in sides]
    for figure in found["accuracy"], found["macro_f1"]:
        assert figure["drop"] == pytest.approx(figure["a"] - figure["b"])
        assert figure["ci"][0] < figure["drop"] < figure["ci"][1]
    alone = intervals.unpaired(a, (*b[:2], ["one"] * 40), 3)["accuracy"]
    assert (alone["b_ci"], alone["ci"]) == (None, None)
    assert alone["a_ci"] is not None
    # A class that is not counted: the mean is over the others.
    counted = intervals.unpaired(a, b, 3, [0, 2])["macro_f1"]["a"]
    f1 = reference.f1_score(a[0], a[1], average=None)
    assert counted == pytest.approx((f1[0] + f1[2]) / 2)
    assert found["macro_f1"]["a"] == pytest.approx(f1.mean())
