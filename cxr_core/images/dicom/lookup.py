"""Tables in DICOM headers that turn a number into a grey: modality LUT, VOI LUT, palette (PS3.3 C.11.1.1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_core.images.black_white import white
from cxr_core.images.dicom import values


@dataclass(frozen=True)
class Lookup:
    """``entries`` for the numbers from ``first`` on; what is outside takes the entry of its end. ``top`` is white."""

    first: int
    entries: NDArray[np.unsignedinteger]
    top: float

    def of(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The entry of each number; not a number counts as the first one."""
        last = self.first + len(self.entries) - 1
        whole = np.clip(np.round(np.nan_to_num(numbers, nan=self.first)), self.first, last).astype(np.int64)
        return self.entries[whole - self.first].astype(np.float64)

    def share(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The entry of each number as a share of white."""
        return self.of(numbers) / self.top


def lookup(item: Any, keyword: str, negative: bool) -> Lookup | None:
    """The table ``keyword``Data by ``keyword``Descriptor; None where it cannot be used: no data, fewer entries than it
    says, one single value.

    ``negative``: whether the numbers that are looked up can be; the descriptor is often written without its sign.
    Entries of 8 bits may have a byte or a word each. White is the table's largest number, or the depth's where the
    table comes near it (:mod:`cxr_core.images.black_white`): some devices state the depth of the storage.
    """
    descriptor = values.integers(item, f"{keyword}Descriptor")
    data, order = values.data(item, f"{keyword}Data")
    if len(descriptor) != 3 or not data:
        return None
    count, first, bits = descriptor[0] or 2**16, descriptor[1], descriptor[2]
    if negative and first >= 2**15:
        first -= 2**16
    if len(data) - count in (0, 1):
        entries = np.frombuffer(data, np.uint8)[:count]
    elif len(data) >= 2 * count:
        entries = np.frombuffer(data[: 2 * count], f"{order}u2").astype(np.uint16)
    else:
        return None
    if np.ptp(entries) == 0:
        return None
    return Lookup(first, entries, white(float(entries.max()), 2.0**bits - 1 if bits <= 16 else 0.0))
