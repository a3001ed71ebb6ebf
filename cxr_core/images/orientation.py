"""Which way up is a chest radiograph? Its brightness and the direction of its edges tell.

    quarter_turns(pixels)       # 0 upright, 1 turned anticlockwise, 2 upside down, 3 turned clockwise

Two maps of 8 x 8 cells: how bright a cell is, and whether its edges stand upright (spine, body) or lie (ribs,
diaphragm). A weighted sum of both is the score of one way up; the picture is turned through all four, and the highest
score decides. Brightness alone takes a pale film with dark corners for one upside down. The weights maximise the
likelihood of the right way up (softmax over the four, ridge 0.001) on 852 chest radiographs, training and validation
images of COVID-CXNet and NIH ChestX-ray14; docs/audit.md has what they do on others.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_CELLS, _SIDE = 8, 64
# Of the left half; the right half is its mirror, so that a mirrored picture gets the same score.
_BRIGHTNESS = (
    (-4, -11, -8, -1),
    (9, -1, -11, -19),
    (9, -1, -13, -8),
    (-20, -7, -12, -5),
    (-31, -11, -2, 5),
    (-32, -7, 13, 22),
    (-15, 0, 18, 38),
    (5, 18, 31, 53),
)
_EDGES = (
    (-33, -17, -7, 20),
    (-21, -3, -3, 11),
    (-7, -15, -2, 10),
    (5, -3, -8, 31),
    (28, 9, 0, -4),
    (-13, 6, 10, -19),
    (7, -17, -5, -4),
    (35, -1, 3, 6),
)
_WEIGHTS = np.array([[row + row[::-1] for row in half] for half in (_BRIGHTNESS, _EDGES)])


def quarter_turns(pixels: NDArray[np.uint8]) -> int:
    """By how many quarter turns anticlockwise a chest radiograph, uint8 (H, W), seems to have been turned, 0 to 3.

    Of anything else the answer means nothing.
    """
    ways = [_score(np.rot90(pixels, -turns)) for turns in range(4)]
    return int(np.argmax(ways))


def _score(pixels: NDArray[np.uint8]) -> float:
    small = Image.fromarray(np.ascontiguousarray(pixels)).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    grid = np.asarray(small, np.float64)
    standing = _cells(np.abs(np.diff(grid, axis=1, append=grid[:, -1:])))
    lying = _cells(np.abs(np.diff(grid, axis=0, append=grid[-1:])))
    maps = (_cells(grid), (standing - lying) / (standing + lying + 1))
    return float(sum((_standard(seen) * weights).sum() for seen, weights in zip(maps, _WEIGHTS, strict=True)))


def _cells(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of each cell."""
    step = _SIDE // _CELLS
    return np.asarray(grid.reshape(_CELLS, step, _CELLS, step).mean(axis=(1, 3)))


def _standard(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0, length 1 (0 where it is constant)."""
    centred = cells - cells.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-9))
