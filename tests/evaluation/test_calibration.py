"""Temperature, calibration errors and diagrams against scikit-learn, grids and plain loops."""

import json
import math
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator

from cxr_core.errors import ConfigError, DatasetError, RunError
from cxr_core.evaluation.calibration import brier, calibrate, ece, fit_temperature, logits_of, reliability
from cxr_core.evaluation.known_temperature import COLDEST, HOTTEST
from cxr_core.hierarchy import Coherent
from cxr_core.labels import targets

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
IMPLIED = {"COVID19": ("PNEUMONIA",)}
COHERENT = Coherent(CLASSES, IMPLIED)
BOTH = pytest.mark.parametrize("implied", [{}, IMPLIED], ids=["single", "implied"])


def drawn(n: int, implied: dict[str, Any], sharpness: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 3) and classes; the logits are calibrated ones times ``sharpness``."""
    rng = np.random.default_rng(seed)
    chances = calibrate(rng.normal(0, 1.5, (n, 3)), 1, {})
    true = np.array([rng.choice(3, p=row) for row in chances])
    # A label holds with the chance of its own class and of those that imply it.
    holds = chances @ targets(np.arange(3), CLASSES, implied)
    return sharpness * logits_of(holds, implied), true


class Logits(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose scores are its input."""

    classes_ = np.arange(3)

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Logits":
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        return x

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x.argmax(axis=1))

    def __sklearn_is_fitted__(self) -> bool:
        return True


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_temperature_of_single_labels_equals_scikit_learn(sharpness: float) -> None:
    logits, true = drawn(300, {}, sharpness)
    theirs = CalibratedClassifierCV(FrozenEstimator(Logits()), method="temperature").fit(logits, true)
    found = fit_temperature(logits, true, CLASSES, {})
    np.testing.assert_allclose(calibrate(logits, found, {}), theirs.predict_proba(logits), atol=1e-4)
    assert found == pytest.approx(sharpness, rel=0.25)


@BOTH
@pytest.mark.parametrize("sharpness", [0.2, 1.0, 5.0])
def test_temperature_is_the_best_of_a_grid(implied: dict[str, Any], sharpness: float) -> None:
    logits, true = drawn(150, implied, sharpness)
    truth = targets(true, CLASSES, implied)

    def loss(temperature: float) -> float:
        p = calibrate(logits, temperature, implied)
        given = np.where(truth > 0, p, 1 - p) if implied else p[np.arange(150), true]
        return float(-np.log(np.maximum(given, 1e-300)).mean())

    grid = np.exp(np.linspace(np.log(0.05), np.log(20), 3001))
    best = grid[np.argmin([loss(temperature) for temperature in grid])]
    assert fit_temperature(logits, true, CLASSES, implied) == pytest.approx(best, rel=2e-3)


