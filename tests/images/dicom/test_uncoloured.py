"""Grey pictures that are stored as colour are read as grey; pictures in colour are refused with the reason."""

from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import convert_color_space
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from cxr_core import images
from cxr_core.errors import ImageError
from cxr_core.images import dicom
from tests.images.files import VALUES, encoded, gradient, radiograph

GREY = np.asarray(gradient(64, 48))
AS_RGB = np.stack([GREY] * 3, axis=2)
COLOURED = np.stack([GREY, 255 - GREY, GREY], axis=2)


def shown(content: bytes) -> np.ndarray:
    return np.asarray(images.decode(content, "x.dcm"))


@pytest.mark.parametrize("syntax", [None, RLELossless])
def test_rgb_of_equal_channels_is_grey(syntax: Any) -> None:
    how = {"syntax": syntax} if syntax else {}
    assert np.array_equal(shown(radiograph(AS_RGB, 8, **how)), GREY)
    planar = np.moveaxis(AS_RGB, 2, 0)
    content = radiograph(AS_RGB, 8, PixelData=planar.tobytes(), PlanarConfiguration=1)
    assert np.array_equal(shown(content), GREY)
    assert images.inspect(content, "x.dcm").mode == "RGB"
    # The same picture as another file in colour.
    assert np.array_equal(np.asarray(images.decode(encoded(Image.fromarray(AS_RGB), "PNG"), "x.png")), GREY)


def test_of_12_bits_in_16_too() -> None:
    deep = np.stack([VALUES] * 3, axis=2)
    assert np.array_equal(shown(radiograph(deep)), shown(radiograph()))


def test_ybr_without_chroma_is_grey() -> None:
    ybr = convert_color_space(AS_RGB, "RGB", "YBR_FULL")
    assert np.array_equal(shown(radiograph(ybr, 8, PhotometricInterpretation="YBR_FULL")), GREY)
    # Two pixels share their chroma: Y1 Y2 B R.
    half = np.empty((48, 32, 4), np.uint8)
    half[..., 0], half[..., 1], half[..., 2:] = GREY[:, ::2], GREY[:, 1::2], 128
    tags: dict[str, Any] = {"PhotometricInterpretation": "YBR_FULL_422", "PixelData": half.tobytes()}
    assert np.array_equal(shown(radiograph(AS_RGB, 8, **tags)), GREY)


@pytest.mark.parametrize("kind", ["YBR_FULL_422", "YBR_FULL", "RGB"])
def test_jpeg_of_a_grey_picture_in_colour_is_grey(kind: str) -> None:
    stream = encoded(Image.fromarray(AS_RGB), "JPEG", quality=95)
    tags: dict[str, Any] = {"PhotometricInterpretation": kind, "PixelData": encapsulate([stream])}
    picture = shown(radiograph(AS_RGB, 8, JPEGBaseline8Bit, **tags))
    # What Pillow makes of the same JPEG outside of DICOM.
    assert np.abs(picture.astype(int) - np.asarray(Image.open(BytesIO(stream)).convert("L"))).max() <= 1


@pytest.mark.parametrize("kind", ["YBR_RCT", "YBR_ICT", "RGB"])
def test_jpeg_2000_of_a_grey_picture_in_colour_is_grey(kind: str) -> None:
    stream = encoded(Image.fromarray(AS_RGB), "JPEG2000", no_jp2=True)
    tags: dict[str, Any] = {"PhotometricInterpretation": kind, "PixelData": encapsulate([stream])}
    assert np.array_equal(shown(radiograph(AS_RGB, 8, JPEG2000Lossless, **tags)), GREY)


def palette(entries: np.ndarray, bits: int, first: int = 0, **other: np.ndarray) -> dict[str, Any]:
    """A palette with these greys; ``other``: entries of the hues that differ."""
    tags: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for hue in ("Red", "Green", "Blue"):
        name = f"{hue}PaletteColorLookupTable"
        tags |= {f"{name}Descriptor": [len(entries) % 2**16, first, bits]}
        tags |= {f"{name}Data": other.get(hue, entries).tobytes()}
    return tags


