"""DICOM without what makes a file of it: no preamble, no meta information, no class of the object; and other files."""

import struct
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from cxr_core import images
from cxr_core.errors import CutShortError, ImageError
from cxr_core.images import dicom
from tests.images.files import VALUES, encoded, gradient, radiograph


def bare(implicit: bool, little: bool = True, group: int = 8, **tags: Any) -> bytes:
    """The data set of ``radiograph()`` alone, without the groups below ``group``."""
    dataset = pydicom.dcmread(BytesIO(radiograph(**tags)))
    for element in list(dataset):
        if element.tag.group < group or element.keyword == "SOPClassUID":
            del dataset[element.tag]
    if not little:
        dataset.PixelData = VALUES.astype(">u2").tobytes()
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = little, implicit
    write_dataset(out, dataset)
    return bytes(out.getvalue())


KINDS = [(True, True), (False, True), (False, False)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("implicit", "little"), KINDS)
@pytest.mark.parametrize("group", [8, 0x10, 0x28])
def test_a_bare_data_set_is_read(implicit: bool, little: bool, group: int) -> None:
    content = bare(implicit, little, group, ImageType=["ORIGINAL", "PRIMARY"])
    assert dicom.is_dicom(content)
    assert np.array_equal(np.asarray(images.decode(content, "x.dcm")), np.asarray(images.decode(radiograph(), "x.dcm")))
    whole = images.inspect(radiograph(), "x.dcm")
    assert images.inspect(content, "x.dcm") == (whole if group <= 0x10 else replace(whole, patient=""))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("implicit", "little"), KINDS)
def test_one_that_is_cut_short_is_refused(implicit: bool, little: bool) -> None:
    content = bare(implicit, little)
    for share in (0.5, 0.9, 0.999):
        for door in (images.inspect, images.decode):
            with pytest.raises(ImageError):
                door(content[: int(share * len(content))], "x.dcm")


@pytest.mark.parametrize("door", [images.inspect, images.decode])
def test_many_pictures_cut_short_after_the_first_are_not_taken_for_one(door: Any) -> None:
    content = radiograph(NumberOfFrames=4, PixelData=VALUES.tobytes() * 4)
    with pytest.raises(CutShortError, match="cut short"):
        door(content[: -int(2.5 * VALUES.nbytes)], "x.dcm")


@pytest.mark.filterwarnings("ignore")
def test_what_only_begins_like_one_is_no_dicom() -> None:
    begun = struct.pack("<HHI", 8, 8, 4)
    for content in (
        encoded(gradient(), "PNG"),
        encoded(gradient(), "TIFF"),
        encoded(gradient(), "BMP"),
        bytes(1000),
        begun + bytes(1000),
        begun + b"\xff" * 1000,
        struct.pack("<HHI", 8, 8, 2**31) + bare(True)[8:],
        b"\x08\x00\x08\x00CS" + b"x" * 500,
        *(group + np.random.default_rng(0).bytes(5000) for group in (b"\x08\x00", b"\x28\x00", b"\x00\x10")),
    ):
        assert not dicom.is_dicom(content)
