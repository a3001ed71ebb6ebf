"""A threshold's counts and ratios against scikit-learn; predictive values against Bayes' rule by hand."""

import json
import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from cxr_core.errors import ConfigError, DatasetError, RunError
from cxr_core.evaluation.operating import RATIOS, at_prevalence, at_threshold, fractions, point_intervals

shares = st.floats(0, 1)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=50), st.integers(0, 8))
def test_counts_and_ratios_equal_scikit_learn(images: list[tuple[bool, int]], limit: int) -> None:
    truth, probability = np.array([t for t, _ in images]), np.array([p / 8 for _, p in images])
    point = at_threshold(truth, probability, limit / 8)
    called = probability >= limit / 8
    matrix = reference.confusion_matrix(truth, called, labels=[False, True])
    assert [[point["tn"], point["fp"]], [point["fn"], point["tp"]]] == matrix.tolist()
    assert point["n"] == len(images)
    for name, (part, whole) in fractions(point).items():
        assert point[name] == (part / whole if whole else None)
    expected = {
        "sensitivity": (truth, called),
        "specificity": (~truth, ~called),
    }
    for name, (is_so, says_so) in expected.items():
        if point[name] is not None:
            assert point[name] == pytest.approx(reference.recall_score(is_so, says_so))
    if point["ppv"] is not None:
        assert point["ppv"] == pytest.approx(reference.precision_score(truth, called))
    if point["npv"] is not None:
        assert point["npv"] == pytest.approx(reference.precision_score(~truth, ~called))
    assert json.loads(json.dumps(point, allow_nan=False)) == point


def test_every_ratio_names_its_counts() -> None:
    point = at_threshold([True] * 4 + [False] * 6, [0.9, 0.8, 0.7, 0.1, 0.8, 0.2, 0.2, 0.1, 0.1, 0.1], 0.5)
    assert fractions(point) == {"sensitivity": (3, 4), "specificity": (5, 6), "ppv": (3, 4), "npv": (5, 6)}


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.5, 0.75])
def test_predictive_values_at_the_datas_own_prevalence_are_the_counted_ones(threshold: float) -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(200) < 0.3
    point = at_threshold(truth, np.clip(rng.normal(0.35 + 0.3 * truth, 0.2), 0, 1), threshold)
    elsewhere = at_prevalence(point["sensitivity"], point["specificity"], truth.mean())
    for name in ("ppv", "npv"):
        if point[name] is None:
            assert elsewhere[name] is None
        else:
            assert elsewhere[name] == pytest.approx(point[name])
    assert elsewhere["positives"] == pytest.approx((point["tp"] + point["fp"]) / 200)
    assert elsewhere["true_negatives"] == pytest.approx(point["tn"] / 200)


def test_predictive_values_by_hand() -> None:
    # 10,000 tested, 100 have it: 90 found and 495 false alarms; 9,405 rightly cleared and 10 missed.
    values = at_prevalence(0.9, 0.95, 0.01)
    assert values["ppv"] == pytest.approx(90 / 585)
    assert values["npv"] == pytest.approx(9405 / 9415)
    assert (values["positives"], values["negatives"]) == (pytest.approx(0.0585), pytest.approx(0.9415))


@given(shares, shares, shares)
def test_predictive_values_are_shares_or_none(sensitivity: float, specificity: float, prevalence: float) -> None:
    values = at_prevalence(sensitivity, specificity, prevalence)
    assert all(value is None or -1e-12 <= value <= 1 + 1e-12 for value in values.values())
    assert values["positives"] is not None
    assert values["negatives"] is not None
    assert values["positives"] + values["negatives"] == pytest.approx(1)


def test_predictive_values_at_the_ends() -> None:
    assert at_prevalence(0.9, 0.9, 0)["ppv"] == 0
    assert at_prevalence(0.9, 0.9, 0)["npv"] == 1
    assert at_prevalence(0.9, 0.9, 1)["ppv"] == 1
    assert at_prevalence(0.0, 1.0, 0.5)["ppv"] is None, "nobody is called positive"
    assert at_prevalence(1.0, 0.0, 0.5)["npv"] is None, "nobody is called negative"
    assert set(at_prevalence(None, 0.9, 0.5).values()) == {None}


def test_intervals_equal_an_independent_bootstrap() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(60) < 0.4
    probability = np.clip(rng.normal(0.35 + 0.3 * truth, 0.25), 0, 1)
    patients = [f"p{k:02d}" for k in rng.integers(0, 20, 60)]
    found = point_intervals(truth, probability, 0.5, patients, resamples=300, seed=2)
    members = [np.flatnonzero(np.array(patients) == name) for name in sorted(set(patients))]
    picks = np.random.default_rng(2).integers(len(members), size=(300, len(members)))
    rows = []
    for row in picks:
        images = np.concatenate([members[k] for k in row])
        rows.append(at_threshold(truth[images], probability[images], 0.5))
    for name in RATIOS:
        expected = np.percentile([row[name] for row in rows if row[name] is not None], [2.5, 97.5])
        assert found[name] == pytest.approx(list(expected))


def test_a_ratio_on_one_patient_or_none_has_no_interval() -> None:
    found = point_intervals([True, True, False, False], [0.9, 0.8, 0.1, 0.2], 0.5, ["a", "a", "b", "c"])
    exact = pytest.approx([binomtest(2, 2).proportion_ci().low, 1])
    assert found == {"sensitivity": None, "specificity": exact, "ppv": None, "npv": exact}
    assert set(point_intervals([True], [0.9], 0.5).values()) == {None}


def test_bad_input_says_what_to_do() -> None:
    with pytest.raises(DatasetError, match="at least one image"):
        at_threshold([], [], 0.5)
    with pytest.raises(RunError, match="1 of 2 images: the training diverged"):
        at_threshold([True, False], [math.nan, 0.5], 0.5)
    for threshold in (-0.1, 1.1, math.nan):
        with pytest.raises(ConfigError, match="threshold: expected a share between 0 and 1"):
            at_threshold([True], [0.5], threshold)
    with pytest.raises(ConfigError, match=r"prevalence: .* got 5"):
        at_prevalence(0.9, 0.9, 5)
    with pytest.raises(ConfigError, match="sensitivity"):
        at_prevalence(-1, 0.9, 0.5)
    with pytest.raises(ValueError, match="one length"):
        at_threshold([True, False], [0.5], 0.5)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("wrong", [-0.01, 1.01, math.nan])
def test_no_share_beyond_nought_and_one(place: int, wrong: float) -> None:
    shares = [0.5, 0.5, 0.5]
    shares[place] = wrong
    with pytest.raises(ConfigError, match=("sensitivity", "specificity", "prevalence")[place]):
        at_prevalence(*shares)
