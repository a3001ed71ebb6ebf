"""Which number is black and which is white, where no window says so.

A depth alone does not tell: a radiograph that uses a quarter of its 12 bits would be all but black, and one whose depth
is guessed from its maximum would change fourfold between 1,023 and 1,024. So white is the depth's largest number where
the picture comes near it, the picture's own brightest where it stays below half of it, and in between something in
between: the brightness follows the exposure without a step. Black likewise.
"""

import numpy as np
from numpy.typing import NDArray

# Of the depth: from here on the picture uses it; below the second it does not.
_USED, _UNUSED = 0.8, 0.5
# Of the white: the darkest below here leaves black at 0; from the second on it is black itself.
_DARK, _PALE = 0.2, 0.5
# A dead pixel is not the picture: a thousandth of it may lie beyond all others by all that these span; what lies
# beyond by more counts less and less, down to a tenth.
_TAIL, _NEAR, _FAR, _LEFT = 0.001, 1.0, 2.0, 0.1


def white(brightest: float, top: float) -> float:
    """The number to be white, of a picture with this brightest number and a depth from 0 to ``top``."""
    share = brightest / top if top > 0 else 0.0
    if not 0 < share < _USED:
        return top if share <= 1 and share > 0 else max(brightest, 0.0)
    shown = 1 - (1 - _USED) * min(max((share - _UNUSED) / (_USED - _UNUSED), 0), 1)
    return brightest / shown


def black(darkest: float, whitest: float) -> float:
    """The number to be black, where ``whitest`` is white."""
    share = darkest / whitest if whitest > 0 else 0.0
    return darkest * min(max((share - _DARK) / (_PALE - _DARK), 0), 1)


def ends(numbers: NDArray[np.float64], counts: NDArray[np.integer]) -> tuple[float, float]:
    """Darkest and brightest number of a picture that holds each of ``numbers`` so many times, without outliers."""
    there = np.flatnonzero(counts)
    there = there[np.argsort(numbers[there], kind="stable")]
    rising, total = numbers[there], np.cumsum(counts[there])
    low, high = (float(rising[np.searchsorted(total, total[-1] * share)]) for share in (_TAIL, 1 - _TAIL))
    return low - _reach(low - float(rising[0]), high - low), high + _reach(float(rising[-1]) - high, high - low)


def _reach(beyond: float, span: float) -> float:
    """How much of the distance ``beyond`` the end of nearly all counts, where these span so much."""
    if beyond <= _NEAR * span:
        return beyond
    return span * max(_LEFT, _NEAR - (_NEAR - _LEFT) * (beyond / span - _NEAR) / (_FAR - _NEAR)) if span else 0.0
