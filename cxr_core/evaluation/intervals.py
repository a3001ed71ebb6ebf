"""How far the figures of a test set can be trusted: 95 % bootstrap intervals, and two runs on the same images.

::

    ci = bootstrap(true, probabilities, decisions, classes, implied, groups=patients)
    ci["accuracy"], ci["per_class"]["COVID19"]["recall"]        # [low, high], or None
    paired(true, decisions_a, decisions_b, len(classes), patients)["ci"]
    unpaired((true, decisions, patients), (true_b, decisions_b, patients_b), len(classes))["accuracy"]["ci"]

Resampled by patient, see ``resampling``; resamples that leave a figure without a denominator are left out of its
interval. What rests on fewer than ten patients is never narrower than the exact binomial interval, and a macro average
over such a class is widened by it: see ``rare``. Two limits, to be said where the figures are shown: an interval speaks
of other patients from where these came from, not of other hospitals; and where no resample differs (50 of 50 found) it
shrinks to a point, which only says that nothing else was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.evaluation.metrics import confusion_matrix, label_truth
from cxr_core.evaluation.rare import FEW, Rare, RarePair, Streams, melded, widened
from cxr_core.evaluation.resampling import Floats, Interval, Ints, draws, interval, known_patients, ratio, units_of
from cxr_core.labels import Implied

_OVERALL = ("accuracy", "balanced_accuracy", "macro_f1")
_DECIDED = ("recall", "specificity", "precision", "f1")
_RANKED = ("roc_auc", "average_precision")


def bootstrap(
    true: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    decisions: npt.ArrayLike,
    classes: Sequence[str],
    implied: Implied,
    groups: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """95 % intervals of the figures that ``metrics.report`` gives, by the same definitions, ready for JSON.

    ``true`` and ``decisions`` are (N,) class indices, ``probabilities`` (N, K) in 0..1, ``groups`` (N,) patients, ""
    where one is not known. The same seed gives the same intervals.

    ``{"resamples", "n", "grouped": images whose patient is known, "groups": units drawn, "few": {class: on how many
    units it rests, where these are fewer than ten}, "accuracy": [low, high], "balanced_accuracy", "macro_f1",
    "per_class": {class: {"recall", "specificity", "precision", "f1", "roc_auc", "average_precision"}}}``. None stands
    where a figure rests on fewer than two units (the class has one patient, or is never decided): one unit says nothing
    about the next. Raises DatasetError without images, RunError where a
    probability is not a number, ConfigError for less than one resample.
    """
    n_classes = len(classes)
    confusion_matrix(true, decisions, n_classes)
    truth, scores = label_truth(true, probabilities, classes, implied)
    unit, units = units_of(groups, len(truth))
    cells = _cells(true, decisions, n_classes, unit, units)
    rankings = [_Ranking(truth[:, k], scores[:, k], unit) for k in range(n_classes)]
    decided = _Decided.drawn(cells, resamples, seed, len(truth))
    # The same draws again: to keep them would take as much memory as all images of all resamples.
    areas = [
        np.stack([ranking.areas(drawn) for ranking in rankings], axis=2)
        for drawn in draws(units, resamples, seed, len(truth))
    ]
    values = decided.values | dict(zip(_RANKED, np.concatenate(areas, axis=1), strict=True))
    once = np.ones((1, units), dtype=np.int64)
    seen = _figures(_drawn_matrices(once, cells))
    seen |= dict(zip(_RANKED, np.stack([ranking.areas(once) for ranking in rankings], axis=2), strict=True))
    carried = _carried(cells)
    for k in range(n_classes):
        positive, negative = (len(np.unique(unit[truth[:, k] == kind])) for kind in (True, False))
        carried |= {(name, k): min(positive, negative) for name in _RANKED}
    return {
        "resamples": resamples,
        "n": len(truth),
        "grouped": sum(map(bool, known_patients(groups, len(truth)))),
        "groups": units,
        "few": {classes[k]: int(n) for k, n in enumerate(decided.rare.units) if n < FEW},
        **{name: decided.interval(name) for name in _OVERALL},
        "per_class": {
            name: {
                **{
                    figure: widened(interval(values[figure][:, k], units_k), seen[figure][0, k], units_k)
                    for figure in (*_DECIDED, *_RANKED)
                    for units_k in [carried[figure, k]]
                },
                "f1": decided.f1_interval(k, carried["f1", k]),
            }
            for k, name in enumerate(classes)
        },
    }


def macro_f1_interval(
    true: npt.ArrayLike,
    decisions: npt.ArrayLike,
    n_classes: int,
    groups: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """The 95 % interval of the macro F1 alone, as ``bootstrap`` gives it, for decisions without probabilities."""
    confusion_matrix(true, decisions, n_classes)
    unit, units = units_of(groups, len(np.asarray(true)))
    return _Decided.drawn(_cells(true, decisions, n_classes, unit, units), resamples, seed, len(unit)).interval(
        "macro_f1"
    )


def paired(
    true: npt.ArrayLike,
    decisions_a: npt.ArrayLike,
    decisions_b: npt.ArrayLike,
    n_classes: int,
    groups: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Two runs on the same images in the same order: a minus b, so that above zero a is the better one.

    ``{"n", "groups", "few": [classes, by index, of fewer than ten units], "accuracy_difference", "ci",
    "balanced_accuracy_difference", "balanced_accuracy_ci", "macro_f1_difference", "macro_f1_ci", "mcnemar": {"only_a",
    "only_b", "p"}}``: both runs are judged on the same resamples, and an interval is None for fewer than two units.
    What rests on fewer than ten units is widened as in ``rare``; two runs that decide every image alike differ by 0.
    ``only_a`` counts the images that a alone decided right; p is McNemar's exact two-sided test of these against
    ``only_b`` (McNemar 1947; a binomial test at one half, 1 where the runs never differ). It takes the images for
    independent: where patients have several, trust the interval. Raises as ``bootstrap`` does.
    """
    from scipy.stats import binomtest

    for decisions in (decisions_a, decisions_b):
        confusion_matrix(true, decisions, n_classes)
    right_a, right_b = (np.asarray(true) == np.asarray(decisions) for decisions in (decisions_a, decisions_b))
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    unit, units = units_of(groups, len(right_a))
    cells = [_cells(true, decisions, n_classes, unit, units) for decisions in (decisions_a, decisions_b)]

    rare = RarePair.of(true, (decisions_a, decisions_b), (cells[0], cells[1]))
    rng = Streams(seed)

    def differences(drawn: Ints) -> Floats:
        """Plain, at the lower and at the upper bound: (3, figures, b)."""
        matrices = [_drawn_matrices(drawn, part) for part in cells]
        sides = [[_figures(part) for part in matrices]] * 3
        if rare.is_rare:
            sides[1:] = [[_averaged(part) for part in side] for side in rare.sides(matrices[0], matrices[1], rng)]
        return np.stack([np.stack([a[name] - b[name] for name in _OVERALL]) for a, b in sides])

    seen = [_figures(_drawn_matrices(np.ones((1, units), dtype=np.int64), part)) for part in cells]
    drawn = np.concatenate([differences(part) for part in draws(units, resamples, seed, len(right_a))], axis=2)
    found: dict[str, Any] = {}
    for place, name in enumerate(_OVERALL):
        found[f"{name}_difference"] = float(seen[0][name][0] - seen[1][name][0])
        found["ci" if name == "accuracy" else f"{name}_ci"] = melded(
            drawn[0, place], drawn[1, place], drawn[2, place], units
        )
    return {
        "n": len(right_a),
        "groups": units,
        "few": [k for k, n in enumerate(rare.first.units) if n < FEW],
        **found,
        "mcnemar": {
            "only_a": only_a,
            "only_b": only_b,
            "p": float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0,
        },
    }


