"""Where the lungs lie in an upright frontal chest X-ray, roughly: a box for each, or None where that is not sure.

    found = lungs(pixels)                 # the square that a network sees, uint8 (S, S)
    found.boxes                           # left and right in the picture; edges as shares of the square's side
    found.inside(len(pixels))             # bool (S, S)

Histograms of oriented gradients (Dalal and Triggs 2005) on a coarse grid, and from these the eight edges by ridge
regression: of the square, of its mirror image and of windows that are moved a little. The edges are the median of what
these say; where they contradict each other, where what they enclose is not darker than what lies between, or where the
chest seems to be turned, nothing is said. The coefficients come from ``benchmarks/lungs.py``.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxr_core.images.orientation import quarter_turns

Floats = NDArray[np.float64]

# What is shown wherever boxes are used.
APPROXIMATE = "The lungs are two boxes found by a small detector; they are approximate."
COEFFICIENTS = Path(__file__).with_name("lungs.npz")
SIDE, CELL, ANGLES, GREYS = 64, 8, 9, 16
# Windows beside the whole square: left, top and side as shares of it.
WINDOWS = (
    (0.0, 0.0, 1.0),
    (0.05, 0.05, 0.9),
    (-0.06, -0.06, 1.12),
    (0.06, 0.0, 1.0),
    (-0.06, 0.0, 1.0),
    (0.0, 0.06, 1.0),
    (0.0, -0.06, 1.0),
)
# Edges of the left box, then of the right one, as the mirror image has them.
_MIRRORED = [6, 5, 4, 7, 2, 1, 0, 3]
_ACROSS = [0, 2, 4, 6]


class Box(NamedTuple):
    """Edges as shares of the square's side."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Lungs:
    """``boxes``: the lung at the left of the picture (the patient's right one) and the one at its right."""

    boxes: tuple[Box, Box]

    def inside(self, size: int) -> NDArray[np.bool_]:
        """Which pixels of a square of ``size`` lie in a box: those whose middle does."""
        place = (np.arange(size) + 0.5) / size
        inside = np.zeros((size, size), bool)
        for box in self.boxes:
            rows, columns = (place >= box.top) & (place < box.bottom), (place >= box.left) & (place < box.right)
            inside |= rows[:, None] & columns
        return inside


class Guess(NamedTuple):
    """Before it is judged: the edges (8,), how far the windows differ, and how much darker the boxes are."""

    edges: Floats
    spread: float
    darker: float


def lungs(pixels: NDArray[np.uint8]) -> Lungs | None:
    """The boxes of both lungs in the square (S, S) that a network sees, or None where it is not sure."""
    guess = guessed(pixels)
    e = guess.edges
    if guess.spread > MOST_SPREAD or guess.darker < LEAST_DARKER or quarter_turns(pixels):
        return None
    if min(e[2] - e[0], e[6] - e[4]) < 0.12 or min(e[3] - e[1], e[7] - e[5]) < 0.2 or e[4] <= e[2]:
        return None
    return Lungs((Box(*map(float, e[:4])), Box(*map(float, e[4:]))))


# Of the windows' edges, in shares of the side; and of the greys by rank, 0 to 1.
MOST_SPREAD, LEAST_DARKER = 0.03, 0.1


def guessed(pixels: NDArray[np.uint8]) -> Guess:
    """What the windows say together."""
    mean, weights = _coefficients()
    said = []
    for left, top, side in WINDOWS:
        view = window(pixels, left, top, side)
        for mirrored in (False, True):
            edges = features(view[:, ::-1] if mirrored else view) @ weights + mean
            if mirrored:
                edges = edges[_MIRRORED]
                edges[_ACROSS] = 1 - edges[_ACROSS]
            said.append(edges * side + np.tile([left, top], 4))
    every = np.clip(said, 0, 1)
    edges = np.median(every, axis=0)
    return Guess(edges, float(np.abs(every - edges).mean(axis=0).max()), _darker(pixels, edges))


def window(pixels: NDArray[np.uint8], left: float, top: float, side: float) -> NDArray[np.uint8]:
    """A part of the square, (SIDE, SIDE); beyond its edges they go on."""
    size = len(pixels)
    around = round(size * 0.3)
    padded = Image.fromarray(np.pad(pixels, around, mode="edge"))
    x, y, s = left * size + around, top * size + around, side * size
    return np.asarray(padded.resize((SIDE, SIDE), Image.Resampling.BOX, box=(x, y, x + s, y + s)))


def features(view: NDArray[np.uint8]) -> Floats:
    """Of a window (SIDE, SIDE): gradients by angle in each cell, and greys by rank on a coarse grid."""
    picture = _ranked(view)
    down, across = np.gradient(picture)
    length, angle = np.hypot(down, across), np.arctan2(down, across) % np.pi
    part = angle / np.pi * ANGLES
    low = np.floor(part).astype(int)
    share = part - low
    cells = SIDE // CELL
    rows, columns = np.indices(picture.shape) // CELL
    bins = (rows * cells + columns) * ANGLES
    parts = ((low % ANGLES, 1 - share), ((low + 1) % ANGLES, share))
    counts = [np.bincount((bins + k).ravel(), (length * w).ravel(), cells * cells * ANGLES) for k, w in parts]
    histogram = np.reshape(counts[0] + counts[1], (cells, cells, ANGLES))
    histogram /= np.sqrt((histogram**2).sum(axis=2, keepdims=True) + 0.05)
    step = SIDE // GREYS
    greys = picture.reshape(GREYS, step, GREYS, step).mean(axis=(1, 3)) - 0.5
    return np.concatenate([histogram.ravel(), 2 * greys.ravel()])


def _ranked(view: NDArray[np.uint8]) -> Floats:
    """Each grey as the share of pixels that are darker: exposure and contrast no longer count."""
    counts = np.bincount(view.ravel(), minlength=256)
    return np.asarray(((np.cumsum(counts) - counts / 2) / view.size)[view])


def _darker(pixels: NDArray[np.uint8], edges: Floats) -> float:
    """By how much the darker of what lies in the boxes is darker than the strip between them, by rank."""
    picture = _ranked(window(pixels, 0, 0, 1))
    x0, y0, x1, y1, x2, y2, x3, y3 = np.round(edges * SIDE).astype(int).tolist()
    sides = [picture[y0:y1, x0:x1], picture[y2:y3, x2:x3]]
    between = picture[min(y0, y2) : max(y1, y3), x1:x2]
    if not (between.size and sides[0].size and sides[1].size):
        return -1.0
    return float(between.mean() - max(side.mean() for side in sides))


@cache
def _coefficients() -> tuple[Floats, Floats]:
    with np.load(COEFFICIENTS) as kept:
        return kept["mean"].astype(np.float64), kept["weights"].astype(np.float64)
