"""Lung boxes: found where they were drawn, mirrored with the picture, not told where there is no chest."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.lungs import drawn, overlap
from cxr_core.images.lungs import Box, Lungs, lungs

# Numbers that the coefficients were not fitted on.
CHESTS = range(100, 112)


def edges(found: Lungs) -> np.ndarray:
    return np.array(found.boxes).ravel()


def test_drawn_lungs_are_found_where_they_are() -> None:
    overlaps = []
    for number in CHESTS:
        square, true = drawn(number)
        found = lungs(square)
        if found is not None:
            overlaps += [overlap(edges(found)[at : at + 4], true[at : at + 4]) for at in (0, 4)]
    assert len(overlaps) >= 1.5 * len(CHESTS)
    assert np.mean(np.array(overlaps) >= 0.5) >= 0.9


def test_a_mirrored_chest_has_the_mirrored_boxes() -> None:
    square, _ = drawn(100)
    found, turned = lungs(square), lungs(np.ascontiguousarray(square[:, ::-1]))
    assert found is not None
    assert turned is not None
    (a, b), (c, d) = found.boxes, turned.boxes
    for box, other in ((a, d), (b, c)):
        assert other == pytest.approx(Box(1 - box.right, box.top, 1 - box.left, box.bottom), abs=0.02)


def test_neither_exposure_nor_size_matters() -> None:
    square, _ = drawn(101)
    bright = np.round(255 * (square / 255.0) ** 0.6).astype(np.uint8)
    large = np.asarray(Image.fromarray(square).resize((448, 448), Image.Resampling.BILINEAR))
    found = lungs(square)
    assert found is not None
    for other in (lungs(bright), lungs(large)):
        assert other is not None
        assert np.abs(edges(other) - edges(found)).max() < 0.04


@pytest.mark.parametrize("kind", ["noise", "blank", "inverted", "upside down", "sideways"])
def test_where_there_is_no_upright_chest_nothing_is_told(kind: str) -> None:
    square, _ = drawn(102)
    pictures = {
        "noise": np.random.default_rng(0).integers(0, 256, (224, 224)).astype(np.uint8),
        "blank": np.full((224, 224), 90, np.uint8),
        "inverted": 255 - square,
        "upside down": np.ascontiguousarray(np.rot90(square, 2)),
        "sideways": np.ascontiguousarray(np.rot90(square)),
    }
    assert lungs(pictures[kind]) is None


def test_on_real_images_the_held_out_boxes_are_found(real_data: Path) -> None:
    from benchmarks.lungs import labelled

    held = [(square, true) for part, square, true in labelled(real_data / "covid-cxr") if part == "held out"]
    hits = told = 0
    for square, true in held:
        if (found := lungs(square)) is not None:
            told += 2
            hits += sum(overlap(edges(found)[at : at + 4], true[at : at + 4]) >= 0.5 for at in (0, 4))
    assert told >= 30
    assert hits >= 0.9 * told


def test_the_pixels_inside_are_those_of_both_boxes() -> None:
    found = Lungs((Box(0, 0, 0.25, 0.5), Box(0.5, 0.5, 1, 1)))
    inside = found.inside(8)
    assert inside[:4, :2].all()
    assert inside[4:, 4:].all()
    assert inside.sum() == 8 + 16