def unpaired(
    a: tuple[npt.ArrayLike, npt.ArrayLike, Sequence[str] | None],
    b: tuple[npt.ArrayLike, npt.ArrayLike, Sequence[str] | None],
    n_classes: int,
    counted: Sequence[int] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """One run on two data sets that share no patient: a minus b, so that above zero is a drop from a to b.

    ``a`` and ``b`` are (true, decisions, groups), (N,) each as in ``paired``. ``{figure: {"a", "a_ci", "b", "b_ci",
    "drop", "ci"}}`` for accuracy and macro_f1, and ``"n"`` and ``"right"``, two numbers each. The two are resampled
    independently, and the drop's interval is that of the differences; None where one side has fewer than two units.
    Macro F1 is the mean over ``counted`` (all classes by default). Raises as ``bootstrap`` does.
    """
    sides, counts = [], []
    for part, (true, decisions, groups) in enumerate((a, b)):
        matrix = confusion_matrix(true, decisions, n_classes)
        unit, units = units_of(groups, len(np.asarray(true)))
        cells = _cells(true, decisions, n_classes, unit, units)
        # Seeds that differ: draws that move together would make the difference too sure of itself.
        sides.append(_Decided.drawn(cells, resamples, seed + 7919 * part, len(unit), counted))
        counts.append((int(matrix.sum()), int(np.trace(matrix)), units))
    fewest = min(units for _, _, units in counts)
    figures = {}
    for name in ("accuracy", "macro_f1"):
        (plain_a, low_a, high_a), (plain_b, low_b, high_b) = ([part[name] for part in side.parts] for side in sides)
        values = [float(side.seen[name][0]) for side in sides]
        figures[name] = {
            "a": values[0],
            "a_ci": sides[0].interval(name),
            "b": values[1],
            "b_ci": sides[1].interval(name),
            "drop": values[0] - values[1],
            "ci": melded(plain_a - plain_b, low_a - high_b, high_a - low_b, fewest),
        }
    return {**figures, "n": [n for n, _, _ in counts], "right": [right for _, right, _ in counts]}


@dataclass(frozen=True)
class _Decided:
    """The figures of decisions, as they are (``seen``) and of every resample: plain, at their lower and upper bound."""

    rare: Rare
    seen: dict[str, Floats]
    parts: tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats]]

    @classmethod
    def drawn(
        cls, cells: Ints, resamples: int, seed: int, width: int, counted: Sequence[int] | None = None
    ) -> "_Decided":
        """``cells`` as ``_cells`` gives them; macro F1 is over the ``counted`` classes, all by default."""
        rare, rng, found = Rare.of(cells), Streams(seed), []
        for chunk in draws(len(cells), resamples, seed, width):
            matrices = _drawn_matrices(chunk, cells)
            plain = _figures(matrices, counted)
            sides = [_averaged(side, counted) for side in rare.sides(matrices, rng)] if rare.is_rare else [plain] * 2
            found.append((plain, *sides))
        seen = _figures(_drawn_matrices(np.ones((1, len(cells)), dtype=np.int64), cells), counted)
        plain, lower, upper = (
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            for parts in zip(*found, strict=True)
        )
        return cls(rare, seen, (plain, lower, upper))

    @property
    def values(self) -> dict[str, Floats]:
        return self.parts[0]

    def interval(self, name: str) -> Interval:
        """Of one of the figures over all classes."""
        plain, lower, upper = (part[name] for part in self.parts)
        return melded(plain, lower, upper, self.rare.all)

    def f1_interval(self, k: int, units: int) -> Interval:
        """Of the F1 of class ``k``, which rests on ``units``."""
        plain, lower, upper = (part["f1"][:, k] for part in self.parts)
        return melded(plain, lower, upper, units)


