"""Headers that leave out what can only be one way, or contradict their own pixels: read as the pixels are, and said."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, JPEGExtended12Bit

from cxr_core import images
from cxr_core.errors import ImageError
from cxr_core.images import dicom
from cxr_core.images.dicom.codestream import Codestream, parse
from tests.images.files import VALUES, encoded, gradient, radiograph

EIGHT = np.asarray(gradient(64, 48))
GREEN = np.stack([EIGHT, 255 - EIGHT, EIGHT], axis=2)


def shown(content: bytes) -> np.ndarray:
    return np.asarray(images.decode(content, "x.dcm"))


def corrections(content: bytes) -> list[str]:
    return [step.text for step in dicom.decoded(content, "x.dcm").steps if step.corrected]


def compressed(stream: bytes, syntax: UID, values: np.ndarray = EIGHT, bits: int = 8, **tags: Any) -> bytes:
    """A header for ``values`` over this codestream."""
    return radiograph(values, bits, syntax, PixelData=encapsulate([stream]), **tags)


@pytest.mark.parametrize("tag", ["SamplesPerPixel", "PhotometricInterpretation", "HighBit", "PixelRepresentation"])
@pytest.mark.parametrize("blank", [False, True])
def test_an_attribute_with_one_possible_value_may_be_missing(tag: str, blank: bool) -> None:
    tags: dict[str, Any] = {tag: "" if blank else None}
    content = radiograph(**tags)
    assert np.array_equal(shown(content), shown(radiograph()))
    assert len(corrections(content)) == 1
    assert not corrections(radiograph())
    assert images.inspect(content, "x.dcm") == images.inspect(radiograph(), "x.dcm")


def test_bits_allocated_follow_from_the_length_of_the_pixels() -> None:
    assert np.array_equal(shown(radiograph(BitsAllocated=None)), shown(radiograph()))
    assert np.array_equal(shown(radiograph(EIGHT, 8, BitsAllocated=None)), EIGHT)
    with pytest.raises(ImageError, match="lacks Bits Allocated"):
        shown(radiograph(BitsAllocated=None, PixelData=VALUES.tobytes()[:-100]))


def test_bits_stored_follow_from_the_high_bit_or_the_picture_decides() -> None:
    assert np.array_equal(shown(radiograph(BitsStored=None)), shown(radiograph()))
    # Without both, 16 bits of which a sixteenth is used: white is the picture's own brightest.
    content = radiograph(BitsStored=None, HighBit=None)
    assert np.abs(shown(content) - VALUES / VALUES.max() * 255).max() <= 0.5
    assert np.array_equal(shown(radiograph(EIGHT, 8, BitsStored=None, HighBit=None)), EIGHT)
    assert np.array_equal(shown(radiograph(EIGHT, 8, BitsStored=12)), EIGHT)


@pytest.mark.parametrize("word", ["monochrome2", "MONOCHROME2\0", " MONOCHROME2"])
def test_the_kind_of_picture_may_be_written_in_another_way(word: str) -> None:
    assert np.array_equal(shown(radiograph(PhotometricInterpretation=word)), shown(radiograph()))


def test_an_unknown_kind_of_picture_is_refused_and_not_quoted() -> None:
    with pytest.raises(ImageError, match="expected a grey DICOM image") as error:
        shown(radiograph(PhotometricInterpretation="SECRETNAME"))
    assert "SECRET" not in str(error.value)


def test_one_picture_where_the_header_counts_more() -> None:
    content = radiograph(NumberOfFrames=16)
    assert np.array_equal(shown(content), shown(radiograph()))
    assert any("16" in text for text in corrections(content))
    stream = encoded(Image.fromarray(EIGHT), "JPEG", quality=95)
    counted = compressed(stream, JPEGBaseline8Bit, NumberOfFrames=3)
    assert np.array_equal(shown(counted), shown(compressed(stream, JPEGBaseline8Bit)))
    for count, held in ((16, 2), (2, 2), (5, 5)):
        with pytest.raises(ImageError, match=f"{count} frames"):
            shown(radiograph(NumberOfFrames=count, PixelData=VALUES.tobytes() * held))
    with pytest.raises(ImageError, match=r"cannot be decoded|cut short"):
        shown(radiograph(NumberOfFrames=16, PixelData=VALUES.tobytes()[:-8]))


@pytest.mark.parametrize("held", [2, 3])
def test_more_pixels_than_the_header_has_room_for_are_refused(held: int) -> None:
    with pytest.raises(ImageError, match=f"{held} times as long as the header says"):
        shown(radiograph(PixelData=VALUES.tobytes() * held))
    # A little more is padding.
    assert np.array_equal(shown(radiograph(PixelData=VALUES.tobytes() + bytes(300))), shown(radiograph()))


@pytest.mark.parametrize(("allocated", "stored"), [(16, 8), (16, 16), (16, 12), (8, 8), (32, 32)])
def test_jpeg_of_8_bits_is_that_whatever_the_header_says(allocated: int, stored: int) -> None:
    stream = encoded(Image.fromarray(EIGHT), "JPEG", quality=95)
    content = compressed(stream, JPEGBaseline8Bit, BitsAllocated=allocated, BitsStored=stored, HighBit=stored - 1)
    assert np.array_equal(shown(content), np.asarray(Image.open(BytesIO(stream))))
    assert images.inspect(content, "x.dcm").bits == 8
    assert bool(corrections(content)) == ((allocated, stored) != (8, 8))


@pytest.mark.parametrize(("allocated", "stored"), [(16, 8), (16, 16), (16, 12), (8, 8)])
def test_jpeg_2000_of_8_bits_is_that_whatever_the_header_says(allocated: int, stored: int) -> None:
    stream = encoded(Image.fromarray(EIGHT), "JPEG2000", no_jp2=True)
    content = compressed(stream, JPEG2000Lossless, BitsAllocated=allocated, BitsStored=stored, HighBit=stored - 1)
    assert np.array_equal(shown(content), EIGHT)


def test_jpeg_2000_of_16_bits_may_hold_12_and_may_hold_more_than_the_header_says() -> None:
    twelve = encoded(Image.fromarray(VALUES), "JPEG2000", no_jp2=True)
    assert np.array_equal(shown(compressed(twelve, JPEG2000Lossless, VALUES, 12)), shown(radiograph()))
    deep = VALUES * 16 + 7
    sixteen = compressed(encoded(Image.fromarray(deep), "JPEG2000", no_jp2=True), JPEG2000Lossless, deep, 12)
    assert np.array_equal(shown(sixteen), shown(radiograph(deep, 16)))
    assert any("codestream uses 16" in text for text in corrections(sixteen))


def test_numbers_that_compression_swings_beyond_the_depth_are_white() -> None:
    swung = VALUES + 490
    assert 0 < np.count_nonzero(swung > 4080) <= 12
    swung[swung > 4080] += 30
    content = compressed(encoded(Image.fromarray(swung), "JPEG2000", no_jp2=True), JPEG2000Lossless, swung, 12)
    assert np.array_equal(shown(content), shown(radiograph(np.minimum(swung, 4095))))


def test_samples_are_those_of_the_codestream() -> None:
    grey = encoded(Image.fromarray(EIGHT), "JPEG", quality=95)
    as_colour: dict[str, Any] = {
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "YBR_FULL_422",
        "PlanarConfiguration": 0,
    }
    assert np.array_equal(shown(compressed(grey, JPEGBaseline8Bit, **as_colour)), np.asarray(Image.open(BytesIO(grey))))
    three = encoded(Image.fromarray(EIGHT).convert("RGB"), "JPEG", quality=95)
    content = compressed(three, JPEGBaseline8Bit)
    assert np.abs(shown(content).astype(int) - EIGHT).max() <= 4
    assert any("codestream 3" in text for text in corrections(content))
    green = encoded(Image.fromarray(GREEN), "JPEG", quality=95)
    with pytest.raises(ImageError, match="in colour"):
        shown(compressed(green, JPEGBaseline8Bit))


# In a process of its own, as GDCM may abort the one it runs in.
_ENCODE = """
import gdcm, sys
reader = gdcm.ImageReader()
reader.SetFileName(sys.argv[1])
assert reader.Read()
codec = gdcm.JPEGCodec()
codec.SetLossless(False)
codec.SetQuality(100)
change = gdcm.ImageChangeTransferSyntax()
change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
change.SetUserCodec(codec)
change.SetInput(reader.GetImage())
assert change.Change()
writer = gdcm.ImageWriter()
writer.SetFileName(sys.argv[2])
writer.SetFile(reader.GetFile())
writer.SetImage(change.GetOutput())
assert writer.Write()
"""


def test_jpeg_extended_of_12_bits_is_read(tmp_path: Path) -> None:
    (tmp_path / "plain.dcm").write_bytes(radiograph())
    names = [str(tmp_path / name) for name in ("plain.dcm", "extended.dcm")]
    subprocess.run([sys.executable, "-c", _ENCODE, *names], check=True, capture_output=True)
    content = (tmp_path / "extended.dcm").read_bytes()
    assert str(JPEGExtended12Bit).encode() in content
    assert np.abs(shown(content).astype(int) - shown(radiograph())).max() <= 2
    assert images.inspect(content, "x.dcm").bits == 12


def test_damage_to_jpeg_extended_costs_that_file_only() -> None:
    content = Path(str(get_testdata_file("JPGExtended.dcm", download=False))).read_bytes()
    whole = shown(content)
    for at, size in ((content.index(b"\xff\xc1") + 4, 6), (content.index(b"\xff\xda"), 40)):
        damaged = content[:at] + bytes(size) + content[at + size :]
        for door in (images.inspect, images.decode):
            with pytest.raises(ImageError, match=r"x\.dcm"):
                door(damaged, "x.dcm")
    assert np.array_equal(shown(content), whole)


def test_codestreams_tell_their_depth_and_samples() -> None:
    assert parse(encoded(Image.fromarray(EIGHT), "JPEG")) == Codestream(8, 1)
    assert parse(encoded(Image.fromarray(GREEN), "JPEG", progressive=True)) == Codestream(8, 3)
    assert parse(encoded(Image.fromarray(EIGHT), "JPEG2000", no_jp2=True)) == Codestream(8, 1)
    assert parse(encoded(Image.fromarray(VALUES), "JPEG2000")) == Codestream(16, 1)
    twelve = Path(str(get_testdata_file("JPGExtended.dcm", download=False))).read_bytes()
    assert parse(twelve[twelve.index(b"\xff\xd8\xff") :]) == Codestream(12, 1)
    whole = encoded(Image.fromarray(EIGHT), "JPEG")
    for damaged in (b"", b"\xff\xd8", whole[:20], b"\xff\x4f\xff\x51", bytes(100), whole[:2] + bytes(200)):
        assert parse(damaged) is None
