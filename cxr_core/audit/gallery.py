"""Pictures to look another one up in: is it one of these, resized, re-encoded, cropped, brightened or mirrored?

    gallery = Gallery(hashes, small)                  # as cxr_core.audit.traits has them, once
    gallery.find(imprint(content, name))              # the likest copy, or None; some milliseconds

By the rules that find the duplicates of a data set (:mod:`cxr_core.audit.duplicates`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_core.audit.duplicates import ALIKE, MOST, RADIUS, SAME, Peculiarities
from cxr_core.audit.traits import Imprint


@dataclass(frozen=True)
class Found:
    """Row of the picture in the gallery, how far its detail agrees (0.92 to 1), and whether one mirrors the other."""

    row: int
    agreement: float
    mirrored: bool


class Gallery:
    """``hashes`` uint64 (N,), ``small`` uint8 (N, 64, 64)."""

    def __init__(self, hashes: NDArray[np.uint64], small: NDArray[np.uint8]) -> None:
        self._hashes, self._small = hashes, small
        self._peculiar = Peculiarities(small) if len(small) else None
        self._vectors = self._peculiar(small) if self._peculiar else np.zeros((0, 0), np.float32)

    def find(self, asked: Imprint) -> Found | None:
        """The likest copy of a picture; None where there is none."""
        ways = ((False, asked.hash, asked.small), (True, asked.mirrored, asked.small[:, ::-1]))
        found = [self._likest(hashed, small, mirrored) for mirrored, hashed, small in ways]
        return max((each for each in found if each), key=lambda each: each.agreement, default=None)

    def _likest(self, hashed: np.uint64, small: NDArray[np.uint8], mirrored: bool) -> Found | None:
        rows = np.flatnonzero(np.bitwise_count(self._hashes ^ hashed) <= RADIUS)
        if not len(rows) or self._peculiar is None:
            return None
        alike = self._vectors[rows] @ self._peculiar(small[None])[0]
        if self._vectors.shape[1]:
            rows, alike = rows[alike >= ALIKE], alike[alike >= ALIKE]
        rows = rows[np.argsort(-alike, kind="stable")[:MOST]]
        # Brings scipy's filters, half a second: only where there is something to compare.
        from cxr_core.audit.alignment import agreement, likely

        others = self._small[rows]
        asked = np.repeat(small[None], len(rows), axis=0)
        worth = likely(asked, others) if len(rows) else np.zeros(0, bool)
        if not worth.any():
            return None
        agreed = agreement(asked[worth], others[worth])
        best = int(np.argmax(agreed))
        return Found(int(rows[worth][best]), float(agreed[best]), mirrored) if agreed[best] >= SAME else None
