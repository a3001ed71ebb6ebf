"""DICOM files: the picture a viewer shows, the same as from a PNG of the same values, and nothing of the patient."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
)

from cxr_core import images
from cxr_core.errors import ImageError
from cxr_core.images import dicom, limits
from cxr_core.images.dicom import elements, terms
from tests.images.files import VALUES, encoded, gradient, radiograph

# Of the ID in their headers.
CODE = terms.code("ID-0815")


def grey(content: bytes) -> np.ndarray:
    return np.asarray(images.decode(content, "x.dcm"))


def test_the_same_values_as_png_give_the_same_pixels() -> None:
    from PIL import Image

    content = radiograph()
    assert images.inspect(content, "x") == images.ImageInfo(40, 30, "MONOCHROME2", "DICOM", 12, patient=CODE)
    assert np.array_equal(grey(content), grey(encoded(Image.fromarray(VALUES), "PNG")))
    eight = np.asarray(gradient())
    assert np.array_equal(grey(radiograph(eight, 8)), eight)
    assert images.pixels(content, "x", view=1).shape == (224, 224)


def test_monochrome1_is_inverted() -> None:
    assert np.array_equal(grey(radiograph(PhotometricInterpretation="MONOCHROME1")), 255 - grey(radiograph()))


def test_a_window_is_applied_after_the_rescale() -> None:
    tags: dict[str, Any] = {
        "RescaleSlope": 2,
        "RescaleIntercept": -1000,
        "WindowCenter": [1000, 5],
        "WindowWidth": [2000, 5],
    }
    shown = VALUES.astype(float) * 2 - 1000
    expected = np.clip(((shown - 999.5) / 1999 + 0.5) * 255, 0, 255)
    assert np.abs(grey(radiograph(**tags)).astype(float) - expected).max() <= 1


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_reach_from_black_to_white(function: str) -> None:
    content = radiograph(WindowCenter=1800, WindowWidth=400, VOILUTFunction=function)
    picture = grey(content)
    assert (picture.min(), picture.max()) == (0, 255)
    assert abs(int(picture[VALUES == 1800][0]) - 128) <= 2


def test_a_window_that_says_nothing_is_passed_over() -> None:
    for width in (0, 0.5):
        assert np.array_equal(grey(radiograph(WindowCenter=100, WindowWidth=width)), grey(radiograph()))


def test_a_voi_lut_of_eight_bits_with_many_entries() -> None:
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 8])
    item.add_new("LUTData", "US", [255 - value // 16 for value in range(4096)])
    picture = grey(radiograph(VOILUTSequence=Sequence([item])))
    assert np.array_equal(picture, 255 - VALUES // 16)


def test_signed_values_are_stretched() -> None:
    picture = grey(radiograph(VALUES.astype(np.int16) - 1000, 16))
    assert (picture.min(), picture.max()) == (0, 255)


@pytest.mark.parametrize("syntax", [RLELossless, DeflatedExplicitVRLittleEndian])
def test_compressed_files_give_the_same_pixels(syntax: UID) -> None:
    assert np.array_equal(grey(radiograph(syntax=syntax)), grey(radiograph()))


@pytest.mark.parametrize("kind", ["jp2klossless", "jpeg_ls_lossless", "RLE", "bigendian", "implicit"])
def test_pydicoms_own_compressed_files_give_the_same_pixels(kind: str) -> None:
    compressed, plain = (get_testdata_file(name, download=False) for name in (f"MR_small_{kind}.dcm", "MR_small.dcm"))
    assert compressed, "pydicom no longer brings this file along"
    assert np.array_equal(grey(Path(str(compressed)).read_bytes()), grey(Path(str(plain)).read_bytes()))


def test_a_decoder_that_dies_costs_its_own_file_only() -> None:
    path = get_testdata_file("MR_small_jpeg_ls_lossless.dcm", download=False)
    lying = pydicom.dcmread(str(path))
    lying.Rows *= 2  # the native decoder aborts its process at this
    buffer = BytesIO()
    lying.save_as(buffer)
    for _ in range(2):
        with pytest.raises(ImageError, match="cannot be decoded"):
            images.inspect(buffer.getvalue(), "x.dcm")
        assert images.inspect(Path(str(path)).read_bytes(), "x.dcm").width == 64


def test_a_header_with_a_damaged_element_is_refused() -> None:
    content = radiograph()
    at = content.index(b"\x28\x00\x10\x00US")  # Rows
    with pytest.raises(ImageError, match="header"):
        images.inspect(content[: at + 4] + b"U\xff" + content[at + 6 :], "x.dcm")
    unusable = radiograph(WindowCenter=100, WindowWidth=50, VOILUTFunction="NONSENSE")
    for door in (images.inspect, images.decode):
        with pytest.raises(ImageError, match="cannot be decoded"):
            door(unusable, "x.dcm")


def test_without_a_preamble() -> None:
    content = radiograph()[132:]
    assert dicom.is_dicom(content)
    assert np.array_equal(grey(content), grey(radiograph()))


def test_other_files_are_no_dicom() -> None:
    for content in (b"", b"DICM", encoded(gradient(), "PNG"), bytes(300), b"\x08\x00" + bytes(300), b"\x02\x00" * 300):
        assert not dicom.is_dicom(content)


@pytest.mark.parametrize(
    ("tags", "match"),
    [
        ({"NumberOfFrames": 5, "PixelData": VALUES.tobytes() * 5}, "5 frames"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "expected a grey DICOM"),
        ({"Rows": 60000, "Columns": 60000}, "over the limit of 100 million"),
        ({"Rows": 4}, "at least 8"),
        ({"Rows": 400}, "cannot be decoded"),
        ({"PixelData": b"ab"}, "cannot be decoded"),
    ],
)
def test_what_is_no_single_grey_image_is_refused(tags: dict[str, Any], match: str) -> None:
    content = radiograph(**tags)
    for door in (images.inspect, images.decode):
        with pytest.raises(ImageError, match=match):
            door(content, "x.dcm")


def test_an_object_without_pixels_and_a_cut_file_are_refused() -> None:
    content = radiograph()
    for share in (0.2, 0.5, 0.99):
        with pytest.raises(ImageError):
            images.inspect(content[: int(len(content) * share)], "x.dcm")
    with pytest.raises(ImageError, match="holds no image"):
        images.inspect(bytes(128) + b"DICM" + b"garbage" * 20, "x.dcm")


def test_a_deflated_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = radiograph(np.zeros((3000, 3000), np.uint16), syntax=DeflatedExplicitVRLittleEndian)
    monkeypatch.setattr(limits, "MAX_BYTES", 10**6)
    with pytest.raises(ImageError, match="over the limit"):
        images.decode(content, "x.dcm")
    with pytest.raises(ImageError, match="deflated part"):
        images.decode(content[:400] + b"\xff" * 400, "x.dcm")


@pytest.mark.parametrize(("stated", "age"), [("058Y", 58), ("018M", 1.5), ("411Y", None), ("Secret", None), ("", None)])
def test_the_age_is_a_fact_for_the_scan_and_shown_nowhere(stated: str, age: float | None) -> None:
    content = radiograph(PatientAge=stated)
    assert images.inspect(content, "x").age == age
    assert images.inspect(radiograph(), "x").age is None
    assert set(dicom.facts(content)) == {"size"}


def test_nothing_else_of_the_patient_is_read_or_said(capfd: pytest.CaptureFixture[str]) -> None:
    contents = [radiograph(), radiograph(Rows=400), radiograph().replace(b"1.2.3", b"Secret")]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for content in contents:
            assert "PatientName" not in elements.read(content, "x.dcm")
        with pytest.raises(ImageError) as error:
            images.decode(contents[1], "x.dcm")
        assert "Secret" not in f"{error.value!r} {error.value.__cause__!r}"
    printed = capfd.readouterr()
    assert "Secret" not in " ".join([printed.out, printed.err, *(str(warning.message) for warning in caught)])
