"""A picture in its own numbers is the picture that everybody sees, whatever the file: same place, same grey."""

from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.sequence import Sequence

from cxr_core import images
from tests.images.files import VALUES, encoded, gradient, radiograph
from tests.images.test_deep import WAYS

EXIF = Image.Exif()
EXIF[0x0112] = 6
SIGNED = VALUES.astype(np.int16) - 1000
BORDERED = np.where(np.pad(np.ones((22, 32), bool), 4), SIGNED, np.int16(-2000))


def table(**descriptor: Any) -> Sequence:
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 8])
    item.add_new("LUTData", "US", [255 - value // 16 for value in range(4096)])
    return Sequence([item])


FILES = {
    **{way: content for way, (content, _) in WAYS.items()},
    "PNG": encoded(gradient(), "PNG"),
    "PNG, RGB": encoded(gradient().convert("RGB"), "PNG"),
    "JPEG, turned": encoded(gradient(), "JPEG", exif=EXIF),
    "PNG, 12 bits, turned": encoded(Image.fromarray(VALUES), "PNG", exif=EXIF),
    "DICOM": radiograph(),
    "DICOM, 8 bits": radiograph(np.asarray(gradient()), 8),
    "DICOM, inverted": radiograph(PhotometricInterpretation="MONOCHROME1"),
    "DICOM, rescaled, two windows": radiograph(
        RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=[1000, 5], WindowWidth=[2000, 50]
    ),
    "DICOM, falling": radiograph(RescaleSlope=-1, RescaleIntercept=4095, WindowCenter=2000, WindowWidth=900),
    "DICOM, sigmoid": radiograph(WindowCenter=1800, WindowWidth=400, VOILUTFunction="SIGMOID"),
    "DICOM, VOI LUT": radiograph(VOILUTSequence=table()),
    "DICOM, modality LUT": radiograph(ModalityLUTSequence=table(), WindowCenter=100, WindowWidth=90),
    "DICOM, signed": radiograph(SIGNED, 16),
    "DICOM, signed, padding": radiograph(BORDERED, 16, PixelPaddingValue=-2000, WindowCenter=0, WindowWidth=900),
    "DICOM, RGB": radiograph(np.repeat(np.asarray(gradient())[..., None], 3, axis=2), 8),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_numbers_become_the_picture_that_everybody_sees(kind: str) -> None:
    levels = images.levels_of(FILES[kind], "x")
    assert np.array_equal(levels.greys[levels.numbers], np.asarray(images.decode(FILES[kind], "x")))
    assert len(levels.greys) == 2 ** (8 * levels.numbers.dtype.itemsize)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("DICOM, signed", SIGNED),
        ("DICOM, rescaled, two windows", 2.0 * VALUES - 1000),
        ("DICOM, falling", 4095.0 - VALUES),
    ],
)
def test_a_number_stands_for_a_value_of_the_file(kind: str, values: np.ndarray) -> None:
    levels = images.levels_of(FILES[kind], "x")
    assert np.array_equal(levels.slope * levels.numbers + levels.intercept, values)


def test_what_the_file_says_of_windows_polarity_depth_and_padding_is_kept() -> None:
    read = {kind: images.levels_of(FILES[kind], "x") for kind in FILES if kind.startswith("DICOM")}
    windows = {kind: levels.windows for kind, levels in read.items()}
    assert list(windows["DICOM, rescaled, two windows"]) == [(1000.0, 2000.0, "LINEAR"), (5.0, 50.0, "LINEAR")]
    assert not any(windows["DICOM, modality LUT"]), "the windows are not for numbers before the table"
    assert [kind for kind, levels in read.items() if levels.inverted] == ["DICOM, inverted"]
    bits = {kind: levels.bits for kind, levels in read.items()}
    assert [bits[kind] for kind in ("DICOM", "DICOM, 8 bits", "DICOM, signed")] == [12, 8, 16]
    padding = {kind: levels.padding for kind, levels in read.items() if levels.padding}
    assert padding == {"DICOM, signed, padding": (32768 - 2000, 32768 - 2000)}


def test_reduced_numbers_are_means_and_padding_stays_padding() -> None:
    levels = images.levels_of(FILES["DICOM, signed, padding"], "x")
    small = levels.within(20)
    assert small.numbers.shape == (15, 20)
    means = levels.numbers.reshape(15, 2, 20, 2).mean(axis=(1, 3))
    inside = np.pad(np.ones((11, 16), bool), 2)
    assert np.abs(small.numbers - means)[inside].max() <= 0.5
    assert (small.numbers[~inside] == levels.padding[0]).all()  # type: ignore[index]
    assert levels.within(40) is levels
