"""A file whose end is missing is told from one that is damaged, in every format."""

from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from cxr_core import images
from cxr_core.errors import CutShortError, ImageError
from tests.images.files import encoded, gradient, noise, radiograph

FILES = {
    "PNG": encoded(noise(1, 200, 150), "PNG"),
    "JPEG": encoded(noise(1, 200, 150), "JPEG"),
    "progressive": encoded(noise(1, 200, 150), "JPEG", progressive=True),
    "BMP": encoded(noise(1, 200, 150), "BMP"),
    "WebP": encoded(noise(1, 200, 150), "WEBP"),
    "TIFF": encoded(noise(1, 200, 150), "TIFF"),
    "packed TIFF": encoded(noise(1, 200, 150), "TIFF", compression="tiff_lzw"),
    "DICOM": radiograph(),
    "packed DICOM": radiograph(np.asarray(noise(1, 200, 150)), 8, RLELossless),
    "deflated DICOM": radiograph(np.asarray(noise(1, 200, 150)), 8, DeflatedExplicitVRLittleEndian),
}


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("kind", FILES)
def test_a_missing_end_is_called_so(kind: str, share: float) -> None:
    images.inspect(FILES[kind], "film")
    with pytest.raises(CutShortError, match="cut short"):
        images.inspect(FILES[kind][: int(len(FILES[kind]) * share)], "film")


def changed(content: bytes, at: int, new: bytes) -> bytes:
    return content[:at] + new + content[at + len(new) :]


@pytest.mark.parametrize(
    "content",
    [
        b"no picture " * 50,
        changed(FILES["PNG"], len(FILES["PNG"]) // 2, b"xxxx"),
        changed(FILES["WebP"], 12, b"XXXX"),
        encoded(gradient(), "GIF"),
        radiograph(Rows=400),
        radiograph(PixelData=b"ab"),
    ],
    ids=["text", "PNG", "WebP", "GIF", "DICOM of more rows", "DICOM of two bytes"],
)
def test_other_damage_is_not(content: bytes) -> None:
    with pytest.raises(ImageError) as caught:
        images.inspect(content, "film")
    assert not isinstance(caught.value, CutShortError)


def test_what_is_whole_is_whole_with_more_behind_it() -> None:
    more: dict[str, Any] = {kind: FILES[kind] + bytes(7) for kind in ("PNG", "JPEG", "BMP", "WebP", "TIFF")}
    for content in more.values():
        assert images.inspect(content, "film").width == 200


def with_wrong_checksum(content: bytes, kind: bytes) -> bytes:
    """The PNG with one bit of a part's checksum flipped."""
    at = content.index(kind) - 4
    end = at + 8 + int.from_bytes(content[at : at + 4], "big")
    return changed(content, end, bytes([content[end] ^ 1]))


@pytest.mark.parametrize("kind", ["pHYs", "tEXt", "gAMA", "IEND"])
def test_damage_beside_the_pixels_of_a_png_is_passed_over_and_said(kind: str) -> None:
    about = PngInfo()
    about.add_text("Comment", "scanned")
    about.add(b"gAMA", b"\0\0\xb1\x8f")
    content = encoded(gradient(), "PNG", dpi=(96, 96), pnginfo=about)
    damaged = with_wrong_checksum(content, kind.encode())
    assert images.inspect(damaged, "film") == images.inspect(content, "film")
    decoded = images.decoded(damaged, "film")
    assert np.array_equal(np.asarray(decoded.picture), np.asarray(gradient()))
    assert [step.text for step in decoded.steps if step.corrected] == [
        f"The part {kind} is damaged. It holds nothing of the picture, and was left out."
    ]


@pytest.mark.parametrize("kind", ["IHDR", "IDAT", "tRNS", "eXIf"])
def test_damage_of_what_says_how_to_show_a_png_is_refused(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(gradient(), "PNG", exif=exif, transparency=3)
    images.inspect(content, "film")
    with pytest.raises(ImageError, match=f"wrong checksum in b'{kind}'"):
        images.inspect(with_wrong_checksum(content, kind.encode()), "film")
