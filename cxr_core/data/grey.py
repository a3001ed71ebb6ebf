"""Numbers of any depth -> 8-bit grey, the same for a 16-bit PNG, a TIFF of floats and a DICOM."""

import numpy as np

# Depths in use for radiographs. A 12-bit image is usually stored in 16 bits, and would be black if 65535 were white.
DEPTHS = (8, 10, 12, 14, 16)
_ROWS = 1024


def from_integers(values: np.ndarray, declared: int | None = None) -> np.ndarray:
    """Non-negative integers below 2**16 (H, W) -> uint8 (H, W).

    White is the largest number of the smallest depth of 8, 10, 12, 14, 16 bits that holds the image's maximum,
    so 8-bit values stay what they are.
    """
    least = min(declared or DEPTHS[0], DEPTHS[-1])
    depth = next(bits for bits in DEPTHS if bits >= least and int(values.max()) < 2**bits)
    if depth == 8:
        return values.astype(np.uint8)
    white = 2**depth - 1
    table = ((np.arange(2**depth, dtype=np.uint32) * 255 + white // 2) // white).astype(np.uint8)
    grey = np.empty(values.shape, np.uint8)
    # By rows: the index numpy makes of each value takes eight bytes.
    for start in range(0, len(values), _ROWS):
        grey[start : start + _ROWS] = table[values[start : start + _ROWS]]
    return grey


def from_range(values: np.ndarray, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Any real numbers (H, W) -> uint8 (H, W): ``low`` black, ``high`` white, by default the extremes of the image.

    What is not a number is black. An image of one single value is black.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    bottom = float(values[finite].min()) if low is None else low
    top = float(values[finite].max()) if high is None else high
    if top == bottom:
        return np.zeros(values.shape, np.uint8)
    share = (np.where(finite, values, bottom).astype(np.float64) - bottom) / (top - bottom)
    return np.round(np.clip(share, 0, 1) * 255).astype(np.uint8)


def from_numbers(values: np.ndarray, declared: int | None = None) -> np.ndarray:
    """:func:`from_integers` where the values allow it, :func:`from_range` otherwise (floats, negative).

    ``declared``: bits in use, where the file says so. Beyond 16 bits the upper ones count.
    """
    if np.issubdtype(values.dtype, np.integer) and values.min() >= 0:
        spare = max(0, (declared or int(values.max()).bit_length()) - DEPTHS[-1])
        return from_integers(values >> values.dtype.type(spare) if spare else values, declared)
    return from_range(values)
