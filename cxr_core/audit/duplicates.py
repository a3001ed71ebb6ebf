"""The same picture twice: exact copies, and copies resized, re-encoded, cropped, brightened or mirrored.

    for pair in duplicates(dataset.samples, traits): print(pair.a, pair.b, pair.kind, pair.relation, pair.splits)

Two steps. 64-bit perceptual hashes of every picture and of its mirror image are compared by counting the bits that
differ, which finds candidates; chest X-rays look so alike at this size that many are none. Then the two small copies
are laid upon each other, moving and stretching one as a crop would, and only where their fine detail agrees are they
the same picture.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxr_core.audit.traits import Traits
from cxr_core.findings import names_in, values_of

# Bits of 64 that may differ: copies cropped by up to 5 % a side come to 18, as do 10 % of strangers.
RADIUS = 18
# Product of what sets two pictures apart: 0.5 or more in 99 % of cropped copies, in 1 % of strangers.
ALIKE = 0.5
# Correlation of the fine detail of two copies laid upon each other. docs/audit.md has the measurement.
SAME = 0.92
_ROWS = 32
_COMPONENTS = 64
# Candidates of a picture that are laid upon it: the likest.
MOST = 8
_THREADS = 2
_AT_ONCE = 256


@dataclass(frozen=True)
class Pair:
    """Two files with the same picture. ``kind`` exact or near, ``relation`` same-class or label-conflict,
    ``distance`` in bits of 64 that differ, ``agreement`` -1..1 of their detail, ``mirrored`` where one is.
    """

    a: str
    b: str
    kind: str
    relation: str
    splits: tuple[str, str]
    distance: int
    agreement: float
    mirrored: bool

    @property
    def leaks(self) -> bool:
        """One of the two is in test, the other is learnt from."""
        return "test" in self.splits and bool({"train", "val"} & set(self.splits))

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "splits": list(self.splits)}


def duplicates(samples: pd.DataFrame, traits: Traits) -> list[Pair]:
    """All pairs, those that leak first. Of files with the same content each is paired with the first one only."""
    first: dict[str, int] = {}
    found: list[tuple[int, int, str, int, float, bool]] = []
    for row, digest in enumerate(samples["digest"]):
        if (other := first.setdefault(digest, row)) != row:
            found.append((other, row, "exact", 0, 1.0, False))
    rows = np.array([row for row in first.values() if traits.seen[row]], np.int64)
    for a, b, distance, agreed, mirrored in near(traits.hashes[rows], traits.mirrored[rows], traits.small[rows]):
        found.append((int(rows[a]), int(rows[b]), "near", distance, agreed, mirrored))
    files, splits = (list(samples[name]) for name in ("file", "split"))
    alike = _alike(samples)
    pairs = [
        Pair(
            files[a],
            files[b],
            kind,
            "same-class" if alike(a, b) else "label-conflict",
            (splits[a], splits[b]),
            distance,
            round(agreed, 3),
            mirrored,
        )
        for a, b, kind, distance, agreed, mirrored in found
    ]
    return sorted(pairs, key=lambda pair: (not pair.leaks, pair.relation, pair.distance, pair.a, pair.b))


def _alike(samples: pd.DataFrame) -> Callable[[int, int], bool]:
    """Whether the labels of two rows go together: the same class; or no finding that one of them has and the other,
    for certain, has not.
    """
    names = names_in(samples)
    if not names:
        labels = list(samples["label"])
        return lambda a, b: bool(labels[a] == labels[b])
    values = values_of(samples, names)
    return lambda a, b: not (np.abs(values[a] - values[b])[(values[a] >= 0) & (values[b] >= 0)] == 1).any()


def near(
    hashes: NDArray[np.uint64], mirrored: NDArray[np.uint64], small: NDArray[np.uint8]
) -> Iterator[tuple[int, int, int, float, bool]]:
    """(row, other row, distance, agreement, mirrored) of all pictures that are copies of each other."""
    best: dict[tuple[int, int], tuple[int, float, bool]] = {}
    peculiar = Peculiarities(small)
    straight = peculiar(small)
    for turned, queries in ((False, hashes), (True, mirrored)):
        queried = peculiar(small[:, :, ::-1]) if turned else straight
        pairs, distances, alike = search(queries, hashes, RADIUS, queried, straight, ALIKE)
        chosen = _closest(pairs, alike, len(hashes))
        pairs, distances = pairs[chosen], distances[chosen]
        for (a, b), distance, value in _agreeing(pairs, distances, small, turned):
            if value > best.get((a, b), (0, 0.0, False))[1]:
                best[a, b] = (distance, value, turned)
    for (a, b), (distance, value, turned) in sorted(best.items()):
        yield a, b, distance, value, turned


def _agreeing(
    pairs: NDArray[np.int64], distances: NDArray[np.int64], small: NDArray[np.uint8], turned: bool
) -> Iterator[tuple[tuple[int, int], int, float]]:
    """The pairs that are the same picture, with the bits that differ and how far they agree."""
    # Brings scipy's filters, which a kept audit does not need.
    from cxr_core.audit.alignment import agreement, likely

    def laid(start: int) -> list[tuple[tuple[int, int], int, float]]:
        part, bits = pairs[start : start + _AT_ONCE], distances[start : start + _AT_ONCE]
        one, other = small[part[:, 0]], small[part[:, 1]]
        if turned:
            one = one[:, :, ::-1]
        worth = likely(one, other)
        if not worth.any():
            return []
        agreed = agreement(one[worth], other[worth])
        found = zip(part[worth].tolist(), bits[worth].tolist(), agreed.tolist(), strict=True)
        return [((a, b), distance, value) for (a, b), distance, value in found if value >= SAME]

    with ThreadPoolExecutor(_THREADS) as threads:
        for part in threads.map(laid, range(0, len(pairs), _AT_ONCE)):
            yield from part


class Peculiarities:
    """What sets a picture apart from the others of the data set: 16 x 16 means as whitened principal components.

    All chests share the first components; whitened, they no longer make strangers look alike.
    """

    def __init__(self, small: NDArray[np.uint8]) -> None:
        plain = _plain(small[:: max(1, len(small) // 4000)])
        self._mean = plain.mean(axis=0)
        _, strengths, axes = np.linalg.svd(plain - self._mean, full_matrices=False)
        count = min(_COMPONENTS, len(plain) // 4, int((strengths > 1e-3).sum()))
        self._axes = axes[:count].T / np.maximum(strengths[:count], 1e-3)

    def __call__(self, small: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Unit vectors, float32 (N, at most 64); without any component where the pictures are too few."""
        values = (_plain(small) - self._mean) @ self._axes
        return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9), np.float32)


