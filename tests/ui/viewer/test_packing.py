"""What the browser gets of a picture can be unpacked to the very numbers, and its windows are those of the file."""

import zlib

import numpy as np
import pytest
from PIL import Image

from cxr_core import images
from cxr_core.images.dicom.window import Window
from cxr_core.images.levels import Levels
from cxr_core.ui.viewer.packing import packed
from tests.images.files import VALUES, encoded, noise, radiograph
from tests.images.test_levels import FILES


def unpacked(content: bytes, deep: bool) -> tuple[np.ndarray, np.ndarray]:
    """As maths.js does it: numbers and the grey of each."""
    sent = np.frombuffer(zlib.decompress(content), np.uint8)
    count = (len(sent) - (65536 if deep else 256)) // (2 if deep else 1)
    steps = sent[:count].astype(np.uint32)
    if deep:
        steps += sent[count : 2 * count].astype(np.uint32) << 8
    return np.cumsum(steps, dtype=np.uint32) & (0xFFFF if deep else 0xFF), sent[-65536 if deep else -256 :]


@pytest.mark.parametrize("kind", ["PNG", "DICOM", "DICOM, inverted", "DICOM, signed, padding", "DICOM, VOI LUT"])
def test_it_arrives_as_it_was(kind: str) -> None:
    levels = images.levels_of(FILES[kind], kind)
    facts, content = packed(levels)
    numbers, greys = unpacked(content, facts["deep"])
    assert np.array_equal(numbers.reshape(facts["height"], facts["width"]), levels.numbers)
    assert np.array_equal(greys, levels.greys)


def test_what_is_larger_than_a_screen_is_reduced_and_says_so() -> None:
    facts, _ = packed(images.levels_of(encoded(noise(0, 300, 200), "PNG"), "x"), side=150)
    assert (facts["width"], facts["height"], facts["full"]) == (150, 100, [300, 200])


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("PNG", ["Full range", "Lungs", "Bones"]),
        ("DICOM, sigmoid", ["Window of the file", "Full range", "Lungs", "Bones"]),
        (
            "DICOM, rescaled, two windows",
            ["Window 1 of the file", "Window 2 of the file", "Full range", "Lungs", "Bones"],
        ),
    ],
)
def test_the_presets_are_the_files_windows_and_parts_of_the_picture(kind: str, names: list[str]) -> None:
    facts, _ = packed(images.levels_of(FILES[kind], kind))
    assert [preset["name"] for preset in facts["presets"]] == names


def shown(levels: Levels, preset: dict[str, float]) -> np.ndarray:
    values = levels.slope * levels.numbers.astype(np.float64) + levels.intercept
    share = np.clip(Window(preset["center"], preset["width"], "LINEAR_EXACT").of(values), 0, 1)
    return 1 - share if levels.inverted else share


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("slope", [1, -1])
def test_lungs_are_the_darker_part_and_bones_the_brighter_one(photometric: str, slope: int) -> None:
    levels = images.levels_of(radiograph(PhotometricInterpretation=photometric, RescaleSlope=slope), "x")
    facts, _ = packed(levels)
    presets = {preset["name"]: shown(levels, preset) for preset in facts["presets"]}
    seen = levels.greys[levels.numbers]
    dark, bright = seen < np.percentile(seen, 20), seen > np.percentile(seen, 80)
    assert np.ptp(presets["Lungs"][dark]) > 0.2
    assert presets["Lungs"][bright].min() == 1
    assert np.ptp(presets["Bones"][bright]) > 0.2
    assert presets["Bones"][dark].max() == 0


@pytest.mark.parametrize("kind", ["PNG", "DICOM", "DICOM, inverted", "DICOM, falling", "DICOM, rescaled, two windows"])
def test_a_drag_goes_on_from_what_is_shown(kind: str) -> None:
    levels = images.levels_of(FILES[kind], kind)
    facts, _ = packed(levels)
    first = levels.greys[levels.numbers].astype(float)
    assert np.abs(255 * shown(levels, facts["start"]) - first).max() <= 3


def test_padding_is_in_no_window() -> None:
    values = VALUES.copy() + 200
    values[:4] = 4095
    facts, _ = packed(images.levels_of(radiograph(values, 16, PixelPaddingValue=4095), "x"))
    assert facts["padding"] == [4095, 4095]
    assert facts["span"] == float(np.ptp(values[4:]))


def test_a_picture_of_one_single_number_has_windows_too() -> None:
    for picture in (Image.new("L", (20, 20), 7), Image.new("I;16", (20, 20), 700)):
        facts, _ = packed(images.levels_of(encoded(picture, "PNG"), "x"))
        assert all(preset["width"] > 0 for preset in (*facts["presets"], facts["start"]))
