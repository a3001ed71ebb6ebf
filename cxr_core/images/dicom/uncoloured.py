"""Grey pictures that DICOM stores as colour: RGB with equal channels, YBR without chroma, a palette of greys.

Exports of radiographs as secondary captures come like this. A picture that is in colour is refused: what its grey would
mean nobody knows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_core.errors import ImageError
from cxr_core.figures import of
from cxr_core.images.dicom.lookup import lookup
from cxr_core.images.steps import Step

# Lossy compression of chroma leaves channels of a grey picture a few of 255 levels apart.
_LEVELS = 8 / 255
# A marker in colour on a grey picture is smaller than this share of it.
_MARKER = 0.01
_ROWS = 512


def from_channels(colours: np.ndarray, bits: int, name: str) -> tuple[np.ndarray, Step]:
    """(H, W, 3) of a depth of ``bits`` -> (H, W) of the same numbers; ImageError where it is in colour."""
    grey, apart = np.empty(colours.shape[:2], colours.dtype), 0
    allowed = _LEVELS * (2**bits - 1)
    for start in range(0, len(grey), _ROWS):
        part = colours[start : start + _ROWS]
        red, green, blue = (part[..., channel] for channel in range(3))
        if np.array_equal(red, green) and np.array_equal(red, blue):
            grey[start : start + _ROWS] = red
            continue
        apart += int((part.max(axis=2).astype(np.int64) - part.min(axis=2) > allowed).sum())
        # ITU-R 601, as for pictures of other formats.
        grey[start : start + _ROWS] = np.round(part.astype(np.float64) @ (0.299, 0.587, 0.114))
    return grey, _step(apart, grey.size, name)


def from_palette(dataset: Any, stored: np.ndarray, signed: bool, name: str) -> tuple[NDArray[np.uint8], Step]:
    """Numbers that stand for the colours of a palette -> 8-bit grey; ImageError where these are no greys."""
    tables = [lookup(dataset, f"{hue}PaletteColorLookupTable", signed) for hue in ("Red", "Green", "Blue")]
    if any(table is None for table in tables):
        raise ImageError(
            f"{name}: expected a grey DICOM image (MONOCHROME1 or MONOCHROME2), got a palette that cannot be used. "
            "Export it as grey, or as PNG."
        )
    used, places = np.unique(stored, return_inverse=True)
    found = [table for table in tables if table is not None]
    top = max(table.top for table in found)
    colours = np.stack([table.of(used.astype(np.float64)) for table in found], axis=1) / top
    apart = np.ptp(colours, axis=1) > _LEVELS
    counts = np.bincount(places.ravel(), minlength=len(used))
    step = _step(int(counts[apart].sum()), stored.size, name)
    greys = np.round(np.clip(colours @ (0.299, 0.587, 0.114), 0, 1) * 255).astype(np.uint8)
    return greys[places].reshape(stored.shape), step


def _step(apart: int, total: int, name: str) -> Step:
    if apart > _MARKER * total:
        raise ImageError(
            f"{name}: expected a grey DICOM image, got one in colour ({apart / total:.0%} of its pixels). "
            "A radiograph is grey: export it as such, or as PNG."
        )
    text = f"The colours are greys: {of(apart, total)} pixels are coloured." if apart else "The colours are greys."
    return Step("colour", text, False, {"coloured": apart, "pixels": total})
