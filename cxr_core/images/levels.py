"""A picture in the numbers of its file, upright, and how they become greys: what a viewer needs that sets the window.

    levels = images.levels_of(content, name)
    levels.greys[levels.numbers]          # the very picture of images.decode(content, name)
    levels.within(2048)                   # the same, its longer side at most 2,048 pixels

A number is what the file stores, moved up where it is signed, so that it indexes a table. Where a file holds real
numbers or such of more than 16 bits, they are the 8-bit greys that everybody sees.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Centre, width and function of a window of the file, in its own values (DICOM PS3.3 C.11.2).
FileWindow = tuple[float, float, str]


@dataclass(frozen=True, eq=False)
class Levels:
    """``numbers``: uint8 or uint16 (H, W). ``greys``: uint8 of 256 or 65,536, what each number is shown as.

    ``bits``: how deep the file is. A number stands for the value ``slope * number + intercept`` of the file, in which
    its ``windows`` are written. ``inverted``: small values are bright. ``padding``: the first and last of the numbers
    that are no picture, shown black.
    """

    numbers: NDArray[np.unsignedinteger]
    greys: NDArray[np.uint8]
    bits: int
    slope: float = 1.0
    intercept: float = 0.0
    windows: tuple[FileWindow, ...] = ()
    inverted: bool = False
    padding: tuple[int, int] | None = None

    @classmethod
    def of_eight(cls, picture: Image.Image) -> "Levels":
        """Of a picture in mode "L", which is shown as it is."""
        return cls(np.asarray(picture), np.arange(256, dtype=np.uint8), 8)

    def turned(self, how: Image.Transpose) -> "Levels":
        """The same, turned around."""
        return replace(self, numbers=np.asarray(Image.fromarray(self.numbers).transpose(how)))

    def within(self, side: int) -> "Levels":
        """The same, reduced where a side is longer: each number is the mean of those that it stands for."""
        height, width = self.numbers.shape
        if max(height, width) <= side:
            return self
        share = side / max(height, width)
        size = (max(1, round(width * share)), max(1, round(height * share)))
        # Real numbers, for Pillow reduces no 16-bit ones.
        reduced = Image.fromarray(self.numbers.astype(np.float32)).resize(size, Image.Resampling.BOX)
        numbers = np.floor(np.asarray(reduced) + 0.5).astype(self.numbers.dtype)
        if self.padding:
            # No mean of picture and padding, which would be neither.
            outside = (self.numbers >= self.padding[0]) & (self.numbers <= self.padding[1])
            share_of = Image.fromarray(outside.astype(np.float32)).resize(size, Image.Resampling.BOX)
            numbers[np.asarray(share_of) > 0] = self.padding[0]
        return replace(self, numbers=numbers)