@pytest.mark.parametrize("temperature", [0.05, 0.7, 1.0, 20.0])
def test_coherent_probabilities_stay_coherent_at_every_temperature(temperature: float) -> None:
    logits = np.random.default_rng(2).normal(0, 6, (500, 3))
    covid, normal, pneumonia = calibrate(logits, temperature, COHERENT).T
    assert (covid <= pneumonia).all()
    assert np.array_equal(normal, 1 - pneumonia)
    assert np.array_equal(pneumonia, calibrate(logits, temperature, IMPLIED)[:, 2])
    back = calibrate(logits_of(calibrate(logits, temperature, COHERENT), COHERENT) * temperature, temperature, COHERENT)
    np.testing.assert_allclose(back.T, [covid, normal, pneumonia], rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("sharpness", [0.2, 1.0, 5.0])
def test_temperature_of_coherent_labels_is_fitted_where_each_is_learnt(sharpness: float) -> None:
    rng = np.random.default_rng(3)
    chances = rng.normal(0, 1.5, (400, 3))
    covid, _, pneumonia = (rng.random((400, 3)) < 1 / (1 + np.exp(-chances))).T
    true = np.where(pneumonia, np.where(covid, 0, 2), 1)
    logits = sharpness * chances

    def loss(temperature: float) -> float:
        p = 1 / (1 + np.exp(-logits / temperature))
        of_all = np.where(true != 1, p[:, 2], 1 - p[:, 2])
        of_sick = np.where(true == 0, p[:, 0], 1 - p[:, 0])[true != 1]
        return float(-np.log(np.maximum(np.concatenate([of_all, of_sick]), 1e-300)).mean())

    grid = np.exp(np.linspace(np.log(0.05), np.log(20), 3001))
    best = grid[np.argmin([loss(temperature) for temperature in grid])]
    assert fit_temperature(logits, true, CLASSES, COHERENT) == pytest.approx(best, rel=2e-3)
    # NORMAL has no logit of its own.
    logits[:, 1] = rng.normal(0, 50, 400)
    assert fit_temperature(logits, true, CLASSES, COHERENT) == pytest.approx(best, rel=2e-3)


@BOTH
@pytest.mark.parametrize("scale", [1e-6, 1.0, 500.0])
def test_temperature_stays_within_its_bounds(implied: dict[str, Any], scale: float) -> None:
    logits, true = drawn(60, implied, scale)
    found = fit_temperature(logits, true, CLASSES, implied)
    assert COLDEST <= found <= HOTTEST
    assert np.isfinite(calibrate(logits, found, implied)).all()


@BOTH
def test_worse_than_chance_is_made_as_unsure_as_allowed(implied: dict[str, Any]) -> None:
    logits, true = drawn(60, implied)
    assert fit_temperature(-5 * logits - 3, true, CLASSES, implied) == pytest.approx(HOTTEST, rel=1e-3)


@BOTH
def test_images_that_set_no_limit_leave_probabilities_as_they_are(implied: dict[str, Any]) -> None:
    true = np.array([0, 1, 2, 1])
    perfect = 4 * (2 * targets(true, CLASSES, implied) - 1)
    assert fit_temperature(perfect, true, CLASSES, implied) == 1
    assert fit_temperature(perfect[:1], true[:1], CLASSES, implied) == 1
    assert fit_temperature(np.zeros((4, 3)), true, CLASSES, implied) == 1


@BOTH
@settings(max_examples=50)
@given(temperature=st.floats(0.05, 20), seed=st.integers(0, 1000))
def test_calibrated_probabilities_keep_the_order(implied: dict[str, Any], temperature: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 3, (40, 3))
    before, after = calibrate(logits, 1, implied), calibrate(logits, temperature, implied)
    for values, others in [*zip(before, after, strict=True), *(zip(before.T, after.T, strict=True) if implied else ())]:
        assert (np.diff(others[np.argsort(values)]) >= 0).all()
    assert ((after >= 0) & (after <= 1)).all()
    if not implied:
        np.testing.assert_allclose(after.sum(axis=1), 1)


@BOTH
def test_kept_probabilities_are_as_good_as_logits(implied: dict[str, Any]) -> None:
    logits, true = drawn(80, implied, 3)
    kept = calibrate(logits, 1, implied)
    np.testing.assert_allclose(calibrate(logits_of(kept, implied), 2.5, implied), calibrate(logits, 2.5, implied))
    fitted = [fit_temperature(values, true, CLASSES, implied) for values in (logits, logits_of(kept, implied))]
    assert fitted[0] == pytest.approx(fitted[1], rel=1e-4)
    # Cooled below 1 and heated again: the rivals of a nearly certain class are not forgotten.
    cold = calibrate(logits, 0.1, {})
    np.testing.assert_allclose(calibrate(logits_of(cold, {}), 10, {}), calibrate(logits, 1, {}))
    certain = np.array([[1.0, 0.0, 0.0]])
    np.testing.assert_allclose(calibrate(logits_of(certain, implied), 1, implied), certain, atol=1e-14)


@BOTH
def test_extreme_logits_stay_finite(implied: dict[str, Any]) -> None:
    p = calibrate([[1000.0, -1000.0, 0.0], [1e300, -1e300, 5.0]], 1, implied)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p[:, :2], [[1, 0], [1, 0]])