def _plain(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    step = small.shape[1] // 16
    grid = small.reshape(len(small), 16, step, 16, step).mean(axis=(2, 4), dtype=np.float32).reshape(len(small), -1)
    grid -= grid.mean(axis=1, keepdims=True)
    return np.asarray(grid / np.maximum(np.linalg.norm(grid, axis=1, keepdims=True), 1e-6))


def _closest(pairs: NDArray[np.int64], alike: NDArray[np.float32], images: int) -> NDArray[np.int64]:
    """Of each picture's candidates, those most like it: at most ``MOST`` from either side. Bounds the work to N."""
    chosen: set[int] = set()
    order = np.argsort(-alike, kind="stable")
    for side in (0, 1):
        taken = np.zeros(images, np.int64)
        for k in order:
            if taken[pairs[k, side]] < MOST:
                taken[pairs[k, side]] += 1
                chosen.add(int(k))
    return np.array(sorted(chosen), np.int64)


def search(
    queries: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    radius: int,
    queried: NDArray[np.float32] | None = None,
    vectors: NDArray[np.float32] | None = None,
    least: float = -1.0,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Rows (P, 2), the first smaller than the second, whose hashes differ in at most ``radius`` bits; how many bits;
    and the product of their ``vectors`` (N, D), which is to be ``least`` at least (0 without vectors).

    ``queries`` and ``hashes``: uint64 (N,). Every pair of numbers is compared, with the processor's own bit count:
    at a radius this wide, indices of parts of the hash (Norouzi et al. 2012) would visit as many. Memory stays bounded.
    """

    def compare(start: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        differing = np.bitwise_count(queries[start : start + _ROWS, None] ^ hashes[None, start:])
        rows, columns = np.divmod(np.flatnonzero(differing <= radius), differing.shape[1])
        later = columns > rows
        rows, columns = rows[later], columns[later]
        alike = np.zeros(len(rows), np.float32)
        if queried is not None and vectors is not None and vectors.shape[1]:
            alike = (queried[start : start + _ROWS] @ vectors[start:].T)[rows, columns]
            close = alike >= least
            rows, columns, alike = rows[close], columns[close], alike[close]
        return np.stack([rows, columns], axis=1) + start, differing[rows, columns].astype(np.int64), alike

    with ThreadPoolExecutor(_THREADS) as threads:
        parts = [*threads.map(compare, range(0, len(hashes), _ROWS))]
    empty = (np.zeros((0, 2), np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    pairs, distances, alike = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
    return pairs, distances, alike
