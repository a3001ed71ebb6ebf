"""How good a run is on findings, each judged on the images where it is known.

::

    report = judged(truth, known, probabilities, names, thresholds, patients)
    report.findings[0].figures["roc_auc"]        # Figure(value, ends): a 95 % interval by patient, or None
    report.macro_roc_auc, report.counted         # over the findings that have both
    together(truth, known, called, names)        # which occur together, and which are predicted together
    calibration(truth, known, probabilities, names)

Definitions are scikit-learn's on the known images. Intervals: ``resampling`` and, for what rests on fewer than ten
patients, ``rare``, as for exclusive classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxr_core.evaluation.known import FIGURES, Columns, checked, wide_draws
from cxr_core.evaluation.rare import FEW, Streams, high_draws, low_draws, melded, widened
from cxr_core.evaluation.resampling import Floats, Interval, interval, row_means, units_of

RESAMPLES = 1000
# Shares, whose exact interval holds for few units; an area under a curve is the mean of shares.
_SHARES = (
    *("prevalence", "sensitivity", "specificity", "ppv", "npv"),
    *("roc_auc", "average_precision"),
)


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval; None where it is not defined, or rests on fewer than two units."""

    value: float | None
    ends: Interval


@dataclass(frozen=True)
class Finding:
    """One finding. ``patients``: units (patients, images where none is known) with it, ``others``: without it. ``few``:
    either is fewer than ten. ``calibration_gap``: mean probability less prevalence.
    """

    name: str
    n: int
    unknown: int
    positives: int
    patients: int
    others: int
    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    figures: dict[str, Figure]

    @property
    def few(self) -> bool:
        return min(self.patients, self.others) < FEW


@dataclass(frozen=True)
class Report:
    """``counted``: the findings of the macro ROC AUC, those with a known positive and a known negative."""

    findings: tuple[Finding, ...]
    macro_roc_auc: Figure
    counted: tuple[str, ...]
    n: int
    units: int
    resamples: int


