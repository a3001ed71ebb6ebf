"""When not to answer: is this a chest X-ray like those that the run learnt from?

    reason = withheld(content, name, pixels, known.distance(vector), known.limit, facts)
    if reason: ...                    # one plain sentence; the answer is only shown on demand, and marked

Numpy and Pillow only. The checks, the first that fails gives the reason: what DICOM says; colour; a blank or
two-valued picture; the layout of a chest (upside down, on its side, inverted, or none); far from every training image.

The cut-offs come from 852 chest radiographs (training and validation images of COVID-CXNet and NIH ChestX-ray14),
each stated with what those images gave, or from first principles where such images say nothing. ``python -m
benchmarks.withholding RUN`` measures what they do.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxr_core.images.dicom import terms
from cxr_core.images.dicom.files import is_dicom
from cxr_core.images.orientation import quarter_turns
from cxr_core.images.reading import decode

# What ``dicom.facts`` may say of a frontal chest radiograph. OT and SC are "other" and scanned films; "" and OTHER (a
# word that is no term of the standard) say nothing.
_MODALITIES = ("", terms.OTHER, "CR", "DX", "DR", "XR", "RG", "OT", "SC")
_BODY_PARTS = ("", terms.OTHER, "CHEST", "LUNG", "HEART", "RIB")
_VIEWS = ("", terms.OTHER, "PA", "AP")

# 70 % of a picture lie within this distance of one tint, of 255: so do a grey picture (0), sepia (1), and a radiograph
# with arrows and text in colour (3); photographs come to 4 and more.
_UNTINTED, _COLOUR = 0.7, 4.0
# Standard deviation of all grey levels: 15 or more in the 852.
_SPREAD = 8.0
# Share of the picture within 2 levels of one grey: at most 0.36 in the 852.
_ONE_GREY = 0.5
# Share of the four commonest grey levels: at most 0.31 in the 852.
_FEW_GREYS = 0.8
# Deviation from the mean of 3 x 3 neighbours over that of the picture, on a grid of 64 x 64: 0.038 to 0.270.
_SMOOTH, _ROUGH = 0.035, 0.35
# Correlation with the average chest below: 0.2 or more in 849 of the 852, 0.43 or more in 95 %.
_LIKE_A_CHEST, _SURELY = 0.2, 0.43

# An average upright frontal chest radiograph, 16 rows of its left half (the right half is its mirror): the mean of the
# 852 pictures, each trimmed, reduced to 16 x 16 and scaled to the same mean and deviation; 80 is the mean grey.
_AVERAGE = np.array(
    [
        (11, 17, 21, 27, 37, 55, 75, 88),
        (44, 51, 52, 52, 51, 56, 72, 85),
        (67, 73, 69, 59, 51, 50, 65, 83),
        (82, 82, 72, 55, 41, 41, 61, 85),
        (87, 85, 70, 48, 32, 36, 60, 89),
        (87, 84, 68, 44, 29, 36, 65, 94),
        (85, 83, 66, 43, 32, 43, 73, 101),
        (81, 81, 65, 45, 39, 54, 84, 108),
        (77, 79, 66, 50, 49, 66, 94, 115),
        (74, 78, 68, 59, 62, 79, 104, 122),
        (71, 78, 73, 70, 76, 92, 113, 128),
        (68, 79, 81, 83, 91, 104, 121, 133),
        (66, 82, 90, 97, 105, 116, 129, 138),
        (64, 86, 100, 109, 117, 126, 136, 143),
        (64, 91, 108, 119, 127, 134, 141, 147),
        (65, 96, 116, 128, 135, 140, 146, 150),
    ]
)


def withheld(
    content: bytes,
    name: str,
    pixels: NDArray[np.uint8],
    distance: float,
    limit: float,
    facts: Mapping[str, str] | None = None,
) -> str | None:
    """Why the answer for an image should be withheld, in one sentence; None where nothing speaks against it.

    ``content``: the file, which has been decoded before (so it is within all limits); ``pixels``: what the network sees
    of it, uint8 (S, S); ``distance`` and ``limit``: of :class:`cxr_core.inference.neighbours.Neighbours`; ``facts``:
    those of :func:`cxr_core.images.dicom.facts`, none for other files. Raises ImageError where ``content`` is no image.
    """
    doubt = questioned(content, name, pixels, facts)
    if doubt is not None:
        return doubt.reason
    return _FAR.format(distance=distance, limit=limit) if not distance <= limit else None


class Doubt(NamedTuple):
    """``kind``: one of ``KINDS``; ``reason``: a sentence."""

    kind: str
    reason: str


# Each in at most 16 letters; the audit of a data set has a finding for each.
KINDS = (
    *("modality", "body part", "lateral", "polarity"),
    *("colour", "blank", "few greys", "no detail", "fine detail"),
    *("turned", "inverted", "unlike"),
)


def questioned(
    content: bytes, name: str, pixels: NDArray[np.uint8], facts: Mapping[str, str] | None = None
) -> Doubt | None:
    """What speaks against a picture by itself, whichever run is asked: :func:`withheld` without the distance. For the
    audit of a data set, too.
    """
    return _said(facts or {}) or _coloured(content, name) or _flat(pixels) or _laid_out(pixels)


_FAR = (
    "Too different from the training images to trust (distance {distance:.3g} to the five nearest; 95 % of the "
    "validation images lie within {limit:.3g})."
)


def _said(facts: Mapping[str, str]) -> Doubt | None:
    """What the DICOM header says against a frontal chest radiograph."""
    modality, part, view = (facts.get(key, "") for key in ("modality", "body_part", "view"))
    if modality not in _MODALITIES:
        return Doubt("modality", f"The DICOM file says modality {modality}; expected a radiograph (CR or DX).")
    if part not in _BODY_PARTS:
        return Doubt("body part", f"The DICOM file says body part {part}; expected CHEST.")
    if view not in _VIEWS:
        return Doubt("lateral", f"The DICOM file says view {view}, which is not frontal; expected PA or AP.")
    if facts.get("polarity"):
        return Doubt(
            "polarity",
            f"The DICOM file contradicts itself on what is white ({facts['polarity']}): it may be inverted.",
        )
    return None


def _coloured(content: bytes, name: str) -> Doubt | None:
    """A picture of several colours is a photograph or a drawing; one tint (sepia, a blue film base) is none."""
    if is_dicom(content):
        return None
    picture = decode(content, name, side=128, colour=True)
    if picture.mode == "L":
        return None
    colours = picture.resize((64, 64), Image.Resampling.BOX).convert("YCbCr")
    if _chroma(np.asarray(colours)) <= _COLOUR:
        return None
    return Doubt("colour", "It is a picture in colour; a chest X-ray is grey.")


def _chroma(colours: NDArray[np.uint8]) -> float:
    """The distance from a single tint, at the same brightness, that 70 % of the colours (H, W, 3; YCbCr) keep to."""
    luma, *chroma = colours.reshape(-1, 3).astype(np.float64).T
    steps = (luma // 16).astype(np.int64)
    counts = np.maximum(np.bincount(steps, minlength=16), 1)
    rest = [c - (np.bincount(steps, weights=c, minlength=16) / counts)[steps] for c in chroma]
    return float(np.quantile(np.hypot(*rest), _UNTINTED))


def _flat(pixels: NDArray[np.uint8]) -> Doubt | None:
    """Blank, or of one ground as pages and charts are; without detail, or of nothing else."""
    if pixels.std() < _SPREAD:
        return Doubt("blank", "It is blank or nearly so.")
    shares = np.bincount(pixels.ravel(), minlength=256) / pixels.size
    if np.convolve(shares, np.ones(5), "same").max() > _ONE_GREY:
        return Doubt("blank", "More than half of it is one single grey, as in a page, a drawing or an empty film.")
    if np.sort(shares)[-4:].sum() > _FEW_GREYS:
        return Doubt("few greys", "It has only a few grey levels, as a drawing or a page in black and white.")
    grid = _reduced(pixels, 64)
    detail = (grid[1:-1, 1:-1] - _means_of_nine(grid)).std() / max(grid.std(), 1e-6)
    if detail < _SMOOTH and min(pixels.shape) >= 64:
        return Doubt("no detail", "It shows no detail; expected bones, vessels and edges.")
    if detail > _ROUGH:
        return Doubt("fine detail", "It consists of fine detail alone, as noise and text do.")
    return None


def _laid_out(pixels: NDArray[np.uint8]) -> Doubt | None:
    """Dark lungs beside a bright middle, bright below: against the average chest, the way up that it seems to have."""
    trimmed = _trimmed(pixels)
    picture, turns = _standard(_reduced(trimmed, 16)), quarter_turns(trimmed)
    upright, turned_back = _fit(picture), _fit(np.rot90(picture, -turns))
    if turns == 0 and upright >= _LIKE_A_CHEST:
        return None
    if turns and turned_back >= _LIKE_A_CHEST and turned_back > -upright:
        return Doubt("turned", f"It looks like a chest X-ray {'upside down' if turns == 2 else 'on its side'}.")
    if -upright >= _SURELY:
        return Doubt("inverted", "It looks like an inverted chest X-ray: lungs are bright and bones dark.")
    return Doubt("unlike", "It does not look like an upright frontal chest X-ray.")


def _trimmed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the bars of one grey that scanners and screens leave around a picture."""
    rows, columns = (np.flatnonzero(pixels.std(axis=axis) > 10) for axis in (1, 0))
    if 2 * min(len(rows), len(columns)) < len(pixels):
        return pixels
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _reduced(pixels: NDArray[np.uint8], side: int) -> NDArray[np.float64]:
    """Means over the cells of a ``side`` x ``side`` grid."""
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX), np.float64)


def _means_of_nine(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each inner cell and its eight neighbours."""
    rows = grid[:-2] + grid[1:-1] + grid[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9)


def _standard(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0, length 1 (0 where it is constant)."""
    centred = grid - grid.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-9))


def _fit(picture: NDArray[np.float64]) -> float:
    """Correlation of a standardised 16 x 16 picture with the average chest, -1 to 1."""
    return float((picture * _CHEST).sum())


_CHEST = _standard(np.concatenate([_AVERAGE, _AVERAGE[:, ::-1]], axis=1))
