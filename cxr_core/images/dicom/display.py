"""Stored numbers of a DICOM image -> 8-bit grey, in the standard's order (PS3.3 C.11): modality, VOI, polarity.

    picture, steps = displayed(dataset, header, numbers, bits)
    levels = levelled(dataset, header, numbers, bits)       # not yet greys, for who sets the window

The first VOI LUT or window that can be used, and shows more than one single grey, decides what is black and white;
where there is none the depth and the picture do (:mod:`cxr_core.images.black_white`). Pixel padding is no picture: it
is black, and counts for nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxr_core.figures import of
from cxr_core.images import black_white
from cxr_core.images.dicom import values
from cxr_core.images.dicom.header import GREY, Header
from cxr_core.images.dicom.lookup import lookup
from cxr_core.images.dicom.window import windows
from cxr_core.images.levels import Levels
from cxr_core.images.steps import Step

_ROWS = 1024
_Shares = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def displayed(dataset: Any, header: Header, stored: np.ndarray, bits: int) -> tuple[NDArray[np.uint8], list[Step]]:
    """uint8 of the shape of ``stored``, white is dense unless the header is wrong; and what was done.

    ``stored``: grey numbers of a depth of ``bits``. Raises ValueError for a window of an unknown kind.
    """
    graded = _graded(dataset, header, stored, bits)
    return graded.levels.painted(graded.greys), graded.steps


def levelled(dataset: Any, header: Header, stored: np.ndarray, bits: int) -> Levels:
    """The same picture in its own numbers, with the windows of the header that can be used. Raises as that."""
    graded = _graded(dataset, header, stored, bits)
    indices, numbers = graded.levels.indices, graded.levels.numbers
    greys, outside = graded.greys, graded.outside
    if stored.dtype.kind not in "iu" or stored.dtype.itemsize > 2:
        return Levels.of_eight(Image.fromarray(graded.levels.painted(greys)))
    if stored.dtype.kind == "i":
        # By size: the patterns of negative numbers come after those of the others.
        half = len(greys) // 2
        indices = indices ^ indices.dtype.type(half)
        greys, numbers, outside = np.roll(greys, half), np.roll(numbers, half), np.roll(outside, half)
    padded = np.flatnonzero(outside)
    scale, windowed = graded.scale, header.photometric in GREY
    if not scale.linear:
        # Numbers before a table: the windows of the header are for those that come out of it.
        slope, intercept, windowed = 1.0, float(numbers[0]), False
    else:
        slope, intercept = scale.slope, scale.slope * float(numbers[0]) + scale.intercept
    found = windows(dataset, scale.unit)[0] if windowed else []
    return Levels(
        indices,
        greys,
        bits,
        slope,
        intercept,
        tuple((window.center, window.width, window.function) for window in found),
        header.photometric == "MONOCHROME1",
        (int(padded[0]), int(padded[-1])) if len(padded) else None,
    )


@dataclass(frozen=True)
class _Graded:
    """A picture with the grey of each of its levels, and what led to it."""

    levels: "_Levels"
    greys: NDArray[np.uint8]
    outside: NDArray[np.bool_]
    scale: "_Scale"
    steps: list[Step]


def _graded(dataset: Any, header: Header, stored: np.ndarray, bits: int) -> _Graded:
    levels = _Levels.of(stored)
    outside, steps = _padding(dataset, header, levels)
    shown = (levels.counts > 0) & ~outside
    grey = header.photometric in GREY
    # Modality and VOI are for grey pictures; colours that are greys are shown as they are.
    scale = _modality(dataset, header, levels, bits, steps) if grey else _Scale.plain(levels, bits)
    choices = list(_choices(dataset, scale, shown, steps)) if grey else []
    share, step = _chosen(choices, scale, shown, steps) or _by_range(scale, levels.counts, shown)
    steps.append(step)
    greys = _greys(share, scale.numbers)
    if header.photometric == "MONOCHROME1":
        greys = 255 - greys
        steps.append(Step("inversion", "Inverted: MONOCHROME1, the lowest number is white."))
    greys[outside] = 0
    return _Graded(levels, greys, outside, scale, steps)


@dataclass(frozen=True)
class _Levels:
    """The numbers that a picture can hold, how often each occurs, and the way back to the picture."""

    numbers: NDArray[np.float64]
    counts: NDArray[np.int64]
    indices: np.ndarray

    @classmethod
    def of(cls, stored: np.ndarray) -> "_Levels":
        width = stored.dtype.itemsize
        if stored.dtype.kind not in "iu" or width > 2:
            numbers = stored.astype(np.float64).ravel()
            return cls(numbers, np.ones(len(numbers), np.int64), np.arange(len(numbers)).reshape(stored.shape))
        # By bit pattern, so that signed numbers are indices too.
        patterns = np.arange(2 ** (8 * width), dtype=f"u{width}")
        indices = np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("="), copy=False).view(patterns.dtype)
        counts = np.zeros(len(patterns), np.int64)
        for start in range(0, len(indices), _ROWS):
            counts += np.bincount(indices[start : start + _ROWS].ravel(), minlength=len(patterns))
        numbers = patterns.view(stored.dtype.newbyteorder("=")).astype(np.float64)
        return cls(numbers, counts, indices)

    def painted(self, greys: NDArray[np.uint8]) -> NDArray[np.uint8]:
        picture = np.empty(self.indices.shape, np.uint8)
        # By rows: the index numpy makes of each number takes eight bytes.
        for start in range(0, len(self.indices), _ROWS):
            picture[start : start + _ROWS] = greys[self.indices[start : start + _ROWS]]
        return picture


@dataclass(frozen=True)
class _Scale:
    """Numbers after the modality step, for each level; the ``unit`` between neighbours; the ends of the depth, None
    where it says nothing (signed and real numbers). ``slope`` and ``intercept`` led to them, unless a table did
    (``linear`` False).
    """

    numbers: NDArray[np.float64]
    unit: float
    depth: tuple[float, float] | None
    eight: bool
    slope: float = 1.0
    intercept: float = 0.0
    linear: bool = True

    @classmethod
    def plain(cls, levels: _Levels, bits: int) -> "_Scale":
        return cls(levels.numbers, 1.0, (0.0, 2.0**bits - 1), bits <= 8)


def _padding(dataset: Any, header: Header, levels: _Levels) -> tuple[NDArray[np.bool_], list[Step]]:
    """Which levels are no picture: pixel padding, and what is not a number."""
    outside = ~np.isfinite(levels.numbers)
    prefix = {False: "", True: "Float" if header.allocated == 32 else "DoubleFloat"}[header.floating]
    ends = []
    for keyword in (f"{prefix}PixelPaddingValue", f"{prefix}PixelPaddingRangeLimit"):
        stated = values.numbers(dataset, keyword) if prefix else values.integers(dataset, keyword, header.signed)
        ends += [float(number) for number in stated[:1] if number is not None]
    if not ends:
        return outside, []
    within = (levels.numbers >= min(ends)) & (levels.numbers <= max(ends))
    count, total = int(levels.counts[within].sum()), int(levels.counts.sum())
    if not count:
        return outside, []
    numbers = {"from": min(ends), "to": max(ends), "pixels": count}
    if count == total:
        return outside, [Step("padding", "Every pixel is padding by the header: read as picture.", True, numbers)]
    where = f"{min(ends):g}" if min(ends) == max(ends) else f"{min(ends):g} to {max(ends):g}"
    text = f"{of(count, total)} pixels are padding ({where}): shown black, left out of black and white."
    return outside | within, [Step("padding", text, False, numbers)]


def _modality(dataset: Any, header: Header, levels: _Levels, bits: int, steps: list[Step]) -> _Scale:
    """Modality LUT, or rescale slope and intercept."""
    depth = None if header.signed or header.floating else (0.0, 2.0**bits - 1)
    for item in values.items(dataset, "ModalityLUTSequence")[:1]:
        table = lookup(item, "LUT", negative=header.signed)
        if table:
            steps.append(Step("modality", f"Modality LUT of {len(table.entries):,} entries, white at {table.top:g}."))
            return _Scale(table.of(levels.numbers), 1.0, (0.0, table.top), table.top <= 255, linear=False)
        steps.append(Step("modality", "The modality LUT cannot be used: passed over.", True))
    slope, intercept = (_stated(dataset, key, steps) for key in ("RescaleSlope", "RescaleIntercept"))
    if slope == 0:
        steps.append(Step("modality", "Rescale Slope 0 cannot be: read as 1.", True))
    slope, intercept = slope or 1.0, intercept or 0.0
    if (slope, intercept) != (1.0, 0.0):
        text = f"Rescale: slope {slope:g}, intercept {intercept:g}."
        steps.append(Step("modality", text, False, {"slope": slope, "intercept": intercept}))
        if depth:
            low, high = sorted(slope * end + intercept for end in depth)
            depth = (low, high)
    return _Scale(slope * levels.numbers + intercept, abs(slope), depth, bits <= 8, slope, intercept)


def _stated(dataset: Any, keyword: str, steps: list[Step]) -> float | None:
    stated = values.numbers(dataset, keyword)
    if stated and stated[0] is None:
        name = "Rescale Slope" if keyword == "RescaleSlope" else "Rescale Intercept"
        steps.append(Step("modality", f"{name} is no number: passed over.", True))
    return stated[0] if stated else None


def _choices(
    dataset: Any, scale: _Scale, shown: NDArray[np.bool_], steps: list[Step]
) -> Iterator[tuple[_Shares, Step]]:
    """VOI LUTs and windows that can be used, the standard's first choice first."""
    for item in values.items(dataset, "VOILUTSequence"):
        table = lookup(item, "LUT", negative=bool((scale.numbers[shown] < 0).any()))
        if table is None:
            steps.append(Step("voi", "The VOI LUT cannot be used: passed over.", True))
            continue
        text = f"VOI LUT of {len(table.entries):,} entries from {table.first}, white at {table.top:g}."
        numbers = {"entries": len(table.entries), "first": table.first, "white": table.top}
        yield table.share, Step("voi", text, False, numbers)
    usable, unusable = windows(dataset, scale.unit)
    if unusable:
        steps.append(Step("voi", f"{unusable} of {unusable + len(usable)} windows cannot be used: passed over.", True))
    for window in usable:
        text = f"Window: center {window.center:g}, width {window.width:g}, {window.function}."
        yield window.of, Step("voi", text, False, {"center": window.center, "width": window.width})