class _Ranking:
    """One label's images in the order of their scores, ready to be weighted."""

    def __init__(self, truth: npt.NDArray[np.bool_], score: Floats, unit: npt.NDArray[np.intp]) -> None:
        order = np.argsort(-score, kind="stable")
        self.unit, self.positive = unit[order], truth[order].astype(np.float64)
        # Images of one score are passed together: the curves have a point only behind the last of them.
        last = np.append(score[order][1:] < score[order][:-1], True)
        self.ends = np.arange(len(order)) if last.all() else np.flatnonzero(last)

    def areas(self, drawn: Ints) -> Floats:
        """ROC AUC and average precision, (2, b), of the rows of ``drawn``; NaN without a positive or a negative."""
        weight = drawn.astype(np.float64)[:, self.unit]
        total = np.cumsum(weight, axis=1)
        weight *= self.positive
        hits = np.cumsum(weight, axis=1)
        if len(self.ends) < len(self.unit):
            total, hits = total[:, self.ends], hits[:, self.ends]
        misses = total - hits
        positives, negatives = hits[:, -1].copy(), misses[:, -1].copy()
        gained = np.diff(hits, axis=1, prepend=0)
        # Trapezoids between the points of the ROC curve, and steps between those of the precision-recall curve.
        auc = positives * negatives - (gained * (misses - np.diff(misses, axis=1, prepend=0) / 2)).sum(axis=1)
        precision = np.divide(hits, total, out=np.zeros_like(hits), where=total > 0)
        ap = (gained * precision).sum(axis=1)
        defined = (positives > 0) & (negatives > 0)
        return np.stack(
            [
                np.divide(auc, positives * negatives, out=np.full(len(auc), np.nan), where=defined),
                np.divide(ap, positives, out=np.full(len(ap), np.nan), where=defined),
            ]
        )


