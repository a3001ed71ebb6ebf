"""Each finding's threshold, chosen on the validation split's known images: by F1, Youden's J or a wanted sensitivity.

::

    chosen = choose(truth, known, probabilities, names, Rule("f1"))           # {name: Chosen}
    choose(truth, known, probabilities, names, Rule("sensitivity", 0.9))["Edema"].threshold

The threshold with the highest F1 or J of a few images chases their noise. So it is the mean, in log-odds, of those of
RESAMPLES bootstrap samples, drawn within the positives and the negatives (bagging, Breiman 1996). Where many images
agree this is the best threshold itself. On synthetic scores (50 to 1,000 images, 2 to 30 % positive, three shapes) it
lost 0.013 to 0.039 of the best F1, where the threshold that is best on the images themselves lost 0.020 to 0.059, and
0.003 to 0.043 of the best J, where that one lost 0.007 to 0.064. Two fitted normal distributions lose a little less J
with about five positives, and more with many; ``tests/evaluation/test_thresholds.py`` repeats a part. A wanted
sensitivity is taken at its word: the highest threshold that reaches it on these images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cxr_core.errors import ConfigError
from cxr_core.evaluation.known import Bools, checked
from cxr_core.evaluation.rare import FEW
from cxr_core.evaluation.resampling import Floats
from cxr_core.labels import f1_by_rank

RESAMPLES = 100


@dataclass(frozen=True)
class Rule:
    """``wanted``: the sensitivity, for that rule alone."""

    by: Literal["f1", "youden", "sensitivity"] = "f1"
    wanted: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.wanted <= 1:
            raise ConfigError(
                f"sensitivity: expected a share above 0 and up to 1 (90 % is 0.9), got {self.wanted}. Change it."
            )


@dataclass(frozen=True)
class Chosen:
    """0.5 where the known images have no positive or no negative. ``few``: either is fewer than ten images."""

    threshold: float
    positives: int
    negatives: int

    @property
    def few(self) -> bool:
        return min(self.positives, self.negatives) < FEW


def choose(
    truth: npt.ArrayLike,
    known: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    names: Sequence[str],
    rule: Rule,
    seed: int = 0,
) -> dict[str, Chosen]:
    """Arrays (N, K) of the validation split, never of the test. The same seed gives the same thresholds. Raises as
    ``known.checked``.
    """
    positive, sure, scores = checked(truth, known, probabilities, len(names))
    found = {}
    for k, name in enumerate(names):
        truly, score = positive[sure[:, k], k], scores[sure[:, k], k]
        positives, negatives = int(truly.sum()), int((~truly).sum())
        threshold = _threshold(truly, score, rule, seed) if positives and negatives else 0.5
        found[name] = Chosen(threshold, positives, negatives)
    return found


def best_f1(truth: Bools, known: Bools, probabilities: Floats) -> Floats:
    """The highest F1 of each column over its known images, (K,), NaN without a positive: what an epoch could reach, not
    a way to choose a threshold. All are (N, K).
    """
    found = np.full(truth.shape[1], np.nan)
    for k in range(truth.shape[1]):
        truly, score = truth[known[:, k], k], probabilities[known[:, k], k]
        if truly.any():
            found[k] = f1_by_rank(truly, score)[1].max()
    return found


def _threshold(truth: Bools, score: Floats, rule: Rule, seed: int) -> float:
    if rule.by == "sensitivity":
        ranked = np.sort(score[truth])[::-1]
        # Rounded first: 0.7 of 10 is seven, not the eight that 7.000000000000001 would need.
        return float(ranked[int(np.ceil(round(rule.wanted * len(ranked), 9))) - 1])
    levels, place = np.unique(score, return_inverse=True)
    between = _log_odds((levels + np.concatenate([[0.0], levels[:-1]])) / 2)
    # The ends of the range in which a threshold calls the same images: its middle stands for it.
    rng, places = np.random.default_rng(seed), []
    positive, negative = (np.bincount(place[part], minlength=len(levels)) for part in (truth, ~truth))
    for _ in range(RESAMPLES):
        p, n = (rng.multinomial(part.sum(), part / part.sum()) for part in (positive, negative))
        places.append(_best(p, n, rule, between))
    return float(1 / (1 + np.exp(-np.mean(places))))


def _best(positive: npt.NDArray[np.int64], negative: npt.NDArray[np.int64], rule: Rule, between: Floats) -> float:
    """The log-odds of the best threshold for these counts at each level of the score: the middle of the best ones."""
    hits, alarms = (np.cumsum(part[::-1])[::-1].astype(np.float64) for part in (positive, negative))
    value = 2 * hits / (hits + alarms + hits[0]) if rule.by == "f1" else hits / hits[0] - alarms / alarms[0]
    first = int(value.argmax())
    rest = value[first:] < value[first] - 1e-12
    last = first + int(rest.argmax()) - 1 if rest.any() else len(value) - 1
    return float((between[first] + between[last]) / 2)


def _log_odds(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.log(clipped) - np.log1p(-clipped)
