"""How much of a heat map lies in the lungs, of one image: against how much of the square they are.

    found = within(heat, lungs(pixels))         # None where the lungs are not found, or nothing is hot
    found.sentence, found.doubt
    sentence, doubt = told(heat, lungs(pixels)) # in words, whatever is found

Nothing here needs torch. Over a whole split: :mod:`cxr_core.inference.where`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxr_core.figures import percent
from cxr_core.images.lungs import Lungs

NOT_FOUND = "The lungs were not found for sure in this picture: how much of the heat lies in them is not known."
LESS = "Less of the heat lies in the lungs than chance would put there: read the answer with doubt."


class Inside(NamedTuple):
    """``share``: of the heat; ``area``: of the square that the network saw. Both 0 to 1."""

    share: float
    area: float

    @property
    def sentence(self) -> str:
        return (
            f"{percent(self.share)} of the heat lies in the lungs, which are {percent(self.area)} of the square that "
            "the network saw."
        )

    @property
    def doubt(self) -> str:
        """Why the map speaks against the answer, in a sentence; empty where it does not."""
        return LESS if self.share < self.area else ""


def told(heat: NDArray[np.float32], place: Lungs | None) -> tuple[str, str]:
    """A sentence with both numbers, or why there are none, and the doubt; both are empty where nothing is hot."""
    if not heat.any():
        return "", ""
    found = within(heat, place)
    return (NOT_FOUND, "") if found is None else (found.sentence, found.doubt)


def within(heat: NDArray[np.float32], place: Lungs | None) -> Inside | None:
    """``heat``: (S, S), 0 to 1, as :func:`cxr_core.inference.explain.heat_map` gives it for the square that ``place``
    was found in.
    """
    if place is None:
        return None
    there = place.inside(len(heat))
    whole = float(heat.sum(dtype=np.float64))
    return Inside(float(heat[there].sum(dtype=np.float64)) / whole, float(there.mean())) if whole > 0 else None
