"""Two runs finding by finding, on the same images: differences with intervals from the same draws of patients.

::

    found = compared(truth, known, first, second, names, limits_first, limits_second, patients)
    found.findings[0].figures["roc_auc"]         # Difference(first, second, difference, ends)
    found.macro_roc_auc                          # over the findings that have both
    compared_within(truth, known, first, second, names, parts, patients)       # the same, mean over parts of the images

A resample's figures are computed for both runs and subtracted, so that what makes an image hard for both falls out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxr_core.evaluation.findings import RESAMPLES
from cxr_core.evaluation.known import Columns, checked, wide_draws
from cxr_core.evaluation.rare import FEW
from cxr_core.evaluation.resampling import Floats, Interval, interval, row_means, units_of

FIGURES = ("roc_auc", "average_precision", "sensitivity", "specificity", "f1")


@dataclass(frozen=True)
class Difference:
    """A figure of both runs, the first less the second, and the 95 % interval of that; None where not defined."""

    first: float | None
    second: float | None
    difference: float | None
    ends: Interval

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out no difference at all."""
        return self.ends is not None and not self.ends[0] <= 0 <= self.ends[1]


@dataclass(frozen=True)
class FindingDifference:
    """One finding: ``n`` images where both know it, ``patients`` (units) with it and ``others`` without it."""

    name: str
    n: int
    positives: int
    patients: int
    others: int
    figures: dict[str, Difference]

    @property
    def few(self) -> bool:
        return min(self.patients, self.others) < FEW


@dataclass(frozen=True)
class Compared:
    """``counted``: the findings of the macro ROC AUC. ``units``: what was drawn, patients where they are known."""

    findings: tuple[FindingDifference, ...]
    macro_roc_auc: Difference
    counted: tuple[str, ...]
    n: int
    units: int


def compared(
    truth: npt.ArrayLike,
    known: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    names: Sequence[str],
    limits_first: Mapping[str, float],
    limits_second: Mapping[str, float],
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Compared:
    """``truth``, ``known`` (N, K) bool, ``first`` and ``second``: the probabilities of each run, (N, K). Raises as
    ``findings.judged``.
    """
    unit, units = units_of(groups, len(np.asarray(truth)))
    sides = []
    for probabilities, given in ((first, limits_first), (second, limits_second)):
        positive, sure, scores = checked(truth, known, probabilities, len(names))
        limits = np.array([given.get(name, 0.5) for name in names], dtype=np.float64)
        sides.append(Columns(positive, sure, scores, limits, unit, units))
    once = np.ones((1, units), dtype=np.int64)
    seen = [{name: values[0] for name, values in side.figures(once).items()} for side in sides]
    drawn = _drawn(sides, units, resamples, seed, len(unit))
    carried = sides[0].carried()
    # What is called differs between the two; a difference rests on the fewer.
    on = {name: np.minimum(carried[name], sides[1].carried()[name]) for name in FIGURES}
    found = []
    for k, name in enumerate(names):
        figures = {
            figure: _difference(
                float(seen[0][figure][k]), float(seen[1][figure][k]), drawn[figure][:, k], int(on[figure][k])
            )
            for figure in FIGURES
        }
        cells = {cell: int(seen[0][cell][k]) for cell in ("tp", "fp", "fn", "tn")}
        found.append(
            FindingDifference(
                name=name,
                n=sum(cells.values()),
                positives=cells["tp"] + cells["fn"],
                patients=int(carried["sensitivity"][k]),
                others=int(carried["specificity"][k]),
                figures=figures,
            )
        )
    both = np.flatnonzero(~np.isnan(seen[0]["roc_auc"]))
    macro = Difference(None, None, None, None)
    if len(both):
        # A resample without one of them leaves its difference out.
        means = row_means(drawn["roc_auc"][:, both])
        areas = [float(side["roc_auc"][both].mean()) for side in seen]
        macro = _difference(areas[0], areas[1], means, units)
    return Compared(tuple(found), macro, tuple(names[int(k)] for k in both), len(unit), units)


@dataclass(frozen=True)
class WithinDifference:
    """The ROC AUC of one finding: its mean over ``parts`` parts of the images, those that have both."""

    name: str
    parts: int
    n: int
    positives: int
    roc_auc: Difference


@dataclass(frozen=True)
class Within:
    """``macro_roc_auc``: the mean over all parts and findings that have both; ``counted``: these findings."""

    findings: tuple[WithinDifference, ...]
    macro_roc_auc: Difference
    counted: tuple[str, ...]
    n: int
    units: int


def compared_within(
    truth: npt.ArrayLike,
    known: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    names: Sequence[str],
    parts: Sequence[str],
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Within:
    """ROC AUC alone, within each part of the images, (N,) texts: where another network answered each part, as for each
    source left out of training, their probabilities do not rank the images of two parts against each other.
    """
    there, sure = np.asarray(truth, dtype=bool), np.asarray(known, dtype=bool)
    sides = [np.asarray(one, dtype=np.float64) for one in (first, second)]
    inside = {part: np.array([text == part for text in parts]) for part in sorted(set(parts))}

    def over(k: int | None) -> Compared:
        """A column for each part and finding, or of one finding."""
        places = range(len(names)) if k is None else [k]
        which = [(part, j) for part in inside for j in places]
        columns = [j for _, j in which]
        here = sure[:, columns] & np.stack([inside[part] for part, _ in which], axis=1)
        titles = [names[j] for j in columns]
        a, b = (side[:, columns] for side in sides)
        return compared(there[:, columns] & here, here, a, b, titles, {}, {}, groups, resamples, seed)

    whole = over(None)
    counted = tuple(name for name in names if name in whole.counted)
    found = []
    for name in counted:
        one = over(names.index(name))
        both = [part for part in one.findings if part.figures["roc_auc"].first is not None]
        n, positives = sum(part.n for part in both), sum(part.positives for part in both)
        found.append(WithinDifference(name, len(both), n, positives, one.macro_roc_auc))
    return Within(tuple(found), whole.macro_roc_auc, counted, whole.n, whole.units)


def _drawn(sides: Sequence[Columns], units: int, resamples: int, seed: int, n: int) -> dict[str, Floats]:
    """The difference of each figure in every resample, (b, K)."""
    parts: dict[str, list[Floats]] = {name: [] for name in FIGURES}
    for drawn in wide_draws(units, resamples, seed, n):
        first, second = (side.figures(drawn) for side in sides)
        for name in FIGURES:
            parts[name].append(first[name] - second[name])
    return {name: np.concatenate(values) for name, values in parts.items()}


def _difference(first: float, second: float, drawn: Floats, carried: int) -> Difference:
    known = [None if np.isnan(value) else value for value in (first, second)]
    if known[0] is None or known[1] is None:
        return Difference(known[0], known[1], None, None)
    return Difference(known[0], known[1], known[0] - known[1], interval(drawn, carried))
