"""Figures of findings over the images where each is known, as they are and in every resample: the arithmetic.

::

    columns = Columns(truth, known, probabilities, thresholds, unit, units)
    seen = columns.figures(np.ones((1, units), dtype=np.int64))       # {figure: (1, K)}
    for drawn in wide_draws(units, resamples, seed, n):               # {figure: (b, K)}
        columns.figures(drawn)

A column is a finding, or a finding in one subgroup: the same images with fewer of them known. All sums are products of
the draws with sparse matrices, one entry for each known label, so that time grows with what is known, and memory with
neither the resamples nor the square of anything.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cxr_core.errors import DatasetError, RunError
from cxr_core.evaluation.resampling import CHUNK, Floats, Ints, draws, ratio

Bools = npt.NDArray[np.bool_]
CELLS = ("tp", "fp", "fn", "tn")
# Ratio -> (what it counts, what it counts it among).
RATIOS = {
    "prevalence": (("tp", "fn"), ("tp", "fp", "fn", "tn")),
    "sensitivity": (("tp",), ("tp", "fn")),
    "specificity": (("tn",), ("tn", "fp")),
    "ppv": (("tp",), ("tp", "fp")),
    "npv": (("tn",), ("tn", "fn")),
}
FIGURES = (*RATIOS, "f1", "roc_auc", "average_precision", "calibration_gap", "brier")
_SUMS = (*CELLS, "probability", "squared_error")
# Times as many weights at once as for one class at a time, and never fewer rows than this: a sparse product wants rows
# of some length.
_WIDTH, _ROWS = 2, 25


def wide_draws(units: int, resamples: int, seed: int, n: int) -> Iterator[Ints]:
    """The rows of ``resampling.draws``, more of them at a time: 4 MB as float64, of 100,000 patients 20 MB."""
    return draws(units, resamples, seed, max(1, min(n // _WIDTH, CHUNK // _ROWS)))


def checked(
    truth: npt.ArrayLike, known: npt.ArrayLike, probabilities: npt.ArrayLike, k: int
) -> tuple[Bools, Bools, Floats]:
    """Truth and known (N, K) bool, probabilities float64. Raises DatasetError without images, RunError where the
    probability of a known label is no number.
    """
    positive, sure = np.asarray(truth, dtype=bool), np.asarray(known, dtype=bool)
    scores = np.asarray(probabilities, dtype=np.float64)
    if positive.shape != sure.shape or positive.shape != scores.shape or positive.ndim != 2 or positive.shape[1] != k:
        raise ValueError(f"expected three arrays (N, {k}), got {positive.shape}, {sure.shape} and {scores.shape}")
    if not len(scores):
        raise DatasetError("Expected at least one image to evaluate, got none. Choose a split that has images.")
    bad = int((~np.isfinite(scores) & sure).any(axis=1).sum())
    if bad:
        raise RunError(
            f"Expected probabilities between 0 and 1, got no number for {bad} of {len(scores)} images: the training "
            "diverged. Train again with a lower learning rate."
        )
    return positive & sure, sure, np.where(sure, scores, 0)


class Columns:
    """K columns of labels, ready to be weighted by draws of ``units``.

    ``truth``, ``known``, ``probabilities``: (N, K), as ``checked`` gives them; ``thresholds`` (K,); ``unit`` (N,).
    ``called`` (N, K): what was decided, where that is not what reaches its threshold.
    """

    def __init__(
        self,
        truth: Bools,
        known: Bools,
        probabilities: Floats,
        thresholds: Floats,
        unit: npt.NDArray[np.intp],
        units: int,
        called: Bools | None = None,
    ) -> None:
        # A fifth of a second to import; who only reads a report needs none of it.
        from scipy.sparse import csr_array

        k, self.units = truth.shape[1], units
        image, column = np.nonzero(known)
        positive, score, who = truth[image, column], probabilities[image, column], unit[image]
        called = score >= thresholds[column] if called is None else called[image, column]
        cell = np.where(called, np.where(positive, 0, 1), np.where(positive, 2, 3))
        places = [column * len(_SUMS) + cell, column * len(_SUMS) + 4, column * len(_SUMS) + 5]
        values = [np.ones(len(image)), score, (score - positive) ** 2]
        self._sums = csr_array(
            (np.concatenate(values), (np.concatenate(places), np.tile(who, 3))), shape=(k * len(_SUMS), units)
        )
        # Whether a unit has any: counts would take eight times the memory.
        self._cells = np.zeros((units, k, 4), dtype=bool)
        self._cells[who, column, cell] = True
        self._areas = [
            Areas(truth[known[:, j], j], probabilities[known[:, j], j], unit[known[:, j]], units) for j in range(k)
        ]

    def figures(self, drawn: Ints) -> dict[str, Floats]:
        """Each of FIGURES and of tp, fp, fn, tn, (b, K), for the rows of ``drawn`` (b, units); NaN where a figure has
        no denominator, or its curve not both a positive and a negative.
        """
        weights = np.ascontiguousarray(drawn.T, dtype=np.float64)
        sums = (self._sums @ weights).reshape(-1, len(_SUMS), len(drawn)).transpose(1, 2, 0)
        found = dict(zip(_SUMS, sums, strict=True))
        n = sum(found[cell] for cell in CELLS)
        areas = np.stack([part.of(weights) for part in self._areas], axis=2)
        figures: dict[str, Floats] = {cell: found[cell] for cell in CELLS}
        figures |= {
            name: ratio(sum(found[c] for c in part), sum(found[c] for c in whole))
            for name, (part, whole) in RATIOS.items()
        }
        figures["f1"] = ratio(2 * found["tp"], 2 * found["tp"] + found["fp"] + found["fn"])
        figures["roc_auc"], figures["average_precision"] = areas
        figures["calibration_gap"] = np.where(n > 0, ratio(found["probability"], n) - figures["prevalence"], np.nan)
        figures["brier"] = ratio(found["squared_error"], n)
        return figures

    def carried(self) -> dict[str, Ints]:
        """On how many units each ratio rests, (K,): those that count in its denominator; a curve on the fewer of those
        with a positive and those with a negative.
        """
        of = dict(zip(CELLS, self._cells.transpose(2, 0, 1), strict=True))
        counts = {
            name: np.logical_or.reduce([of[cell] for cell in whole]).sum(axis=0) for name, (_, whole) in RATIOS.items()
        }
        counts["f1"] = (of["tp"] | of["fp"] | of["fn"]).sum(axis=0)
        counts["roc_auc"] = counts["average_precision"] = np.minimum(counts["sensitivity"], counts["specificity"])
        counts["calibration_gap"] = counts["brier"] = counts["prevalence"]
        return counts


class Areas:
    """ROC AUC and average precision of one column. Both only change where there are positives: what lies between two of
    them is added up by a sparse product.
    """

    def __init__(self, truth: Bools, score: Floats, unit: npt.NDArray[np.intp], units: int) -> None:
        from scipy.sparse import csr_array

        order = np.argsort(-score, kind="stable")
        positive, who = truth[order], unit[order]
        # Images of one score are passed together.
        tie = np.concatenate([[0], np.cumsum(score[order][1:] < score[order][:-1])]) if len(order) else np.zeros(0, int)
        with_positive = np.bincount(tie, positive, minlength=1) > 0
        # Segment 2g + 1 is the tie g that has positives, 2g what comes before it, the last one what follows all.
        before: Ints = np.cumsum(with_positive) - with_positive
        segment = (2 * before + with_positive)[tie] if len(order) else tie
        self._groups = int(with_positive.sum())
        ones = np.ones(len(order))
        self._negative = csr_array(
            (ones[~positive], (segment[~positive], who[~positive])), shape=(2 * self._groups + 1, units)
        )
        self._positive = csr_array(
            (ones[positive], (segment[positive] // 2, who[positive])), shape=(max(self._groups, 1), units)
        )

    def of(self, weights: Floats) -> Floats:
        """(2, b) of ``weights`` (units, b); NaN without a positive or a negative."""
        if not self._groups:
            return np.full((2, weights.shape[1]), np.nan)
        gained, between = self._positive @ weights, self._negative @ weights
        positives, negatives = gained.sum(axis=0), between.sum(axis=0)
        tied = between[1::2]
        passed = np.cumsum(between[:-1:2] + tied, axis=0)
        # Trapezoids between the points of the ROC curve, steps between those of the precision-recall curve.
        auc = positives * negatives - (gained * (passed - tied / 2)).sum(axis=0)
        hits = np.cumsum(gained, axis=0)
        ap = (gained * ratio(hits, hits + passed)).sum(axis=0, where=gained > 0)
        defined = (positives > 0) & (negatives > 0)
        blank = np.full(len(positives), np.nan)
        return np.stack(
            [
                np.divide(auc, positives * negatives, out=blank.copy(), where=defined),
                np.divide(ap, positives, out=blank, where=defined),
            ]
        )


def roc_areas(truth: Bools, known: Bools, probabilities: Floats) -> Floats:
    """ROC AUC of each column over its known images, (K,); NaN without a positive or a negative. All are (N, K)."""
    once = np.ones((1, 1))
    found = []
    for j in range(truth.shape[1]):
        here = known[:, j]
        found.append(
            Areas(truth[here, j], probabilities[here, j], np.zeros(int(here.sum()), np.intp), 1).of(once)[0, 0]
        )
    return np.array(found, dtype=np.float64)
