"""The bootstrap's draws: which unit each image belongs to, how often each unit is drawn, and the interval that follows.

::

    unit, units = units_of(patients, n)                  # images of one patient share a unit
    for drawn in draws(units, 2000, seed=0, width=n):    # (b, units) counts
        values.append(figure(drawn[:, unit]))            # as weights of the images
    interval(np.concatenate(values), units)              # [low, high], or None

What is drawn with replacement is a patient with all of his or her images, where the patient is known, and else the
image: images of one patient resemble each other, so to draw images would promise too much. The interval is the 95 %
percentile interval (Efron 1979).
"""

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
import numpy.typing as npt

from cxr_core.errors import ConfigError

LEVEL = 0.95
# Weights that are worked on at once: few enough for a processor's cache, so memory does not grow with the resamples.
CHUNK = 250_000

Interval = list[float] | None
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def known_patients(groups: Sequence[str] | None, n: int) -> list[str]:
    """Each image's patient, "" where unknown: an empty cell of a table may have been read as not a number."""
    if groups is None:
        return [""] * n
    if len(groups) != n:
        raise ValueError(f"groups must name a patient for each of {n} images, got {len(groups)}")
    return ["" if name is None or name != name else str(name).strip() for name in groups]


def units_of(groups: Sequence[str] | None, n: int) -> tuple[npt.NDArray[np.intp], int]:
    """The unit that each of ``n`` images belongs to, (N,) in 0..units-1, and the number of units."""
    names = known_patients(groups, n)
    known = {name: k for k, name in enumerate(sorted(set(names) - {""}))}
    alone = count(len(known))
    unit = np.array([known[name] if name else next(alone) for name in names], dtype=np.intp)
    return unit, next(alone)


def draws(units: int, resamples: int, seed: int, width: int) -> Iterator[Ints]:
    """How often each unit was drawn: (b, units) at a time, ``resamples`` rows in all, each of which sums to ``units``.

    ``width`` is the number of weights that a row becomes; b rows of them stay within CHUNK. The same seed gives the
    same rows. Raises ConfigError for less than one resample.
    """
    if resamples < 1:
        raise ConfigError(f"resamples: expected at least 1, got {resamples}. 2000 is usual.")
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // width)
    for start in range(0, resamples, rows):
        b = min(rows, resamples - start)
        drawn = rng.integers(units, size=(b, units)) + units * np.arange(b)[:, None]
        yield np.bincount(drawn.ravel(), minlength=b * units).reshape(b, units).astype(np.int64, copy=False)


def interval(values: Floats, units: int) -> Interval:
    """The 95 % percentile interval of a figure's values, not a number (NaN) where a resample left it undefined.

    ``units``: on how many units the figure rests. With fewer than two there is none: one says nothing of the next.
    """
    defined = values[~np.isnan(values)]
    if units < 2 or not len(defined):
        return None
    tail = 50 * (1 - LEVEL)
    return [float(v) for v in np.percentile(defined, [tail, 100 - tail])]


def ratio(part: Floats, whole: Floats) -> Floats:
    """Part by whole, NaN where there is nothing to divide by."""
    out: Floats = np.full(part.shape, np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def row_means(values: Floats) -> Floats:
    """Means over the columns that are defined, NaN where none is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0).sum(axis=1), defined.sum(axis=1).astype(np.float64))