def judged(
    truth: npt.ArrayLike,
    known: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    names: Sequence[str],
    thresholds: Mapping[str, float],
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Report:
    """``truth`` and ``known`` (N, K) bool, ``probabilities`` (N, K) in 0..1, ``thresholds`` by name (0.5 where none is
    given), ``groups`` (N,) patients, "" where one is not known. The same seed gives the same intervals. Raises as
    ``known.checked``, and ConfigError for less than one resample.
    """
    positive, sure, scores = checked(truth, known, probabilities, len(names))
    limits = np.array([thresholds.get(name, 0.5) for name in names], dtype=np.float64)
    unit, units = units_of(groups, len(scores))
    columns = Columns(positive, sure, scores, limits, unit, units)
    seen = {name: values[0] for name, values in columns.figures(np.ones((1, units), dtype=np.int64)).items()}
    parts = [columns.figures(drawn) for drawn in wide_draws(units, resamples, seed, len(scores))]
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    carried, streams = columns.carried(), Streams(seed)
    found = []
    for k, name in enumerate(names):
        ends = {figure: interval(values[figure][:, k], int(carried[figure][k])) for figure in FIGURES}
        for figure in _SHARES:
            ends[figure] = widened(ends[figure], float(seen[figure][k]), int(carried[figure][k]))
        counts = {cell: int(seen[cell][k]) for cell in ("tp", "fp", "fn", "tn")}
        patients, others = int(carried["sensitivity"][k]), int(carried["specificity"][k])
        if 0 < patients < FEW:
            low, high = _f1_sides(seen, values, k, patients, others, streams)
            ends["f1"] = melded(values["f1"][:, k], low, high, int(carried["f1"][k]))
        n = sum(counts.values())
        found.append(
            Finding(
                name=name,
                n=n,
                unknown=len(scores) - n,
                positives=counts["tp"] + counts["fn"],
                patients=patients,
                others=others,
                threshold=float(limits[k]),
                **counts,
                figures={figure: Figure(_number(seen[figure][k]), ends[figure]) for figure in FIGURES},
            )
        )
    both = np.flatnonzero(~np.isnan(seen["roc_auc"]))
    macro = _macro(seen["roc_auc"], values["roc_auc"], carried["roc_auc"], both, units, streams)
    return Report(tuple(found), macro, tuple(names[int(k)] for k in both), len(scores), units, resamples)


def _macro(
    seen: Floats, values: Floats, carried: npt.NDArray[np.int64], both: npt.NDArray[np.intp], units: int, rng: Streams
) -> Figure:
    """The mean over ``both``; a finding of few patients is drawn at its bounds, as in ``rare``."""
    if not len(both):
        return Figure(None, None)
    plain = values[:, both]
    low, high = plain.copy(), plain.copy()
    for place, k in enumerate(both):
        few = int(carried[k])
        if few < FEW:
            low[:, place] = low_draws(seen[k] * few, few, len(plain), rng(4, int(k)))
            high[:, place] = high_draws(seen[k] * few, few, len(plain), rng(5, int(k)))
    averages = [row_means(part) for part in (plain, low, high)]
    return Figure(float(seen[both].mean()), melded(averages[0], averages[1], averages[2], units))


def _f1_sides(
    seen: Mapping[str, Floats], values: Mapping[str, Floats], k: int, patients: int, others: int, rng: Streams
) -> tuple[Floats, Floats]:
    """F1 of the resamples, with what is found and what is taken for it at their lower and at their upper bounds."""
    size, total = len(values["tp"]), sum(values[cell][:, k] for cell in ("tp", "fp", "fn", "tn"))
    support = values["tp"][:, k] + values["fn"][:, k]
    # A resample without any positive has as many as there are.
    support = np.where(support > 0, support, seen["tp"][k] + seen["fn"][k])
    alarms = 1 - np.nan_to_num(seen["specificity"][k], nan=1.0)
    sides = []
    for low in (True, False):
        good, bad = (low_draws, high_draws) if low else (high_draws, low_draws)
        right = support * good(seen["sensitivity"][k] * patients, patients, size, rng(1, low, k))
        false = bad(alarms * others, others, size, rng(2, low, k)) * (total - support).clip(0)
        sides.append(2 * right / (support + right + false))
    return sides[0], sides[1]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


@dataclass(frozen=True)
class Together:
    """Two findings: images where both are known, where both are there, where both are called, and where both are both.

    ``alone`` of them would be there together if they had nothing to do with each other.
    """

    first: str
    second: str
    n: int
    there: int
    called: int
    right: int
    alone: float


def together(truth: npt.ArrayLike, known: npt.ArrayLike, called: npt.ArrayLike, names: Sequence[str]) -> list[Together]:
    """Every pair of findings, those first that are predicted together most unlike how they are: all (N, K) bool."""
    sure = np.asarray(known, dtype=bool)
    there, says = np.asarray(truth, dtype=bool) & sure, np.asarray(called, dtype=bool) & sure
    # Whole numbers up to the number of images: exact in float64, and many times faster than in integers.
    n, a, b, c = (part.astype(np.float64).T @ part.astype(np.float64) for part in (sure, there, says, there & says))
    ones = there.astype(np.float64).T @ sure.astype(np.float64)
    pairs = [
        Together(
            first=names[i],
            second=names[j],
            n=int(n[i, j]),
            there=int(a[i, j]),
            called=int(b[i, j]),
            right=int(c[i, j]),
            alone=float(ones[i, j] * ones[j, i] / n[i, j]) if n[i, j] else 0.0,
        )
        for i in range(len(names))
        for j in range(i + 1, len(names))
    ]
    return sorted(pairs, key=lambda pair: (-abs(pair.called - pair.there) / max(pair.n, 1), pair.first, pair.second))


@dataclass(frozen=True)
class Calibration:
    """Whether a finding's probabilities mean what they say: ``ece`` and ``brier`` (0 is best; None without an image)
    and the points of the reliability diagram, a place for each bin that holds an image.
    """

    name: str
    ece: float | None
    brier: float | None
    confidence: tuple[float, ...]
    observed: tuple[float, ...]
    count: tuple[int, ...]


def calibration(
    truth: npt.ArrayLike, known: npt.ArrayLike, probabilities: npt.ArrayLike, names: Sequence[str], bins: int = 10
) -> list[Calibration]:
    """Each finding over its known images, in ``bins`` of equal width. Raises as ``judged``."""
    positive, sure, scores = checked(truth, known, probabilities, len(names))
    found = []
    for k, name in enumerate(names):
        score, truly = scores[sure[:, k], k], positive[sure[:, k], k]
        place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], score)
        count = np.bincount(place, minlength=bins)
        filled = count > 0
        confidence = np.bincount(place, score, minlength=bins)[filled] / count[filled]
        observed = np.bincount(place, truly, minlength=bins)[filled] / count[filled]
        some = len(score) > 0
        found.append(
            Calibration(
                name=name,
                ece=float(count[filled] @ np.abs(confidence - observed) / len(score)) if some else None,
                brier=float(((score - truly) ** 2).mean()) if some else None,
                confidence=tuple(confidence.tolist()),
                observed=tuple(observed.tolist()),
                count=tuple(count[filled].tolist()),
            )
        )
    return found
