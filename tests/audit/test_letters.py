"""Letters at the border: found where they were drawn, and not where there are none."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from cxr_core.audit.traits import FACTS, look_at
from cxr_core.demo.phantom import FINDINGS, SOURCES, phantom
from tests.images.files import encoded

Picture = Image.Image
# Where letters may be put, in shares of width and height.
CORNERS = [(0.88, 0.04), (0.04, 0.04), (0.04, 0.88), (0.88, 0.88)]


def drawn(number: int) -> Picture:
    """A phantom, each of another patient, class and source."""
    return Image.fromarray(
        phantom(number, 0, FINDINGS[number % len(FINDINGS)], list(SOURCES)[number % len(SOURCES)], seed=5)
    )


def letters(picture: Picture, number: int, text: str = "LRAPD", grey: int = 255) -> Picture:
    """A letter on its darkest corner, as tall as markers are: a twelfth to an eighteenth of the picture."""
    size = picture.height / (12 + number % 7)
    boxes = [(x * picture.width, y * picture.height) for x, y in CORNERS]
    means = [np.asarray(picture.crop((round(x), round(y), round(x + size), round(y + size)))).mean() for x, y in boxes]
    marked = picture.copy()
    place = boxes[int(np.argmin(means))]
    ImageDraw.Draw(marked).text(place, text[number % len(text)], fill=grey, font=ImageFont.load_default(size))
    return marked


def has_letters(picture: Picture) -> bool:
    return bool(look_at(encoded(picture, "PNG"), "x")["facts"][FACTS.index("marker")] > 0)


def test_letters_are_found_and_pictures_without_are_not_flagged() -> None:
    plain = [drawn(number) for number in range(60)]
    assert sum(has_letters(picture) for picture in plain) <= 2
    marked = [letters(picture, number) for number, picture in enumerate(plain)]
    assert sum(has_letters(picture) for picture in marked) >= 57


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        lambda picture: picture.resize((3 * picture.width, 3 * picture.height), Image.Resampling.BICUBIC),
    ],
    ids=["mirrored", "larger"],
)
def test_it_depends_on_neither_side_nor_size(change: Callable[[Picture], Picture]) -> None:
    marked = [change(letters(drawn(number), number)) for number in range(20)]
    assert sum(has_letters(picture) for picture in marked) >= 19
    assert sum(has_letters(change(drawn(number))) for number in range(20)) <= 1


def test_what_is_no_letter_is_not_one() -> None:
    ground = Image.fromarray(np.full((256, 256), 60, np.uint8))

    def with_line(*place: float, width: int) -> Picture:
        picture = ground.copy()
        ImageDraw.Draw(picture).line(place, fill=255, width=width)
        return picture

    assert not has_letters(with_line(10, 10, 10, 240, width=3))  # a wire along the side
    assert not has_letters(with_line(0, 5, 255, 5, width=20))  # a bright frame
    inside = ground.copy()
    ImageDraw.Draw(inside).text((120, 120), "L", fill=255, font=ImageFont.load_default(18))
    assert not has_letters(inside)
    faint = letters(ground, 0, grey=90)
    assert not has_letters(faint)
    assert has_letters(letters(ground, 0))
