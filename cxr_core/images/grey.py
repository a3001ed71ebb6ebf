"""Numbers of any depth -> 8-bit grey, for formats that say nothing of a window: PNG, TIFF.

Black and white are found as for a DICOM file without a window (:mod:`cxr_core.images.black_white`).
"""

import numpy as np
from numpy.typing import NDArray

from cxr_core.images import black_white
from cxr_core.images.steps import Step

# Depths in use. A 12-bit image is usually stored in 16 bits, and would be black if 65535 were white.
DEPTHS = (8, 10, 12, 14, 16, 20, 24, 28, 32, 48, 64)
_ROWS = 512


def shown(values: np.ndarray, declared: int | None = None) -> tuple[NDArray[np.uint8], Step]:
    """Any real numbers (H, W) -> uint8 (H, W), and how. ``declared``: bits in use, where the file says so.

    Integers from 0 on have a depth: ``declared``, else the smallest of ``DEPTHS`` that holds the picture's brightest,
    a stray pixel apart. White is that depth's largest number where the picture comes near it, else the picture's
    brightest; other numbers span from their darkest to their brightest. What is not a number is black, and so is a
    picture of one single number.
    """
    numbers, counts = _counted(values)
    if not len(numbers):
        return np.zeros(values.shape, np.uint8), Step("range", "There is no number to show: black.", True)
    low, high = black_white.ends(numbers, counts)
    text, figures = "Black and white by the picture", {"lowest": float(numbers[0]), "highest": float(numbers[-1])}
    if values.dtype.kind in "ub" or (values.dtype.kind == "i" and numbers[0] >= 0):
        depth = declared or next((bits for bits in DEPTHS if high < 2**bits), DEPTHS[-1])
        high = black_white.white(high, float(2**depth - 1))
        low = black_white.black(low, high)
        source = "as the file says" if declared else "by the picture's brightest"
        text, figures = f"{depth} bits, {source}", {**figures, "depth": depth}
    text = f"{text}: of the numbers {numbers[0]:g} to {numbers[-1]:g}, {low:g} is black and {high:g} white."
    return _between(values, low, high), Step("range", text, numbers={**figures, "black": low, "white": high})


def table(low: float, high: float) -> NDArray[np.uint8]:
    """What :func:`shown` makes of each number of 16 bits, where it found these to be black and white."""
    return _between(np.arange(2**16, dtype=np.uint16)[None], low, high).ravel()


def _counted(values: np.ndarray) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The numbers of a picture, rising, and how often each is there."""
    if values.dtype == np.uint16:
        counts = np.zeros(2**16, np.int64)
        # By rows: the index that numpy makes of each number takes eight bytes.
        for rows in _by_rows(values):
            counts += np.bincount(rows.ravel(), minlength=2**16)
        there = np.flatnonzero(counts)
        return there.astype(np.float64), counts[there]
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    numbers, counts = np.unique(finite, return_counts=True)
    return numbers.astype(np.float64), counts


def _between(values: np.ndarray, low: float, high: float) -> NDArray[np.uint8]:
    grey = np.zeros(values.shape, np.uint8)
    if high <= low:
        return grey
    for start, rows in zip(range(0, len(values), _ROWS), _by_rows(values), strict=True):
        share = (np.nan_to_num(rows.astype(np.float64), nan=low, posinf=low, neginf=low) - low) / (high - low)
        grey[start : start + _ROWS] = np.floor(np.clip(share, 0, 1) * 255 + 0.5)
    return grey


def _by_rows(values: np.ndarray) -> list[np.ndarray]:
    return [values[start : start + _ROWS] for start in range(0, len(values), _ROWS)]