@BOTH
def test_scaling_fixes_an_overconfident_network(implied: dict[str, Any]) -> None:
    (val, val_true), (test, test_true) = (drawn(1500, implied, 4, seed) for seed in (1, 2))
    temperature = fit_temperature(val, val_true, CLASSES, implied)
    before, after = calibrate(test, 1, implied), calibrate(test, temperature, implied)
    assert temperature > 1
    assert ece(after, test_true, CLASSES, implied) < ece(before, test_true, CLASSES, implied) / 2
    assert brier(after, test_true, CLASSES, implied) < brier(before, test_true, CLASSES, implied)


def plain_ece(probability: np.ndarray, holds: np.ndarray, bins: int) -> float:
    """Guo et al. 2017, equation 3, image by image."""
    total = 0.0
    for m in range(bins):
        inside = [i for i, p in enumerate(probability) if m / bins < p <= (m + 1) / bins or (m == 0 and p == 0)]
        if inside:
            total += abs(sum(holds[i] for i in inside) - sum(probability[i] for i in inside))
    return total / len(probability)


@pytest.mark.parametrize("bins", [1, 8, 16])
def test_ece_equals_a_plain_loop(bins: int) -> None:
    logits, true = drawn(200, {}, 3)
    p = np.round(calibrate(logits, 1, {}) * 32) / 32  # many on the very edge of a bin
    assert ece(p, true, CLASSES, {}, bins) == pytest.approx(plain_ece(p.max(axis=1), p.argmax(axis=1) == true, bins))
    truth = targets(true, CLASSES, IMPLIED)
    by_label = [plain_ece(p[:, k], truth[:, k], bins) for k in range(3)]
    assert ece(p, true, CLASSES, IMPLIED, bins) == pytest.approx(np.mean(by_label))


def test_brier_equals_scikit_learn() -> None:
    logits, true = drawn(200, {}, 2)
    p = calibrate(logits, 1, {})
    plain = sum((p[i, k] - (true[i] == k)) ** 2 for i in range(200) for k in range(3)) / 200
    assert brier(p, true, CLASSES, {}) == pytest.approx(plain)
    assert brier(p, true, CLASSES, {}) == pytest.approx(reference.brier_score_loss(true, p, scale_by_half=False))
    truth = targets(true, CLASSES, IMPLIED)
    by_label = [reference.brier_score_loss(truth[:, k], p[:, k]) for k in range(3)]
    assert brier(p, true, CLASSES, IMPLIED) == pytest.approx(np.mean(by_label))


@BOTH
def test_reliability_equals_scikit_learn_and_counts_every_image(implied: dict[str, Any]) -> None:
    logits, true = drawn(120, implied, 2)
    p = calibrate(logits, 1, implied)
    points, truth = reliability(p, true, CLASSES, implied), targets(true, CLASSES, implied)
    assert list(points) == CLASSES
    for k, name in enumerate(CLASSES):
        observed, confidence = calibration_curve(truth[:, k], p[:, k], n_bins=10)
        assert points[name]["observed"] == pytest.approx(list(observed))
        assert points[name]["confidence"] == pytest.approx(list(confidence))
        assert sum(points[name]["count"]) == 120
        assert np.dot(points[name]["observed"], points[name]["count"]) == pytest.approx(truth[:, k].sum())
    assert json.loads(json.dumps(points, allow_nan=False)) == points


@BOTH
def test_one_image_has_one_bin(implied: dict[str, Any]) -> None:
    p = np.array([[0.9, 0.05, 0.05]])
    assert reliability(p, [0], CLASSES, implied)["COVID19"] == {"confidence": [0.9], "observed": [1.0], "count": [1]}
    assert 0 <= ece(p, [0], CLASSES, implied) <= 1


@BOTH
def test_bad_input_says_what_to_do(implied: dict[str, Any]) -> None:
    nothing, broken = np.zeros((0, 3)), np.array([[0.2, math.nan, 0.1]])
    for function in (ece, brier, reliability, fit_temperature):
        with pytest.raises(DatasetError, match="at least one image"):
            function(nothing, [], CLASSES, implied)
        with pytest.raises(RunError, match="1 of 1 images"):
            function(broken, [0], CLASSES, implied)
    for temperature in (0, -1, math.nan, math.inf):
        with pytest.raises(ConfigError, match="above 0"):
            calibrate(np.zeros((1, 3)), temperature, implied)