RAMP = np.arange(256)


@pytest.mark.parametrize(
    ("entries", "bits", "top"),
    [
        (RAMP.astype(np.uint8), 8, 255),
        (RAMP[::-1].astype(np.uint8), 8, 255),
        ((RAMP * 257).astype(np.uint16), 16, 65535),
        (RAMP.astype(np.uint16), 16, 255),
        (RAMP.astype(np.uint16), 8, 255),
        ((RAMP**2).astype(np.uint16), 16, 65535),
    ],
)
def test_a_palette_of_greys_is_grey(entries: np.ndarray, bits: int, top: int) -> None:
    expected = entries[GREY].astype(float) / top * 255
    assert np.abs(shown(radiograph(GREY, 8, **palette(entries, bits))) - expected).max() <= 0.5


def test_a_palette_begins_where_it_says() -> None:
    deep = GREY.astype(np.uint16) + 1000
    content = radiograph(deep, 16, **palette(RAMP.astype(np.uint8), 8, first=1000))
    assert np.array_equal(shown(content), GREY)


def test_a_palette_in_colour_or_not_usable_is_refused() -> None:
    coloured = palette(RAMP.astype(np.uint8), 8, Green=RAMP[::-1].astype(np.uint8))
    with pytest.raises(ImageError, match=r"in colour \(\d+% of its pixels\)"):
        shown(radiograph(GREY, 8, **coloured))
    # Colours that no pixel has are no matter.
    green = RAMP.astype(np.uint8).copy()
    green[251:] = 0
    assert GREY.max() < 251
    assert np.array_equal(shown(radiograph(GREY, 8, **palette(RAMP.astype(np.uint8), 8, Green=green))), GREY)
    none: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for tags in (none, palette(RAMP[:9].astype(np.uint8), 8)):
        tags["RedPaletteColorLookupTableDescriptor"] = [256, 0, 8]
        with pytest.raises(ImageError, match="palette that cannot be used"):
            shown(radiograph(GREY, 8, **tags))


@pytest.mark.parametrize("door", [images.inspect, images.decode])
def test_a_picture_in_colour_is_refused(door: Any) -> None:
    apart = (np.ptp(COLOURED.astype(int), axis=2) > 8).mean()
    with pytest.raises(ImageError, match=rf"expected a grey DICOM image.*in colour \({apart:.0%} of its pixels\)"):
        door(radiograph(COLOURED, 8), "x.dcm")


def test_a_coloured_marker_on_a_grey_picture_is_no_picture_in_colour() -> None:
    marked = AS_RGB.copy()
    marked[2:6, 2:6] = (255, 255, 0)
    content = radiograph(marked, 8)
    assert np.array_equal(shown(content)[8:], GREY[8:])
    # ITU-R 601 luma of yellow, as Pillow has it.
    assert shown(content)[3, 3] == np.asarray(Image.fromarray(marked).convert("L"))[3, 3]
    step = next(step for step in dicom.decoded(content, "x.dcm").steps if step.kind == "colour")
    assert step.numbers == {"coloured": 16, "pixels": GREY.size}
    marked[:, 20:30] = (255, 255, 0)
    with pytest.raises(ImageError, match="in colour"):
        shown(radiograph(marked, 8))


def test_windows_are_for_grey_pictures_only() -> None:
    window: dict[str, Any] = {"WindowCenter": 50, "WindowWidth": 20}
    assert np.array_equal(shown(radiograph(AS_RGB, 8, **window)), GREY)


def test_samples_and_kind_must_fit() -> None:
    with pytest.raises(ImageError, match="expected a grey DICOM image"):
        shown(radiograph(GREY, 8, PhotometricInterpretation="RGB"))
    assert pydicom.dcmread(BytesIO(radiograph(AS_RGB, 8))).SamplesPerPixel == 3
    with pytest.raises(ImageError, match="MONOCHROME2 with 3 samples"):
        shown(radiograph(AS_RGB, 8, PhotometricInterpretation="MONOCHROME2"))
