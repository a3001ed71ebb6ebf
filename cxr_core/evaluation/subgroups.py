"""The same figures in parts of the images: by age band, sex, view, source; and the largest gap between two of them.

::

    parts = {"age": age_bands(ages), "sex": sexes, "view": views}         # (N,) texts each, "" where not known
    found = subgroups(truth, known, probabilities, names, thresholds, parts, patients)
    found.rows                                                             # one for each finding and subgroup
    found.gaps                                                             # the largest gap of each figure, by finding

A subgroup with fewer than FEW patients with the finding, or without it, is too few to say anything of: it keeps its
counts and has no figures. The interval of a gap comes from the same draws of patients for both sides, since a patient
may have images in both (two views). A gap is the largest of several, and so larger than it would be by itself: read its
interval as a hint where to look.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cxr_core.evaluation.findings import RESAMPLES, Figure
from cxr_core.evaluation.known import Bools, Columns, checked, wide_draws
from cxr_core.evaluation.rare import FEW
from cxr_core.evaluation.resampling import Floats, Interval, interval, known_patients, units_of
from cxr_core.figures import counted

FIGURES = ("prevalence", "roc_auc", "sensitivity", "specificity", "calibration_gap")
# What a gap is looked for in. That prevalence differs is no fault of the run.
COMPARED = ("roc_auc", "sensitivity", "specificity", "calibration_gap")
BANDS = (18, 40, 65, 80)


@dataclass(frozen=True)
class Subgroup:
    """One finding in one part of the images. ``patients`` (units) with it, ``others`` without it."""

    finding: str
    by: str
    value: str
    n: int
    positives: int
    patients: int
    others: int
    figures: dict[str, Figure]

    @property
    def too_few(self) -> bool:
        return min(self.patients, self.others) < FEW

    @property
    def said(self) -> str:
        """Why there are no figures, "" where there are."""
        if not self.too_few:
            return ""
        return f"Too few to say: {counted(self.patients, 'patient')} with {self.finding}, {self.others:,} without."


@dataclass(frozen=True)
class Gap:
    """The largest difference of a figure between two subgroups of one kind: ``high`` less ``low``."""

    finding: str
    by: str
    figure: str
    high: str
    low: str
    difference: float
    ends: Interval

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out no difference at all."""
        return self.ends is not None and self.ends[0] > 0


@dataclass(frozen=True)
class Subgroups:
    """``gaps``: the largest first, within each figure. ``overall``: finding -> figure -> its value on all images."""

    rows: tuple[Subgroup, ...]
    gaps: tuple[Gap, ...]
    overall: Mapping[str, Mapping[str, float]]

    def largest(self, figure: str) -> Gap | None:
        return next((gap for gap in self.gaps if gap.figure == figure), None)


def age_bands(ages: npt.ArrayLike, starts: Sequence[int] = BANDS) -> list[str]:
    """Each age in years as ``18–39``, ``80+``; "" where it is not known: NaN, below 0, above 120."""
    edges = [0, *starts]
    names = [f"{low}–{high - 1}" for low, high in pairwise(edges)] + [f"{edges[-1]}+"]
    years = np.asarray(ages, dtype=np.float64)
    sure = (years >= 0) & (years <= 120)
    place = np.searchsorted(edges, np.where(sure, years, 0), side="right") - 1
    return [names[k] if known else "" for k, known in zip(place.tolist(), sure.tolist(), strict=True)]


def subgroups(
    truth: npt.ArrayLike,
    known: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    names: Sequence[str],
    thresholds: Mapping[str, float],
    parts: Mapping[str, Sequence[str]],
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    called: Bools | None = None,
) -> Subgroups:
    """Arrays and errors as in ``findings.judged``. ``parts``: for each kind the subgroup of each image, (N,), "" where
    it is not known: such images are in none. Subgroups come in the order of their names. ``called`` (N, K): what was
    decided, where that is not what reaches its threshold, as of classes that exclude each other.
    """
    positive, sure, scores = checked(truth, known, probabilities, len(names))
    where = [
        (by, value, np.array([text == value for text in texts]))
        for by, given in parts.items()
        for texts in [known_patients(given, len(scores))]
        for value in sorted(set(texts) - {""})
    ]
    unit, units = units_of(groups, len(scores))
    limits = np.array([thresholds.get(name, 0.5) for name in names], dtype=np.float64)
    rows: list[Subgroup] = []
    gaps: list[Gap] = []
    overall: dict[str, dict[str, float]] = {}
    # One finding at a time: memory grows with the subgroups, and not with their product.
    for k, name in enumerate(names if where else []):
        inside = np.stack([part for _, _, part in where], axis=1) & sure[:, [k]]
        shape = inside.shape
        columns = Columns(
            positive[:, [k]] & inside,
            inside,
            np.broadcast_to(scores[:, [k]], shape),
            np.full(shape[1], limits[k]),
            unit,
            units,
            None if called is None else np.broadcast_to(called[:, [k]], shape),
        )
        seen = {figure: values[0] for figure, values in columns.figures(np.ones((1, units), dtype=np.int64)).items()}
        carried = columns.carried()
        enough = np.minimum(carried["sensitivity"], carried["specificity"]) >= FEW
        values = _drawn(columns, units, resamples, seed, len(scores))
        rows += [
            Subgroup(
                finding=name,
                by=by,
                value=value,
                n=int(inside[:, j].sum()),
                positives=int((positive[:, k] & inside[:, j]).sum()),
                patients=int(carried["sensitivity"][j]),
                others=int(carried["specificity"][j]),
                figures={
                    figure: Figure(float(seen[figure][j]), interval(values[figure][:, j], int(carried[figure][j])))
                    for figure in FIGURES
                }
                if enough[j]
                else {},
            )
            for j, (by, value, _) in enumerate(where)
        ]
        for by in parts:
            places = [j for j, (kind, _, _) in enumerate(where) if kind == by and enough[j]]
            if len(places) < 2:
                continue
            for figure in COMPARED:
                high = max(places, key=lambda j: seen[figure][j])
                low = min(places, key=lambda j: seen[figure][j])
                if high == low:
                    continue
                ends = interval(values[figure][:, high] - values[figure][:, low], units)
                difference = float(seen[figure][high] - seen[figure][low])
                gaps.append(Gap(name, by, figure, where[high][1], where[low][1], difference, ends))
        decided = None if called is None else called[:, [k]]
        overall[name] = _once(positive[:, [k]], sure[:, [k]], scores[:, [k]], limits[[k]], decided)
    gaps.sort(key=lambda gap: (COMPARED.index(gap.figure), -gap.difference))
    return Subgroups(tuple(rows), tuple(gaps), overall)


def _once(truth: Bools, known: Bools, scores: Floats, limits: Floats, called: Bools | None) -> dict[str, float]:
    """The figures of one finding on all images, of which it is (N, 1); those that are not defined are left out."""
    columns = Columns(truth, known, scores, limits, np.zeros(len(truth), dtype=np.intp), 1, called)
    found = columns.figures(np.ones((1, 1), dtype=np.int64))
    values = {figure: float(found[figure][0, 0]) for figure in FIGURES}
    return {figure: value for figure, value in values.items() if not np.isnan(value)}


def _drawn(columns: Columns, units: int, resamples: int, seed: int, n: int) -> dict[str, Floats]:
    """Each of FIGURES in every resample, (b, columns)."""
    parts = [columns.figures(drawn) for drawn in wide_draws(units, resamples, seed, n)]
    return {figure: np.concatenate([part[figure] for part in parts]) for figure in FIGURES}
