"""Good films stay answered in whatever they are packed: the gate takes none for blank or inverted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxr_core.images.dicom.files import facts
from cxr_core.images.gate import questioned
from cxr_core.images.reading import decode, pixels
from tests.images.files import radiograph
from tests.images.test_deep import png, repeated, tiff

Pack = Callable[[np.ndarray], bytes]


def in_bits(grey: np.ndarray, bits: int) -> np.ndarray:
    return np.round(grey * ((2**bits - 1) / 255)).astype(np.uint16)


PACKED: dict[str, Pack] = {
    "PNG, RGB, 12 of 16 bits": lambda grey: png(repeated(in_bits(grey, 12))),
    "TIFF, RGB, 12 of 16 bits": lambda grey: tiff(repeated(in_bits(grey, 12)), photometric="rgb"),
    "TIFF, white is zero": lambda grey: tiff(65535 - in_bits(grey, 16), photometric="miniswhite"),
    "TIFF, 32 bits": lambda grey: tiff(in_bits(grey, 16).astype(np.uint32) * 65537, photometric="minisblack"),
    "TIFF, floats": lambda grey: tiff(grey / 255, photometric="minisblack"),
    "DICOM, 12 bits": lambda grey: radiograph(in_bits(grey, 12)),
    "DICOM, left-aligned": lambda grey: radiograph(in_bits(grey, 12) << 4, HighBit=15),
    "DICOM, MONOCHROME1": lambda grey: radiograph(4095 - in_bits(grey, 12), PhotometricInterpretation="MONOCHROME1"),
}


@pytest.fixture(scope="module")
def films(real_data: Path) -> list[np.ndarray]:
    files = sorted((real_data / "covid-cxr" / "test").glob("*/*.jpg"))[::28]
    return [np.asarray(Image.open(file).convert("L"), float) for file in files]


@pytest.mark.parametrize("kind", PACKED)
def test_good_films_are_answered_in_every_container(kind: str, films: list[np.ndarray]) -> None:
    for film in films:
        content = PACKED[kind](film)
        assert questioned(content, "x", pixels(content, "x"), facts(content)) is None
        # Floats are stretched from their darkest to their brightest: looks alike, other numbers.
        assert np.abs(np.asarray(decode(content, "x"), float) - film).mean() <= (25 if "floats" in kind else 1)