def _cells(
    true: npt.ArrayLike, decisions: npt.ArrayLike, n_classes: int, unit: npt.NDArray[np.intp], units: int
) -> Ints:
    """The confusion matrix of each unit, (units, K, K): a resample's matrix is a sum of these."""
    cell = np.asarray(true, dtype=np.int64) * n_classes + np.asarray(decisions, dtype=np.int64)
    counted = np.bincount(unit * n_classes**2 + cell, minlength=units * n_classes**2)
    return counted.reshape(units, n_classes, n_classes).astype(np.int64, copy=False)


def _drawn_matrices(drawn: Ints, cells: Ints) -> Floats:
    """Confusion matrices (b, K, K) of the rows of ``drawn`` (b, units)."""
    units, k, _ = cells.shape
    return (drawn.astype(np.float64) @ cells.reshape(units, k * k).astype(np.float64)).reshape(-1, k, k)


def _figures(matrices: Floats, counted: Sequence[int] | None = None) -> dict[str, Floats]:
    """Figures of (b, K, K) matrices by the definitions of ``metrics.report``, but NaN without a denominator; macro F1
    over the ``counted`` classes."""
    tp = np.diagonal(matrices, axis1=1, axis2=2)
    support, predicted, total = matrices.sum(axis=2), matrices.sum(axis=1), matrices.sum(axis=(1, 2))[:, None]
    recall, f1 = ratio(tp, support), ratio(2 * tp, support + predicted)
    return {
        **_averaged({"accuracy": tp.sum(axis=1) / total[:, 0], "recall": recall, "f1": f1}, counted),
        "specificity": ratio(total - support - predicted + tp, total - support),
        "precision": ratio(tp, predicted),
    }


def _averaged(figures: dict[str, Floats], counted: Sequence[int] | None = None) -> dict[str, Floats]:
    """Accuracy, recall and F1, with the averages that follow from them."""
    f1 = figures["f1"] if counted is None else figures["f1"][:, list(counted)]
    averages = {"balanced_accuracy": np.nanmean(figures["recall"], axis=1), "macro_f1": np.nanmean(f1, axis=1)}
    return {**figures, **averages}


def _carried(cells: Ints) -> dict[tuple[str, int], int]:
    """On how many units each figure of a class rests: those that count in its denominator."""
    support, predicted, total = cells.sum(axis=2), cells.sum(axis=1), cells.sum(axis=(1, 2))[:, None]
    whole = {
        "recall": support,
        "specificity": total - support,
        "precision": predicted,
        "f1": support + predicted,
    }
    return {(name, k): int(n) for name in _DECIDED for k, n in enumerate((whole[name] > 0).sum(axis=0))}
