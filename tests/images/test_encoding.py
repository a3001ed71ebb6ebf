"""A picture as the bytes of a file: whole as a PNG, close enough as a JPEG, no larger than asked."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cxr_core.images.encoding import jpeg, png
from tests.images.files import gradient, noise


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_png_keeps_every_pixel(mode: str) -> None:
    picture = noise(0).convert(mode)
    again = Image.open(BytesIO(png(picture)), formats=["PNG"])
    assert again.mode == mode
    assert np.array_equal(np.asarray(again), np.asarray(picture))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_looks_the_same(mode: str) -> None:
    picture = gradient().convert(mode)
    again = Image.open(BytesIO(jpeg(picture)), formats=["JPEG"])
    assert (again.mode, again.size) == (mode, picture.size)
    assert np.abs(np.asarray(again, dtype=int) - np.asarray(picture, dtype=int)).max() <= 8


@pytest.mark.parametrize(("side", "size"), [(20, (20, 15)), (40, (40, 30)), (4000, (40, 30))])
def test_a_smaller_one_is_a_copy(side: int, size: tuple[int, int]) -> None:
    picture = gradient(40, 30)
    assert Image.open(BytesIO(jpeg(picture, side))).size == size
    assert picture.size == (40, 30)
