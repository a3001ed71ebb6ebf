"""Splits of images with several findings: by patient, with each finding as frequent in every split as can be.

::

    split = stratified(targets, known, patients, {"train": 0.7, "val": 0.1, "test": 0.2}, seed=0)    # (N,) names

Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of Multi-label Data"): the
finding with the fewest images left comes first, and each of its patients goes to the split that lacks most of it. A
patient is dealt with all of his or her images; those with most images of the finding come first, while there is room
to make up for them. The same labels, patients and seed give the same splits, in whatever order the rows come.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cxr_core.errors import ConfigError, DatasetError


def stratified(
    targets: NDArray[np.floating],
    known: NDArray[np.bool_],
    groups: Sequence[str],
    fractions: Mapping[str, float],
    seed: int,
) -> NDArray[np.str_]:
    """The split of each image, (N,), one of the names of ``fractions``, whose shares are above 0 and add up to 1.

    ``targets`` (N, K): a finding is there from 0.5 on; ``known`` (N, K). ``groups`` (N,): what must stay together, the
    patient or, where none is known, what stands for the image alone; none may be empty. Raises ConfigError for other
    fractions, DatasetError where there are fewer groups than splits.
    """
    shares = np.array(list(fractions.values()), dtype=np.float64)
    if not len(shares) or (shares <= 0).any() or abs(shares.sum() - 1) > 1e-6:
        raise ConfigError(
            f"Expected shares above 0 that add up to 1 for the splits, got {dict(fractions)}. A usual choice is 0.7 "
            "for train, 0.1 for val and 0.2 for test."
        )
    if len(groups) != len(targets) or not all(groups):
        raise ValueError(f"groups must name what each of {len(targets)} images belongs to")
    names, of = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    if len(names) < len(shares):
        raise DatasetError(
            f"Expected at least {len(shares)} patients for {len(shares)} splits, got {len(names)}. Add images, or give "
            "the data set splits of its own."
        )
    there = np.asarray(known, dtype=bool) & (np.asarray(targets) >= 0.5)
    # Counts of each group: its images of each finding and, last, its images.
    counts = np.zeros((len(names), there.shape[1] + 1), dtype=np.int64)
    np.add.at(counts, of, np.column_stack([there, np.ones(len(there), dtype=bool)]).astype(np.int64))
    turn = _turns(names, seed)
    return np.array(list(fractions))[_dealt(counts, shares, turn)[of]]


def _turns(names: NDArray[np.str_], seed: int) -> NDArray[np.intp]:
    """Each group's place in an order that the seed draws from its name, not from its row."""
    drawn = [hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest() for name in names.tolist()]
    turn = np.empty(len(names), dtype=np.intp)
    turn[sorted(range(len(names)), key=drawn.__getitem__)] = np.arange(len(names))
    return turn


def _dealt(counts: NDArray[np.int64], shares: NDArray[np.float64], turn: NDArray[np.intp]) -> NDArray[np.intp]:
    """The split of each group, (G,), for ``counts`` (G, K + 1)."""
    split = np.full(len(counts), -1, dtype=np.intp)
    lacking = np.outer(shares, counts.sum(axis=0))
    left = counts.sum(axis=0)
    todo = np.ones(counts.shape[1], dtype=bool)
    while todo.any():
        # The last column, all images, is for those without a finding, and so comes last.
        rare = np.where(todo[:-1] & (left[:-1] > 0), left[:-1], np.iinfo(np.int64).max)
        column = int(rare.argmin()) if len(rare) and rare.min() < np.iinfo(np.int64).max else counts.shape[1] - 1
        todo[column] = False
        members = np.flatnonzero((split < 0) & (counts[:, column] > 0))
        for group in members[np.lexsort((turn[members], -counts[members, column]))].tolist():
            # Most lacking of this finding; of two alike the one that lacks most images, then the first.
            place = int(np.lexsort((-lacking[:, -1], -lacking[:, column]))[0])
            split[group] = place
            lacking[place] -= counts[group]
            left -= counts[group]
        if column == counts.shape[1] - 1:
            break
    return split
