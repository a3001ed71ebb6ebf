"""Classes of a handful of images: intervals that do not promise more than so few can.

::

    clopper_pearson(0, 3)                              # (0.0, 0.708): none of 3 found, up to 71 % may be
    rare = Rare.of(cells)                              # which classes rest on fewer than FEW patients
    lower, upper = rare.sides(matrices, rng)           # figures of the resamples, at their lower and upper bound

The bootstrap cannot draw what it has not seen: where 0 of 3 images are right, no resample has one that is, and the
interval is a point. A ratio that rests on fewer than ``FEW`` patients (images, where no patient is known) therefore
gets no interval narrower than the exact binomial one (Clopper and Pearson 1934). Several images of a patient count as
one: the share is kept and the count is that of the patients (Korn and Graubard 1998, "Confidence intervals for
proportions with small expected number of positive counts estimated from survey data", with the effective sample size
at its smallest). ROC AUC and average precision are means over the positives of numbers in 0..1, whose variance is at
most that of a share with the same mean, so the same interval holds for them.

A macro average over a rare class inherits its doubt: a third of it, where there are three classes. It is widened by
melding (Fay, Proschan and Brittain 2015, "Combining one-sample confidence procedures for inference in the two-sample
case"; the same pair of distributions is the binomial's confidence box in Balch 2012, "Mathematical foundations for a
theory of confidence structures"). The lower end of an exact interval at every level at once is the distribution
Beta(x, n - x + 1), its upper end Beta(x + 1, n - x). In each resample the recall of a rare class is drawn from the
lower one, and the share of the other images that are taken for it from the upper one; the other classes stay as the
bootstrap drew them. Balanced accuracy and macro F1 rise with every recall and fall with every false alarm, so the
2.5th percentile of what follows is a lower end, and the same the other way round an upper one. The bootstrap's own
interval is never narrowed. ``tests/evaluation/test_rare.py`` simulates the coverage.

The draws of two rare classes are independent, as images of different classes are; errors that a rare class's images
make are dealt out as they were seen, evenly where none was.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxr_core.evaluation.resampling import LEVEL, Floats, Interval, Ints, interval, ratio

FEW = 10
Figures = dict[str, Floats]
_TAIL = (1 - LEVEL) / 2


def clopper_pearson(part: float, whole: float) -> tuple[float, float]:
    """The exact 95 % interval of ``part`` of ``whole``; shares of an effective count need not be whole numbers."""
    from scipy.stats import beta

    low = float(beta.ppf(_TAIL, part, whole - part + 1)) if part > 0 else 0.0
    high = float(beta.ppf(1 - _TAIL, part + 1, whole - part)) if part < whole else 1.0
    return low, high


def widened(ends: Interval, value: float, units: int) -> Interval:
    """``ends`` of a share that rests on ``units``; where these are few, not narrower than the exact interval."""
    if ends is None or units >= FEW or np.isnan(value):
        return ends
    low, high = clopper_pearson(value * units, units)
    return [min(ends[0], low), max(ends[1], high)]


def melded(values: Floats, lower: Floats, upper: Floats, units: int) -> Interval:
    """The percentile interval of ``values``, or wider: from the low end of ``lower`` to the high end of ``upper``."""
    ends, low, high = (interval(drawn, units) for drawn in (values, lower, upper))
    return [min(ends[0], low[0]), max(ends[1], high[1])] if ends and low and high else None


def low_draws(part: float, whole: float, size: int, rng: np.random.Generator) -> Floats:
    """Lower ends of the exact interval at random levels."""
    return rng.beta(part, whole - part + 1, size) if part > 0 else np.zeros(size)


def high_draws(part: float, whole: float, size: int, rng: np.random.Generator) -> Floats:
    """Upper ends of the exact interval at random levels."""
    return rng.beta(part + 1, whole - part, size) if part < whole else np.ones(size)


class Streams:
    """A generator of its own for each purpose: what is drawn does not depend on how the resamples are parted."""

    def __init__(self, seed: int) -> None:
        self._seed, self._made = seed, dict[tuple[int, ...], np.random.Generator]()

    def __call__(self, *purpose: int) -> np.random.Generator:
        return self._made.setdefault(purpose, np.random.default_rng([self._seed, *purpose]))


@dataclass(frozen=True)
class Rare:
    """What was counted, and on how many units (patients, or images without one) each class rests.

    ``observed`` (K, K), rows true; ``units`` and ``others`` (K,): units with images of the class, and with images of
    another class; ``all`` units.
    """

    observed: Floats
    units: npt.NDArray[np.int64]
    others: npt.NDArray[np.int64]
    all: int

    @classmethod
    def of(cls, cells: Ints) -> "Rare":
        """``cells`` (units, K, K): the confusion matrix of each unit."""
        support = cells.sum(axis=2)
        elsewhere = support.sum(axis=1)[:, None] - support
        units, others = ((part > 0).sum(axis=0) for part in (support, elsewhere))
        return cls(cells.sum(axis=0).astype(np.float64), units, others, len(cells))

    @property
    def is_rare(self) -> bool:
        """Whether anything here rests on fewer than FEW units."""
        return bool(self.classes) or self.all < FEW

    @property
    def classes(self) -> list[int]:
        """The classes that have images, of fewer than FEW units."""
        return [k for k, units in enumerate(self.units) if 0 < units < FEW]

    def sides(self, matrices: Floats, rng: Streams) -> tuple[Figures, Figures]:
        """accuracy (b,), recall (b, K) and f1 (b, K) of drawn confusion matrices (b, K, K), at their lower and at their
        upper bound. NaN without a denominator.
        """
        return self._side(matrices, rng, low=True), self._side(matrices, rng, low=False)

    def _side(self, matrices: Floats, rng: Streams, low: bool) -> Figures:
        good, bad = (low_draws, high_draws) if low else (high_draws, low_draws)
        size, total = len(matrices), self.observed.sum()
        found, taken = {}, {}
        for k in self.classes:
            row, column = self.observed[k], self.observed[:, k]
            alarms = (column.sum() - row[k]) / max(total - row.sum(), 1)
            found[k] = good(row[k] / row.sum() * self.units[k], self.units[k], size, rng(1, low, k))
            taken[k] = bad(alarms * self.others[k], self.others[k], size, rng(2, low, k))
        right = np.trace(self.observed) / total
        accuracy = good(right * self.all, self.all, size, rng(3, low)) if self.all < FEW else None
        return self.figures(matrices, found, taken, accuracy)

    def figures(
        self, matrices: Floats, found: dict[int, Floats], taken: dict[int, Floats], accuracy: Floats | None
    ) -> Figures:
        """The figures of drawn matrices, with these shares (b,) of a rare class's images found, and of the others taken
        for it, and with this accuracy instead of the drawn one.
        """
        total, support = matrices.sum(axis=(1, 2)), matrices.sum(axis=2)
        tp = np.diagonal(matrices, axis1=1, axis2=2)
        recall = ratio(tp, support)
        # What the others are decided, without the images of the rare classes.
        predicted = np.delete(matrices, self.classes, axis=1).sum(axis=1)
        for k in self.classes:
            recall[:, k] = found[k]
            # A resample without any image of the class has as many as there are.
            support[:, k] = np.where(support[:, k] > 0, support[:, k], self.observed[k].sum())
            predicted += (support[:, k] * (1 - found[k]))[:, None] * self._errors(k)
        f1 = ratio(2 * tp, support + predicted)
        for k in self.classes:
            right, false = support[:, k] * found[k], taken[k] * (total - support[:, k]).clip(0)
            f1[:, k] = 2 * right / (support[:, k] + right + false)
        return {"accuracy": tp.sum(axis=1) / total if accuracy is None else accuracy, "recall": recall, "f1": f1}

    def _errors(self, k: int) -> Floats:
        """How the wrong decisions on class k are shared among the other classes, (K,)."""
        wrong = self.observed[k].copy()
        wrong[k] = 0
        if not wrong.any():
            wrong[:] = 1
            wrong[k] = 0
        return np.asarray(wrong / wrong.sum())


# Shares of images that both runs, the first alone and the second alone have right, or take for a class.
Shares = tuple[float, float, float]


@dataclass(frozen=True)
class RarePair:
    """Two runs on the same images: what tells them apart is what one alone has right, or alone takes for the class.

    These two shares are drawn at their bounds, against each other; what both have in common goes with the rest.
    """

    first: Rare
    second: Rare
    right: Shares
    found: list[Shares]
    taken: list[Shares]
    # Every image is decided alike: nothing was seen that could tell the two apart.
    alike: bool

    @classmethod
    def of(
        cls, true: npt.ArrayLike, decisions: tuple[npt.ArrayLike, npt.ArrayLike], cells: tuple[Ints, Ints]
    ) -> "RarePair":
        """``true`` and both ``decisions`` (N,), ``cells`` of both as in :class:`Rare`."""
        truth, a, b = (np.asarray(part) for part in (true, *decisions))
        classes = range(cells[0].shape[1])
        return cls(
            first=Rare.of(cells[0]),
            second=Rare.of(cells[1]),
            right=_shares(a == truth, b == truth),
            found=[_shares(*((part == k)[truth == k] for part in (a, b))) for k in classes],
            taken=[_shares(*((part == k)[truth != k] for part in (a, b))) for k in classes],
            alike=bool((a == b).all()),
        )

    @property
    def is_rare(self) -> bool:
        return self.first.is_rare and not self.alike

    def sides(self, a: Floats, b: Floats, rng: Streams) -> tuple[tuple[Figures, Figures], tuple[Figures, Figures]]:
        """The figures of both runs on drawn matrices: where the first does worst beside the second, and where best."""
        return self._side(a, b, rng, low=True), self._side(a, b, rng, low=False)

    def _side(self, a: Floats, b: Floats, rng: Streams, low: bool) -> tuple[Figures, Figures]:
        rare, size = self.first, len(a)
        found = {k: _drawn(self.found[k], rare.units[k], size, rng, (1, low, k)) for k in rare.classes}
        taken = {k: _drawn(self.taken[k], rare.others[k], size, rng, (2, not low, k)) for k in rare.classes}
        accuracy = _drawn(self.right, rare.all, size, rng, (3, low)) if rare.all < FEW else (None, None)
        return (
            self.first.figures(
                a, {k: v[0] for k, v in found.items()}, {k: v[0] for k, v in taken.items()}, accuracy[0]
            ),
            self.second.figures(
                b, {k: v[1] for k, v in found.items()}, {k: v[1] for k, v in taken.items()}, accuracy[1]
            ),
        )


def _shares(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> Shares:
    counts = [int(part.sum()) for part in (a & b, a & ~b, b & ~a)]
    both, only_a, only_b = (count / max(len(a), 1) for count in counts)
    return both, only_a, only_b


def _drawn(shares: Shares, units: int, size: int, rng: Streams, purpose: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Draws of what the first run has and of what the second has, (b,) each. ``purpose`` says at [1] whether the first
    has as little as can be beside the second, or as much.
    """
    both, only_a, only_b = shares
    first, second = (low_draws, high_draws) if purpose[1] else (high_draws, low_draws)
    alone = np.stack(
        [first(only_a * units, units, size, rng(*purpose, 0)), second(only_b * units, units, size, rng(*purpose, 1))]
    )
    alone /= np.maximum(alone.sum(axis=0), 1)
    rest = 1 - only_a - only_b
    common = (1 - alone.sum(axis=0)) * (both / rest if rest > 0 else 0.5)
    return common + alone[0], common + alone[1]
