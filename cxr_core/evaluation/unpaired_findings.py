"""One run's findings on two sets of images that share no patient: its own test (a) and another data set (b).

::

    found = unpaired_findings(Labels(truth, known, p, patients), Labels(...), names, thresholds)
    found["macro_roc_auc"]["drop"], found["macro_roc_auc"]["ci"]
    found["per_class"]["Effusion"]["roc_auc"]["b"]

Different images are not paired: the two are resampled independently, as in ``intervals.unpaired``. What is paired is
the findings: the mean area of both sides is over the same ones. What rests on fewer than ten patients is drawn at its
bounds, as in ``rare``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.evaluation.findings import RESAMPLES
from cxr_core.evaluation.known import Columns, checked, wide_draws
from cxr_core.evaluation.rare import FEW, Streams, high_draws, low_draws, melded
from cxr_core.evaluation.resampling import Floats, row_means, units_of

# Figure -> its name in a report.
FIGURES = {"roc_auc": "roc_auc", "average_precision": "average_precision", "sensitivity": "recall"} | {
    "specificity": "specificity"
}
# Far from the seeds that a person chooses.
_APART = 7919


@dataclass(frozen=True)
class Labels:
    """``truth`` and ``known`` (N, K) bool, ``scores`` (N, K) in 0..1, ``patients`` (N,), "" where one is not known."""

    truth: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float64]
    patients: Sequence[str]


def unpaired_findings(
    a: Labels,
    b: Labels,
    names: Sequence[str],
    thresholds: Mapping[str, float],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """a minus b, so that above zero is a drop from a to b.

    ``{"labels": [those that have both on both sides], "n": [images, images], "macro_roc_auc": {"a", "a_ci", "b",
    "b_ci", "drop", "ci"} over these, None where there is none, "per_class": {name: {figure: the same, for each of
    FIGURES, "known", "positives", "patients", "others": two numbers each}}}``. A figure that one side does not have is
    None there, and its drop too. Raises as ``findings.judged``.
    """
    sides = [_Side(part, names, thresholds, resamples, seed + _APART * k) for k, part in enumerate((a, b))]
    both = [k for k in range(len(names)) if not any(np.isnan(side.seen["roc_auc"][k]) for side in sides)]
    per_class = {
        name: {
            **{title: _difference([side.of(figure, k) for side in sides]) for figure, title in FIGURES.items()},
            **{count: [int(side.counts[count][k]) for side in sides] for count in sides[0].counts},
        }
        for k, name in enumerate(names)
    }
    macro = _difference([side.macro(both) for side in sides]) if both else None
    return {
        "labels": [names[k] for k in both],
        "n": [len(part.truth) for part in (a, b)],
        "macro_roc_auc": macro,
        "per_class": per_class,
    }


@dataclass(frozen=True)
class _Drawn:
    """A figure, its resamples plain and at their lower and upper bound, and on how many units it rests."""

    value: float
    plain: Floats
    low: Floats
    high: Floats
    units: int


class _Side:
    def __init__(
        self, labels: Labels, names: Sequence[str], thresholds: Mapping[str, float], resamples: int, seed: int
    ) -> None:
        positive, sure, scores = checked(labels.truth, labels.known, labels.scores, len(names))
        unit, units = units_of(labels.patients, len(scores))
        limits = np.array([thresholds.get(name, 0.5) for name in names], dtype=np.float64)
        columns = Columns(positive, sure, scores, limits, unit, units)
        self.seen = {
            figure: values[0] for figure, values in columns.figures(np.ones((1, units), dtype=np.int64)).items()
        }
        parts = [columns.figures(drawn) for drawn in wide_draws(units, resamples, seed, len(scores))]
        self._values = {figure: np.concatenate([part[figure] for part in parts]) for figure in FIGURES}
        self._carried, self._units, self._streams = columns.carried(), units, Streams(seed)
        self.counts = {
            "known": sure.sum(axis=0),
            "positives": positive.sum(axis=0),
            "patients": self._carried["sensitivity"],
            "others": self._carried["specificity"],
        }

    def of(self, figure: str, k: int) -> _Drawn:
        """One figure of one finding."""
        value, plain, units = float(self.seen[figure][k]), self._values[figure][:, k], int(self._carried[figure][k])
        low = high = plain
        if units < FEW and not np.isnan(value):
            purpose = (list(FIGURES).index(figure), k)
            low = low_draws(value * units, units, len(plain), self._streams(1, *purpose))
            high = high_draws(value * units, units, len(plain), self._streams(2, *purpose))
        return _Drawn(value, plain, low, high, units)

    def macro(self, both: Sequence[int]) -> _Drawn:
        """The mean area over ``both``."""
        areas = [self.of("roc_auc", k) for k in both]
        drawn = [
            row_means(np.stack(part, axis=1))
            for part in ([one.plain for one in areas], [one.low for one in areas], [one.high for one in areas])
        ]
        return _Drawn(float(np.mean([one.value for one in areas])), drawn[0], drawn[1], drawn[2], self._units)


def _difference(sides: Sequence[_Drawn]) -> dict[str, Any]:
    a, b = sides
    values = [None if np.isnan(side.value) else side.value for side in sides]
    ends = [None if np.isnan(side.value) else melded(side.plain, side.low, side.high, side.units) for side in sides]
    drop = ci = None
    if values[0] is not None and values[1] is not None:
        drop = values[0] - values[1]
        ci = melded(a.plain - b.plain, a.low - b.high, a.high - b.low, min(a.units, b.units))
    return {"a": values[0], "a_ci": ends[0], "b": values[1], "b_ci": ends[1], "drop": drop, "ci": ci}
