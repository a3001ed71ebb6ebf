"""A picture for the browser: its numbers, packed, and the facts that belong to them.

    facts, content = packed(images.levels_of(content, name))

The content is deflated. Inside: differences from one number to the next, low bytes before high ones, which packs a
radiograph well; then the grey that each number has by the file's own rule. maths.js undoes it (``unpacked``).
"""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_core.images import Levels

# More than a screen shows: what is larger is reduced, and the viewer says so.
SIDE = 2048
FIRST = "As the network reads it"
# Name -> percentiles of the picture that are black and white. Lungs are its darker, bones its brighter part.
PARTS = {"Lungs": (1.0, 65.0), "Bones": (35.0, 99.7)}


def packed(levels: Levels, side: int = SIDE) -> tuple[dict[str, Any], bytes]:
    """What viewer.js must know of a picture, plain types for JSON; and the picture for ``unpacked`` of maths.js."""
    height, width = levels.numbers.shape
    levels = levels.within(side)
    numbers = levels.numbers
    deep = numbers.dtype == np.uint16
    steps = np.diff(numbers.ravel(), prepend=numbers.dtype.type(0))
    planes = [(steps & 0xFF).astype(np.uint8), *([(steps >> 8).astype(np.uint8)] if deep else [])]
    content = zlib.compress(b"".join(part.tobytes() for part in (*planes, levels.greys)), 1)
    facts = {
        "width": numbers.shape[1],
        "height": numbers.shape[0],
        "full": [width, height],
        "deep": bool(deep),
        "bits": levels.bits,
        "slope": levels.slope,
        "intercept": levels.intercept,
        "inverted": levels.inverted,
        "padding": list(levels.padding) if levels.padding else None,
        **_windows(levels),
    }
    return facts, content


def _windows(levels: Levels) -> dict[str, Any]:
    """``start``: the window that comes nearest to the file's own greys, from which a drag goes on; ``presets``: the
    windows by name; ``span``: what the values span.
    """
    counts = np.bincount(levels.numbers.ravel(), minlength=len(levels.greys))
    if levels.padding:
        counts[levels.padding[0] : levels.padding[1] + 1] = 0
    there = np.flatnonzero(counts)
    if not len(there):
        there = np.array([0, len(counts) - 1])
    presets = [
        {"name": "Window of the file" if len(levels.windows) == 1 else f"Window {at} of the file", **_named(window)}
        for at, window in enumerate(levels.windows, 1)
    ]
    presets.append({"name": "Full range", **_between(levels, there[0], there[-1])})
    presets += [{"name": name, **_between(levels, *_part(levels, counts, *part))} for name, part in PARTS.items()]
    return {
        "presets": presets,
        "start": _between(levels, *_start(levels, there)),
        "span": abs(levels.slope) * max(float(there[-1] - there[0]), 1.0),
    }


def _start(levels: Levels, there: NDArray[np.integer]) -> tuple[float, float]:
    """The numbers that the file's own greys would make black and white, were they a straight line."""
    greys = levels.greys.astype(np.float64)
    between = np.flatnonzero((greys > 0) & (greys < 255))
    if len(between) < 2 or greys[between[0]] == greys[between[-1]]:
        return float(there[0]), float(there[-1])
    first, last = between[0], between[-1]
    step = (last - first) / (greys[last] - greys[first])
    low, high = sorted((first - step * greys[first], last + step * (255 - greys[last])))
    return float(low), float(high)


def _named(window: tuple[float, float, str]) -> dict[str, Any]:
    center, width, function = window
    return {"center": center, "width": width, "function": function}


def _between(levels: Levels, low: float, high: float) -> dict[str, Any]:
    """The window from number to number, in the values of the file."""
    middle, width = (float(low) + float(high)) / 2, max(float(high) - float(low), 1.0)
    return _named((levels.slope * middle + levels.intercept, abs(levels.slope) * width, "LINEAR_EXACT"))


def _part(levels: Levels, counts: NDArray[np.integer], dark: float, bright: float) -> tuple[int, int]:
    """The numbers at two percentiles, rising in brightness; the picture's black border counts for nothing."""
    falling = levels.inverted != (levels.slope < 0)
    rising = counts[::-1].copy() if falling else counts.copy()
    there = np.flatnonzero(rising)
    if len(there) > 2:
        rising[there[0]] = 0
    total = np.cumsum(rising)
    if not total[-1]:
        return 0, len(counts) - 1
    low, high = (int(np.searchsorted(total, total[-1] * percent / 100)) for percent in (dark, bright))
    return (len(counts) - 1 - high, len(counts) - 1 - low) if falling else (low, high)