def _chosen(
    choices: list[tuple[_Shares, Step]], scale: _Scale, shown: NDArray[np.bool_], steps: list[Step]
) -> tuple[_Shares, Step] | None:
    """The first that shows more than one single grey; failing that the first window, which the header means to be."""
    passed: list[Step] = []
    for share, step in choices:
        if not shown.any() or np.ptp(scale.numbers[shown]) == 0 or np.ptp(_greys(share, scale.numbers[shown])) > 0:
            steps += passed
            return share, step
        passed.append(Step("voi", f"Passed over, for it shows one single grey: {step.text}", True, step.numbers))
    stands = next((choice for choice in choices if "center" in choice[1].numbers), None)
    steps += [] if stands else passed
    return stands


def _greys(share: _Shares, numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.round(np.clip(np.nan_to_num(share(numbers)), 0, 1) * 255).astype(np.uint8)


def _by_range(scale: _Scale, counts: NDArray[np.int64], shown: NDArray[np.bool_]) -> tuple[_Shares, Step]:
    """Black and white by the depth and by what the picture uses of it."""
    if not shown.any():
        return np.zeros_like, Step("range", "There is no number to show: black.", True)
    if scale.depth and scale.eight:
        low, high = scale.depth
        text = f"No window: {low:g} is black, {high:g} white, as the depth has it."
    else:
        darkest, brightest = black_white.ends(scale.numbers[shown], counts[shown])
        low, high, text = darkest, brightest, "No window: black and white by the picture"
        if scale.depth:
            floor, ceiling = scale.depth
            high = floor + black_white.white(brightest - floor, ceiling - floor)
            low = floor + black_white.black(darkest - floor, high - floor)
            text = "No window: black and white by the depth" if (low, high) == scale.depth else text
        text = f"{text}, {low:g} to {high:g}."
    step = Step("range", text, False, {"black": low, "white": high})
    return (lambda x: (x - low) / (high - low) if high > low else np.zeros_like(x)), step
