"""The operating point: what a threshold on one label's probability does, here and at another prevalence.

::

    point = at_threshold(truth, probability, 0.4)         # counts, sensitivity, specificity, ppv, npv
    point_intervals(truth, probability, 0.4, patients)    # the 95 % intervals of the four ratios
    at_prevalence(point["sensitivity"], point["specificity"], 0.02)["ppv"]

Sensitivity and specificity belong to the test; the predictive values belong to the test and to how many of those who
are tested have the finding. A test set's share of a finding is seldom the clinic's, hence ``at_prevalence``. It holds
if the patients there resemble these.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.errors import ConfigError, DatasetError, RunError
from cxr_core.evaluation.rare import widened
from cxr_core.evaluation.resampling import Interval, draws, interval, ratio, units_of

# Ratio -> (what it counts, what it counts it among).
RATIOS = {
    "sensitivity": ("tp", ("tp", "fn")),
    "specificity": ("tn", ("tn", "fp")),
    "ppv": ("tp", ("tp", "fp")),
    "npv": ("tn", ("tn", "fn")),
}
_CELLS = ("tp", "fp", "fn", "tn")


def at_threshold(truth: npt.ArrayLike, probability: npt.ArrayLike, threshold: float) -> dict[str, Any]:
    """Counts and ratios of "positive where the probability reaches the threshold".

    ``truth`` (N,) bool, ``probability`` (N,) in 0..1, ``threshold`` in 0..1.
    ``{"n", "threshold", "tp", "fp", "fn", "tn", "sensitivity", "specificity", "ppv", "npv"}``; a ratio without a
    denominator is None, and :func:`fractions` names the counts behind each. Raises DatasetError without images,
    RunError where a probability is not a number, ConfigError for a threshold that is not in 0..1.
    """
    cells = _cells(truth, probability, threshold)
    counts = dict(zip(_CELLS, cells.sum(axis=0).tolist(), strict=True))
    point = {"n": len(cells), "threshold": float(threshold), **counts}
    return point | {name: part / whole if whole else None for name, (part, whole) in fractions(counts).items()}


def fractions(point: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Numerator and denominator of each ratio of a point: "sensitivity" -> (57, 80), to be written 57 of 80."""
    return {name: (point[part], sum(point[cell] for cell in whole)) for name, (part, whole) in RATIOS.items()}


def point_intervals(
    truth: npt.ArrayLike,
    probability: npt.ArrayLike,
    threshold: float,
    groups: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """95 % bootstrap intervals, [low, high] or None, of the four ratios at a threshold that stays where it is.

    Resampled by patient as ``intervals.bootstrap`` does, and never narrower than the exact interval where a ratio rests
    on fewer than ten; ``groups`` (N,) patients, "" where one is not known. Raises
    as ``at_threshold``, and ConfigError for less than one resample.
    """
    cells = _cells(truth, probability, threshold)
    unit, units = units_of(groups, len(cells))
    by_unit = np.stack([np.bincount(unit, column, minlength=units) for column in cells.T], axis=1)
    drawn = np.concatenate([part.astype(np.float64) @ by_unit for part in draws(units, resamples, seed, len(cells))])
    place = {name: k for k, name in enumerate(_CELLS)}
    found = {}
    for name, (part, whole) in RATIOS.items():
        columns = [place[cell] for cell in whole]
        carried = int((by_unit[:, columns].sum(axis=1) > 0).sum())
        ends = interval(ratio(drawn[:, place[part]], drawn[:, columns].sum(axis=1)), carried)
        among = by_unit[:, columns].sum()
        found[name] = widened(ends, by_unit[:, place[part]].sum() / among if among else np.nan, carried)
    return found


def at_prevalence(sensitivity: float | None, specificity: float | None, prevalence: float) -> dict[str, float | None]:
    """Predictive values by Bayes' rule where ``prevalence`` of all who are tested have the finding; all in 0..1.

    ``{"ppv", "npv", "true_positives", "positives", "true_negatives", "negatives"}``: the last four are shares of all
    who are tested, so that ppv = true_positives / positives and npv = true_negatives / negatives. A predictive value
    is None where nobody tests so, and all are where sensitivity or specificity is (the test set had no positive, or
    no negative). Raises ConfigError where one of the three is not in 0..1.
    """
    _check_share("prevalence", prevalence)
    if sensitivity is None or specificity is None:
        return dict.fromkeys(("ppv", "npv", "true_positives", "positives", "true_negatives", "negatives"))
    _check_share("sensitivity", sensitivity)
    _check_share("specificity", specificity)
    true_positives, true_negatives = sensitivity * prevalence, specificity * (1 - prevalence)
    positives = true_positives + (1 - specificity) * (1 - prevalence)
    negatives = true_negatives + (1 - sensitivity) * prevalence
    return {
        "ppv": true_positives / positives if positives else None,
        "npv": true_negatives / negatives if negatives else None,
        "true_positives": true_positives,
        "positives": positives,
        "true_negatives": true_negatives,
        "negatives": negatives,
    }


def _cells(truth: npt.ArrayLike, probability: npt.ArrayLike, threshold: float) -> npt.NDArray[np.int64]:
    """The one cell of tp, fp, fn, tn that each image counts in: (N, 4) zeros and ones."""
    _check_share("threshold", threshold)
    positive, score = np.asarray(truth, dtype=bool), np.asarray(probability, dtype=np.float64)
    if positive.shape != score.shape or positive.ndim != 1:
        raise ValueError(f"truth and probability must be vectors of one length, got {positive.shape} and {score.shape}")
    if not len(score):
        raise DatasetError("Expected at least one image, got none. Choose a split or folder that has images.")
    bad = int((~np.isfinite(score)).sum())
    if bad:
        raise RunError(
            f"Expected probabilities between 0 and 1, got no number for {bad} of {len(score)} images: the training "
            "diverged. Train again with a lower learning rate."
        )
    called = score >= threshold
    cells = [positive & called, ~positive & called, positive & ~called, ~positive & ~called]
    return np.stack(cells, axis=1).astype(np.int64)


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ConfigError(f"{name}: expected a share between 0 and 1 (5 % is 0.05), got {value}. Change it.")
