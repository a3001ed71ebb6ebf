"""Which way up: the laws of turning, and the rates on real films that the weights have not seen."""

from pathlib import Path

import numpy as np
from PIL import Image

from cxr_core.images.gate import questioned
from cxr_core.images.orientation import quarter_turns
from cxr_core.images.reading import pixels
from tests.images.files import encoded


def drawn(tiny_dataset: Path) -> list[np.ndarray]:
    return [pixels(file.read_bytes(), file.name) for file in sorted(tiny_dataset.glob("*/*/*.png"))]


def test_turned_pictures_are_told_by_how_far(tiny_dataset: Path) -> None:
    right = total = 0
    for picture in drawn(tiny_dataset):
        upright = quarter_turns(picture)
        for turns in range(4):
            # Whatever is said of a picture, turning it adds to that.
            said = quarter_turns(np.rot90(picture, turns))
            assert said == (upright + turns) % 4
            right, total = right + (said == turns), total + 1
    assert right >= 0.95 * total


def test_a_mirror_image_is_the_same_way_up(tiny_dataset: Path) -> None:
    for picture in drawn(tiny_dataset)[:8]:
        assert quarter_turns(picture[:, ::-1]) == quarter_turns(picture)


def test_a_picture_of_one_grey_is_not_turned() -> None:
    assert quarter_turns(np.full((224, 224), 90, np.uint8)) == 0


def test_real_films_of_the_test_split_upright_and_turned(real_data: Path) -> None:
    """None of these chose a weight or a cut-off. docs/audit.md has the rates on all of them."""
    files = sorted((real_data / "covid-cxr" / "test").glob("*/*.jpg"))[::4]
    files.append(real_data / "covid-cxr" / "test" / "COVID19" / "covid19_0236.jpg")
    questioned_of = dict.fromkeys(range(4), 0)
    named_of = dict.fromkeys(range(4), 0)
    for file in files:
        picture = Image.open(file).convert("L")
        for turns in range(4):
            content = encoded(picture.rotate(90 * turns, expand=True), "PNG")
            doubt = questioned(content, file.name, pixels(content, file.name))
            questioned_of[turns] += doubt is not None
            named_of[turns] += doubt is not None and doubt.kind == "turned"
    assert named_of[0] == 0
    assert questioned_of[0] <= 1
    assert all(questioned_of[turns] == len(files) for turns in (1, 2, 3))
    assert all(named_of[turns] >= 0.95 * len(files) for turns in (1, 2, 3))
