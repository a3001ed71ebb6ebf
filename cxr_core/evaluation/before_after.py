"""Two decision rules on the same images: every figure before and after, and the difference with its 95 % interval.

::

    found = compared(names, before, after, patients)
    found.overall["brier"]                         # Change(before, before_ci, after, after_ci, difference, ci)
    found.per_class["COVID19"]["recall"].ci

One rule is another temperature and other thresholds on the logits of the same network. Both are judged on the same
resamples of patients, so that what makes an image hard for both falls out. Definitions are those of ``metrics`` and
``calibration``, of findings over the images where each is known. A resample of n images has more calibration error than
the images themselves, the more the better calibrated they are; so that intervals of ECE stand around what they are of,
its draws are moved by that much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_core.evaluation.calibration import BINS
from cxr_core.evaluation.known import Areas
from cxr_core.evaluation.rare import FEW, widened
from cxr_core.evaluation.resampling import Floats, Interval, Ints, draws, interval, ratio, row_means, units_of
from cxr_core.figures import counted, number, signed

Bools = NDArray[np.bool_]
RESAMPLES = 2000
SHOWN = 0.0005
SHARES = ("recall", "specificity", "roc_auc")
PER_LABEL = (*SHARES, "f1", "ece", "brier")
OVERALL = ("macro_f1", "balanced_accuracy", "macro_roc_auc", "ece", "brier")


@dataclass(frozen=True)
class Answers:
    """What a rule says of N images and K labels, (N, K) each.

    ``truth``: whether a label holds, implied ones included, where ``known``; ``own``: whether a decision for it would
    be right, which of classes is the image's alone; ``called``: the decisions. ``exclusive``: classes, of which an
    image has one; ``competing``: these as single labels, of whose calibration the most probable class tells.
    """

    truth: Bools
    known: Bools
    own: Bools
    called: Bools
    probabilities: Floats
    exclusive: bool
    competing: bool = False


@dataclass(frozen=True)
class Change:
    """A figure before and after, the latter less the former; None where it is not defined."""

    before: float | None
    before_ci: Interval
    after: float | None
    after_ci: Interval
    difference: float | None
    ci: Interval

    @property
    def is_sure(self) -> bool:
        """Whether the interval of the difference leaves out no difference at all, and it shows in three decimals."""
        if self.ci is None or self.difference is None or abs(self.difference) < SHOWN:
            return False
        return not self.ci[0] <= 0 <= self.ci[1]


@dataclass(frozen=True)
class BeforeAfter:
    """``few``: label -> patients with it, or without it, where these are fewer than ten."""

    overall: dict[str, Change]
    per_class: dict[str, dict[str, Change]]
    few: dict[str, int]
    n: int
    units: int


def compared(
    names: Sequence[str],
    before: Answers,
    after: Answers,
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> BeforeAfter:
    """``names`` (K,), ``groups`` (N,) patients, "" where one is not known. Overall figures are means over the labels
    that have both; balanced accuracy is the mean recall, of findings that of sensitivity and specificity.
    """
    unit, units = units_of(groups, len(before.truth))
    sides = [_Side(answers, unit, units) for answers in (before, after)]
    once = np.ones((1, units), dtype=np.int64)
    seen = [side.figures(once) for side in sides]
    parts = [[side.figures(drawn) for side in sides] for drawn in draws(units, resamples, seed, len(unit))]
    drawn = [{key: np.concatenate([part[k][key] for part in parts]) for key in seen[k]} for k in range(2)]
    for key in seen[0]:
        if key.endswith("ece"):
            for k in range(2):
                middle = np.nanmean(drawn[k][key], axis=0) if len(drawn[k][key]) else 0.0
                drawn[k][key] = np.clip(drawn[k][key] - (middle - seen[k][key]), 0, 1)
    carried = _carried(before, unit, units)
    per_class = {
        name: {
            figure: _change(
                [float(part[figure][0, k]) for part in seen],
                [part[figure][:, k] for part in drawn],
                int(carried[figure][k]),
                exact=figure in SHARES,
            )
            for figure in PER_LABEL
        }
        for k, name in enumerate(names)
    }
    overall = {
        figure: _change(
            [float(part[f"all_{figure}"][0]) for part in seen], [part[f"all_{figure}"] for part in drawn], units
        )
        for figure in OVERALL
    }
    fewest = np.minimum(carried["recall"], carried["specificity"])
    few = {name: int(n) for name, n in zip(names, fewest, strict=True) if n < FEW}
    return BeforeAfter(overall, per_class, few, len(unit), units)


def _change(seen: Sequence[float], drawn: Sequence[Floats], units: int, exact: bool = False) -> Change:
    """Of a figure before and after, and its values in the resamples; an ``exact`` one is a share."""
    ends = [interval(values, units) for values in drawn]
    if exact:
        ends = [widened(end, value, units) for end, value in zip(ends, seen, strict=True)]
    values = [None if np.isnan(value) else value for value in seen]
    if values[0] is None or values[1] is None:
        return Change(values[0], ends[0], values[1], ends[1], None, None)
    moved = interval(drawn[1] - drawn[0], units)
    return Change(values[0], ends[0], values[1], ends[1], values[1] - values[0], moved)


def _carried(answers: Answers, unit: NDArray[np.intp], units: int) -> Mapping[str, Ints]:
    """On how many units each figure of each label rests, (K,)."""

    def count(cells: Bools) -> Ints:
        there = np.zeros((units, cells.shape[1]), dtype=bool)
        np.logical_or.at(there, unit, cells)
        total: Ints = there.sum(axis=0, dtype=np.int64)
        return total

    known, truth, own = answers.known, answers.truth, answers.own
    own_units, other_units = count(known & own), count(known & ~own)
    ranked = np.minimum(count(known & truth), count(known & ~truth))
    every = count(known)
    counts = {"recall": own_units, "specificity": other_units, "f1": own_units, "roc_auc": ranked}
    return {**counts, "ece": every, "brier": every}


class _Side:
    """The figures of one rule's answers under draws of the units: sums of what each unit counts."""

    def __init__(self, answers: Answers, unit: NDArray[np.intp], units: int) -> None:
        known, own, called = answers.known, answers.own, answers.called
        error = np.where(known, answers.probabilities - answers.truth, 0.0)
        self._exclusive, self._competing = answers.exclusive, answers.competing
        cells = [known & own & called, known & ~own & called, known & own & ~called, known & ~own & ~called]
        self._sums = [_by_unit(part.astype(np.float64), unit, units) for part in (*cells, error**2)]
        labels = range(known.shape[1])
        self._gaps = [_gaps(error[:, k], answers.probabilities[:, k], known[:, k], unit, units) for k in labels]
        if answers.competing:
            rows, top = np.arange(len(own)), answers.probabilities.argmax(axis=1)
            score, right = answers.probabilities[rows, top], own[rows, top].astype(np.float64)
            self._gaps.append(_gaps(score - right, score, np.ones(len(score), dtype=bool), unit, units))
        self._areas = [
            Areas(answers.truth[known[:, k], k], answers.probabilities[known[:, k], k], unit[known[:, k]], units)
            for k in labels
        ]

    def figures(self, drawn: Ints) -> dict[str, Floats]:
        """Each of PER_LABEL (b, K), and of OVERALL as ``all_FIGURE`` (b,); NaN where one is not defined."""
        weights = drawn.astype(np.float64)
        tp, fp, fn, tn, squared = (weights @ part for part in self._sums)
        n = tp + fp + fn + tn
        columns = np.ascontiguousarray(weights.T)
        ece = np.stack([_error(gaps, weights) for gaps in self._gaps], axis=1)
        found = {
            "recall": ratio(tp, tp + fn),
            "specificity": ratio(tn, tn + fp),
            "f1": ratio(2 * tp, 2 * tp + fp + fn),
            "roc_auc": np.stack([area.of(columns)[0] for area in self._areas], axis=1),
            "ece": ece[:, : n.shape[1]],
            "brier": ratio(squared, n),
        }
        both = (tp + fn > 0) & (fp + tn > 0)
        f1 = np.where(both, np.nan_to_num(found["f1"]), np.nan)
        balanced = found["recall"] if self._exclusive else np.where(both, found["recall"] + found["specificity"], 0) / 2
        return {
            **found,
            "all_macro_f1": row_means(f1),
            "all_balanced_accuracy": row_means(np.where(both, balanced, np.nan)),
            "all_macro_roc_auc": row_means(found["roc_auc"]),
            "all_ece": ece[:, -1] if self._competing else row_means(found["ece"]),
            "all_brier": found["brier"].sum(axis=1) if self._competing else row_means(found["brier"]),
        }


