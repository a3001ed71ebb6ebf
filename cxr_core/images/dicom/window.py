"""DICOM's window: the part of the numbers that is spread from black to white (PS3.3 C.11.2.1.2)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_core.images.dicom import values

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True)
class Window:
    """``center``, ``width``, and how numbers in between become shares of white."""

    center: float
    width: float
    function: str

    def of(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares of white; below 0 and above 1 outside of the window."""
        if self.function == "SIGMOID":
            with np.errstate(over="ignore"):
                return 1 / (1 + np.exp(-4 * (numbers - self.center) / self.width))
        # LINEAR counts whole numbers, and has nothing to say to a width of 1 and below.
        inclusive = self.function == "LINEAR" and self.width > 1
        center, width = (self.center - 0.5, self.width - 1) if inclusive else (self.center, self.width)
        return (numbers - center) / width + 0.5


def windows(dataset: Any, unit: float) -> tuple[list[Window], int]:
    """The windows that can be used, in the order of the header, and how many cannot: no number, empty, without its
    other half, or narrower than ``unit``, the distance between neighbouring numbers.

    Raises ValueError for a function that the standard does not know.
    """
    pairs = [values.numbers(dataset, keyword) for keyword in ("WindowCenter", "WindowWidth")]
    count = max(map(len, pairs))
    if not count:
        return [], 0
    function = values.text(dataset, "VOILUTFunction") or "LINEAR"
    if function not in FUNCTIONS:
        raise ValueError("VOI LUT Function")
    usable = [
        Window(center, width, function)
        for center, width in zip(*pairs, strict=False)
        if center is not None and width is not None and width / unit > 1
    ]
    return usable, count - len(usable)
