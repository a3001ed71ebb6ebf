"""Whether probabilities mean what they say, and the one number that fixes most of it.

::

    temperature = fit_temperature(logits, true, classes, implied)      # validation split, never test
    after = calibrate(test_logits, temperature, implied)
    ece(after, test_true, classes, implied), brier(after, test_true, classes, implied)

Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks") divides all logits by one number.
The order of the classes of an image stays, so the most probable class does; with flat implied labels the order of the
images by a label stays too. A threshold does not: choose it on calibrated probabilities. Where only kept
probabilities are at hand, ``logits_of`` gives logits with the same answers. Where ``implied`` is Coherent
(``cxr_core.hierarchy``), logits are those of the conditional probabilities, and what comes out is what is shown.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.errors import ConfigError
from cxr_core.evaluation.known_temperature import COLDEST, HOTTEST, fit_known_temperature
from cxr_core.evaluation.metrics import label_truth
from cxr_core.hierarchy import Coherent
from cxr_core.labels import Implied

BINS = 15

Floats = npt.NDArray[np.float64]


def fit_temperature(logits: npt.ArrayLike, true: npt.ArrayLike, classes: Sequence[str], implied: Implied) -> float:
    """The temperature, within 0.05..20, with the smallest negative log likelihood on these images.

    ``logits`` (N, K), ``true`` (N,) class indices of the validation split. Softmax, or a sigmoid for each label where
    ``implied`` is not empty, of each image those that it teaches where that is Coherent; in the reciprocal of the
    temperature all are convex, so there is one minimum. Above 1: the network was too sure of itself.

    1 where no temperature is best: every image is on its right side (the likelihood would grow for ever and all
    probabilities become 0 or 1), or the logits are all alike. Raises DatasetError without images and RunError where a
    logit is not a number.
    """
    from scipy.optimize import minimize_scalar

    truth, scores = label_truth(true, logits, classes, implied)
    if isinstance(implied, Coherent):
        learns = implied.tree.conditional_targets(truth.astype(np.float32), np.ones_like(truth))
        return fit_known_temperature(scores, *learns)
    sides = _sides(scores, np.asarray(true, dtype=np.intp), truth, implied)
    if (sides >= 0).all():
        return 1.0

    def loss(log_temperature: float) -> float:
        """Mean negative log likelihood: softplus by label, or the sum over the class and its rivals."""
        margins = sides / np.exp(log_temperature)
        if implied:
            return float(np.logaddexp(0, -margins).mean())
        return float(np.logaddexp.reduce(-margins, axis=1).mean())

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-7})
    return float(np.clip(np.exp(best.x), COLDEST, HOTTEST))


def _sides(scores: Floats, index: npt.NDArray[np.intp], truth: npt.NDArray[np.bool_], implied: Implied) -> Floats:
    """How far each logit is on its right side, (N, K): ahead of its rival (own class: 0), or of nought by label."""
    if implied:
        return np.where(truth, scores, -scores)
    return np.take_along_axis(scores, index[:, None], axis=1) - scores


def calibrate(logits: npt.ArrayLike, temperature: float, implied: Implied) -> Floats:
    """Probabilities (N, K) of logits (N, K) at a temperature: softmax, or a sigmoid for each label where implied; where
    that is Coherent, what is shown of these.

    Raises ConfigError where the temperature is not a number above 0.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ConfigError(f"temperature: expected a number above 0 (1 changes nothing), got {temperature}.")
    scaled: Floats = np.asarray(logits, dtype=np.float64) / temperature
    if implied:
        sigmoids: Floats = np.exp(-np.logaddexp(0, -scaled))
        return implied.tree.shown(sigmoids).astype(np.float64) if isinstance(implied, Coherent) else sigmoids
    return np.exp(scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True))


def logits_of(probabilities: npt.ArrayLike, implied: Implied) -> Floats:
    """Logits (N, K) that ``calibrate`` at temperature 1 turns into these probabilities.

    What rounding has made 0 or 1 comes back as the nearest that float64 tells from it: with implied labels a logit
    above 36 is lost in its probability.
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if isinstance(implied, Coherent):
        values = implied.tree.conditional(values)
    logarithm = np.log(np.maximum(values, np.finfo(np.float64).tiny))
    return logarithm - np.log(np.maximum(1 - values, np.finfo(np.float64).epsneg)) if implied else logarithm


def ece(
    probabilities: npt.ArrayLike, true: npt.ArrayLike, classes: Sequence[str], implied: Implied, bins: int = BINS
) -> float:
    """Expected calibration error, 0 (best) to 1: mean distance of probability from frequency over equal-width bins.

    Single labels: of the most probable class from how often it is right (Guo et al. 2017). Implied labels: of each
    label's probability from how often the label holds, then the mean over labels. ``probabilities`` (N, K), ``true``
    (N,). The fewer the images, the larger it comes out, even for a perfect model. Raises DatasetError without images,
    RunError where a probability is not a number.
    """
    truth, scores = label_truth(true, probabilities, classes, implied)
    if not implied:
        top = scores.argmax(axis=1)
        scores = np.take_along_axis(scores, top[:, None], axis=1)
        truth = np.take_along_axis(truth, top[:, None], axis=1)
    errors = []
    for k in range(scores.shape[1]):
        counts, confidence, observed = _bins(scores[:, k], truth[:, k], bins)
        errors.append(float(counts @ np.abs(confidence - observed) / len(scores)))
    return float(np.mean(errors))


def brier(probabilities: npt.ArrayLike, true: npt.ArrayLike, classes: Sequence[str], implied: Implied) -> float:
    """Brier score, 0 is best. Single labels: squared errors summed over classes, 0..2 (Brier 1950). Implied labels:
    their mean over labels, 0..1. Shapes and errors as for :func:`ece`.
    """
    truth, scores = label_truth(true, probabilities, classes, implied)
    squared = (scores - truth) ** 2
    return float(squared.mean() if implied else squared.sum(axis=1).mean())


def reliability(
    probabilities: npt.ArrayLike, true: npt.ArrayLike, classes: Sequence[str], implied: Implied, bins: int = 10
) -> dict[str, dict[str, list[Any]]]:
    """Per label the points of its reliability diagram, ready for JSON: ``{"confidence", "observed", "count"}``.

    Lists of one length, a place for each bin that holds an image, ascending: mean probability, share of the images
    that carry the label, number of images. Shapes and errors as for :func:`ece`.
    """
    truth, scores = label_truth(true, probabilities, classes, implied)
    points = {}
    for k, name in enumerate(classes):
        counts, confidence, observed = _bins(scores[:, k], truth[:, k], bins)
        points[name] = {
            "confidence": confidence.tolist(),
            "observed": observed.tolist(),
            "count": counts.tolist(),
        }
    return points


def _bins(score: Floats, truth: npt.NDArray[np.bool_], bins: int) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Images, mean probability and share of positives in each bin that is not empty; a bin includes its upper edge."""
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], score)
    counts = np.bincount(place, minlength=bins)
    filled = counts > 0
    means = (np.bincount(place, weights, minlength=bins)[filled] / counts[filled] for weights in (score, truth))
    confidence, observed = means
    return counts[filled].astype(np.int64, copy=False), confidence, observed