def _by_unit(values: Floats, unit: NDArray[np.intp], units: int) -> Floats:
    """Sums over the images of each unit, (units, ...)."""
    found = np.zeros((units, *values.shape[1:]))
    np.add.at(found, unit, values)
    return found


def _gaps(error: Floats, score: Floats, known: Bools, unit: NDArray[np.intp], units: int) -> tuple[Floats, Floats]:
    """Of each unit: by bin of the probability the sum of what it is off by, (units, BINS), and its known images."""
    place = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], score)
    off = np.zeros((len(score), BINS))
    off[np.arange(len(score)), place] = np.where(known, error, 0)
    return _by_unit(off, unit, units), _by_unit(known.astype(np.float64), unit, units)


def _error(gaps: tuple[Floats, Floats], weights: Floats) -> Floats:
    """The expected calibration error of each draw, (b,)."""
    off, known = gaps
    return ratio(np.abs(weights @ off).sum(axis=1), weights @ known)


@dataclass(frozen=True)
class Verdict:
    """``better``: something got better for certain, and nothing worse."""

    better: bool
    sentence: str


TITLES = {
    "macro_f1": "macro F1",
    "balanced_accuracy": "balanced accuracy",
    "macro_roc_auc": "macro ROC AUC",
    "ece": "calibration error (ECE)",
    "brier": "Brier score",
    "roc_auc": "ROC AUC",
    "f1": "F1",
}


def verdict(found: BeforeAfter, aim: str) -> Verdict:
    """What came of it: the decisions by the figure ``aim``, the probabilities by the Brier score."""
    told, sure = [], []
    for figure, good in ((aim, 1), ("brier", -1)):
        change = found.overall[figure]
        if change.difference is None or change.ci is None or change.before is None or change.after is None:
            told.append(f"{TITLES[figure]} cannot be compared")
            continue
        told.append(
            f"{TITLES[figure]} {number(change.before)} before and {number(change.after)} after "
            f"({signed(change.difference)}, 95 % interval {signed(change.ci[0])} to {signed(change.ci[1])})"
        )
        if change.is_sure:
            sure.append(good * change.difference > 0)
    on = f"On the half that it was not fitted on ({counted(found.n, 'image')} of {counted(found.units, 'patient')})"
    if sure and all(sure):
        said = "It is better here."
    elif any(sure):
        said = "One got better and the other worse."
    elif sure:
        said = "It is worse here."
    else:
        said = "Nothing got better for certain: these images do not show that it helps."
    return Verdict(bool(sure) and all(sure), f"{said} {on}: {'; '.join(told)}.")
