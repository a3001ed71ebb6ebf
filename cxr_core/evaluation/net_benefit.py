"""Net benefit: whether acting on a run's answers does more good than acting on everybody, or on nobody.

::

    curve = decision_curve(truth, known, probability, prevalence=0.02, groups=patients)
    curve.model, curve.treat_all                    # at each of curve.thresholds; treating nobody is 0
    curve.useful                                    # [(0.05, 0.31)]: where the run is better than both
    net_benefit(0.9, 0.8, 0.02, 0.1)                # at one operating point

Vickers and Elkin 2006, "Decision Curve Analysis: A Novel Method for Evaluating Prediction Models". Who acts from a
probability of 10 % on takes nine needless acts for one that is needed: at a threshold t a false positive costs
t / (1 - t) of what a true positive gains. Net benefit is in true positives for each person. At another prevalence than
the images' it follows from sensitivity and specificity, if the patients there resemble these; the probabilities
stay those that the run shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxr_core.errors import ConfigError
from cxr_core.evaluation.known import Bools, checked, wide_draws
from cxr_core.evaluation.resampling import Floats, Interval, interval, ratio, units_of

THRESHOLDS = tuple(k / 100 for k in range(1, 100))


@dataclass(frozen=True)
class DecisionCurve:
    """At each of ``thresholds``: the net benefit of acting on the run (``ends``: its 95 % interval by patient) and of
    acting on everybody. None where the images have no positive or no negative.
    """

    n: int
    positives: int
    prevalence: float
    thresholds: tuple[float, ...]
    model: tuple[float, ...] | None
    ends: tuple[Interval, ...] | None
    treat_all: tuple[float, ...]
    useful: tuple[tuple[float, float], ...]


def net_benefit(sensitivity: float, specificity: float, prevalence: float, threshold: float) -> float:
    """True positives for each person, less false positives at t / (1 - t) each. Raises ConfigError where a share is not
    in 0..1, or the threshold is 1.
    """
    _check(prevalence, (threshold,))
    if not (0 <= sensitivity <= 1 and 0 <= specificity <= 1):
        raise ConfigError(f"Expected shares between 0 and 1, got {sensitivity} and {specificity}. Correct them.")
    return sensitivity * prevalence - (1 - specificity) * (1 - prevalence) * threshold / (1 - threshold)


def treating_all(prevalence: float, threshold: float) -> float:
    """Net benefit of acting on everybody."""
    return net_benefit(1, 0, prevalence, threshold)


def decision_curve(
    truth: npt.ArrayLike,
    known: npt.ArrayLike,
    probability: npt.ArrayLike,
    prevalence: float | None = None,
    groups: Sequence[str] | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
    resamples: int = 1000,
    seed: int = 0,
) -> DecisionCurve:
    """One finding over its known images, (N,) each. ``prevalence``: of those who are tested, in 0..1; None: that of
    the images.
    ``thresholds``: rising, in 0..1 without 1. Raises as ``known.checked``, ConfigError for shares out of range.
    """
    columns = [np.asarray(part)[:, None] for part in (truth, known, probability)]
    positive, sure, scores = checked(columns[0], columns[1], columns[2], 1)
    limits = np.asarray(thresholds, dtype=np.float64)
    _check(prevalence or 0.0, thresholds)
    if (np.diff(limits) <= 0).any():
        raise ConfigError(f"Expected thresholds that rise, got {list(thresholds)[:5]}. Sort them.")
    unit, units = units_of(groups, len(scores))
    here = sure[:, 0]
    counts = _Reaching(positive[here, 0], scores[here, 0], unit[here], units, limits)
    seen = counts(np.ones((units, 1)))
    total = seen[:, 0, 0]
    n, positives = int(total.sum()), int(total[0])
    share = prevalence if prevalence is not None else (positives / n if n else 0.0)
    odds = limits / (1 - limits)
    everybody = share - (1 - share) * odds

    def benefit(reached: Floats) -> Floats:
        """(T, b) of counts (2, 1 + T, b), the first of which is all."""
        rates = ratio(reached[:, 1:], np.broadcast_to(reached[:, :1], reached[:, 1:].shape))
        # A resample's own prevalence, unless one is given: then it is known, and does not vary.
        of_all = ratio(reached[0, 0], reached[:, 0].sum(axis=0)) if prevalence is None else share
        gained: Floats = rates[0] * of_all - rates[1] * (1 - of_all) * odds[:, None]
        return gained

    if not (total > 0).all():
        return DecisionCurve(n, positives, share, tuple(limits.tolist()), None, None, tuple(everybody.tolist()), ())
    model = benefit(seen)[:, 0]
    drawn = [
        benefit(counts(np.ascontiguousarray(part.T, dtype=np.float64)))
        for part in wide_draws(units, resamples, seed, len(scores))
    ]
    values, carried = np.concatenate(drawn, axis=1), len(np.unique(unit[here]))
    return DecisionCurve(
        n=n,
        positives=positives,
        prevalence=share,
        thresholds=tuple(limits.tolist()),
        model=tuple(model.tolist()),
        ends=tuple(interval(row, carried) for row in values),
        treat_all=tuple(everybody.tolist()),
        useful=_ranges(limits, model > np.maximum(everybody, 0) + 1e-12),
    )


class _Reaching:
    """How many weighted positives and negatives reach each threshold: (2, 1 + T, b), the first of all of them."""

    def __init__(
        self, positive: Bools, scores: Floats, unit: npt.NDArray[np.intp], units: int, thresholds: Floats
    ) -> None:
        from scipy.sparse import csr_array

        self._bins = len(thresholds) + 1
        # The number of thresholds that an image reaches; it counts at each of them.
        place = np.searchsorted(thresholds, scores, side="right") + np.where(positive, 0, self._bins)
        self._counts = csr_array((np.ones(len(scores)), (place, unit)), shape=(2 * self._bins, units))

    def __call__(self, weights: Floats) -> Floats:
        """For ``weights`` (units, b)."""
        counts = (self._counts @ weights).reshape(2, self._bins, -1)
        return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]


def _ranges(thresholds: Floats, better: Bools) -> tuple[tuple[float, float], ...]:
    """First and last threshold of each run of those where it is ``better``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], better.astype(int), [0]])))
    return tuple(
        (float(thresholds[start]), float(thresholds[end - 1]))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    )


def _check(prevalence: float, thresholds: Sequence[float]) -> None:
    if not 0 <= prevalence <= 1:
        raise ConfigError(f"prevalence: expected a share between 0 and 1 (5 % is 0.05), got {prevalence}. Change it.")
    bad = [t for t in thresholds if not 0 <= t < 1]
    if bad:
        raise ConfigError(f"threshold: expected a share from 0 to below 1, got {bad[0]}. Change it.")
