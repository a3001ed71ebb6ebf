"""Masks: what they erase, what they leave, and that no view of a picture brings an erased border back."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cxr_core.images.masking import BORDER, FILL, MASKS, Mask, masked, without_border
from cxr_core.images.reading import pixels

WHITE = 255
VIEWS = range(1, 25)


def noise(side: int) -> NDArray[np.uint8]:
    """Squares (3, S, S) without the grey of the fill."""
    squares = np.random.default_rng(side).integers(0, 256, (3, side, side), dtype=np.uint8)
    squares[squares == FILL] = 0
    return squares


def framed(width: int, height: int, share: float) -> bytes:
    """A PNG, black inside, with ``share`` of each side white: what the audit takes for letters, all of it."""
    picture = np.full((height, width), WHITE, np.uint8)
    top, left = round(height * share), round(width * share)
    picture[top : height - top, left : width - left] = 0
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("side", [32, 33, 64, 224, 1024])
@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_leaves_a_pixel_or_fills_it_and_twice_is_once(mask: Mask, side: int) -> None:
    squares = noise(side)
    shown = masked(squares, mask)
    assert shown.dtype == np.uint8
    assert ((shown == squares) | (shown == FILL)).all()
    assert masked(shown, mask).tobytes() == shown.tobytes()
    assert all(masked(one, mask).tobytes() == part.tobytes() for one, part in zip(squares, shown, strict=True))


@pytest.mark.parametrize("side", [32, 33, 64, 224, 1024])
def test_the_border_is_a_rim_of_eight_percent_outside_the_middle(side: int) -> None:
    squares = noise(side)
    rim = round(BORDER * side)
    bordered = masked(squares, "border-erased")
    assert (bordered[:, rim:-rim, rim:-rim] == squares[:, rim:-rim, rim:-rim]).all()
    assert (bordered != FILL).sum() == 3 * (side - 2 * rim) ** 2
    # The middle keeps all of itself, and the control without lungs keeps a picture around it.
    assert masked(bordered, "middle-only").tobytes() == masked(squares, "middle-only").tobytes()


@pytest.mark.parametrize("side", [32, 33, 64, 224, 1024])
def test_nothing_that_the_middle_shows_is_left_without_lungs(side: int) -> None:
    squares = noise(side)
    lungless, middle = (masked(squares, mask) != FILL for mask in ("lungs-erased", "middle-only"))
    assert not (lungless & middle).any()
    assert (~lungless[0, side // 2]).mean() == pytest.approx(0.88, abs=0.04)
    assert (~lungless[0, :, side // 2]).mean() == pytest.approx(0.90, abs=0.04)
    assert middle[0, side // 2].mean() == pytest.approx(0.70, abs=0.04)
    assert middle[0, :, side // 2].mean() == pytest.approx(0.75, abs=0.04)
    assert lungless.any()


def test_every_mask_has_one_without_the_border() -> None:
    assert without_border("none") == "border-erased"
    assert without_border("middle-only") == "middle-only"
    assert all(without_border(without_border(mask)) == without_border(mask) for mask in MASKS)
    squares = noise(64)
    middle = masked(squares, "middle-only")
    assert masked(middle, "border-erased").tobytes() == middle.tobytes()
    # What is left without lungs is border, all of it: such a run has no control of that kind.
    assert (masked(masked(squares, "lungs-erased"), "border-erased") == FILL).all()


@pytest.mark.parametrize("size", [64, 224])
@pytest.mark.parametrize("sides", [(512, 512), (600, 450), (450, 600), (1024, 400)])
def test_all_that_the_audit_takes_for_letters_is_erased(sides: tuple[int, int], size: int) -> None:
    """It looks at the outer eighth of each side of the whole picture; the crop leaves less of that than the rim."""
    content = framed(*sides, share=1 / 8)
    assert pixels(content, "a.png", size).max() == WHITE
    shown = pixels(content, "a.png", size, mask="border-erased")
    rim = round(BORDER * size)
    # One row at the rim's edge may carry some of the white that resizing spread.
    inner = shown[rim + 1 : -rim - 1, rim + 1 : -rim - 1]
    assert inner.max() == 0


def test_no_view_moves_an_erased_border_into_sight() -> None:
    content = framed(512, 512, share=0.11)
    moved = [masked(pixels(content, "a.png", 224, view), "border-erased").max() for view in VIEWS]
    assert max(moved) > 200, "erased after the view alone, some of it would be seen"
    for view in VIEWS:
        shown = pixels(content, "a.png", 224, view, "border-erased")
        rim = round(BORDER * 224)
        assert (shown[:rim] == FILL).all()
        assert (shown[:, -rim:] == FILL).all()
        assert shown.max() < 150
        assert (shown[rim:-rim, rim:-rim] != FILL).mean() > 0.9


@pytest.mark.parametrize("mask", ["none", "lungs-erased", "middle-only"])
@pytest.mark.parametrize("view", [0, 1, 5])
def test_other_masks_are_laid_on_the_view(mask: Mask, view: int) -> None:
    content = framed(300, 260, share=0.2)
    expected = masked(pixels(content, "a.png", 64, view), mask)
    assert pixels(content, "a.png", 64, view, mask).tobytes() == expected.tobytes()
