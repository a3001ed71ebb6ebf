"""Numbers in their containers: the bits that are stored count, wherever they lie, and no others."""

from typing import Any

import numpy as np
import pytest
from pydicom.uid import RLELossless

from cxr_core import images
from cxr_core.images import dicom
from tests.images.files import VALUES, radiograph


def shown(content: bytes) -> np.ndarray:
    return np.asarray(images.decode(content, "x.dcm"))


def corrected(content: bytes) -> bool:
    return any(step.corrected for step in dicom.decoded(content, "x.dcm").steps)


@pytest.mark.parametrize("syntax", [None, RLELossless])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_numbers_in_the_upper_bits(bits: int, syntax: Any) -> None:
    values = (VALUES >> (12 - bits)) if bits < 12 else VALUES << (bits - 12)
    how = {"syntax": syntax} if syntax else {}
    high = radiograph(values << (16 - bits), bits, HighBit=15, **how)
    assert np.array_equal(shown(high), shown(radiograph(values, bits)))
    assert not corrected(high)
    # What lies in the lower bits is no part of them.
    dirty = (values << (16 - bits)) | 1
    assert np.array_equal(shown(radiograph(dirty, bits, HighBit=15, **how)), shown(high))


def test_in_between_too() -> None:
    overlaid = (VALUES << 2) | 0x8001
    assert np.array_equal(shown(radiograph(overlaid, 12, HighBit=13)), shown(radiograph()))


def test_bits_above_are_no_picture() -> None:
    for overlay in (0x1000, 0x8000, 0xF000):
        overlaid = VALUES.copy()
        overlaid[5:9, 5:9] |= overlay
        content = radiograph(overlaid)
        assert np.array_equal(shown(content), shown(radiograph()))
        assert not corrected(content)


@pytest.mark.parametrize("bits", [10, 12, 13])
def test_signed_numbers_keep_their_sign(bits: int) -> None:
    values = (VALUES >> (13 - bits)).astype(np.int16) - 300
    window: dict[str, Any] = {"WindowCenter": 100, "WindowWidth": 700}
    expected = np.clip((values - 99.5) / 699 + 0.5, 0, 1) * 255
    upper = (values.astype(np.int32) << (16 - bits)).astype(np.int16)
    # Some exporters leave the bits above empty instead of repeating the sign.
    empty = (values & (2**bits - 1)).astype(np.int16)
    for content in (
        radiograph(values, bits, **window),
        radiograph(upper, bits, HighBit=15, **window),
        radiograph(empty, bits, **window),
        radiograph(values, 16, **window),
    ):
        assert np.abs(shown(content).astype(float) - expected).max() <= 0.5


def test_a_high_bit_that_the_numbers_contradict() -> None:
    assert VALUES.max() < 4096
    stated = radiograph(VALUES, 12, HighBit=15)
    assert np.array_equal(shown(stated), shown(radiograph()))
    assert corrected(stated)
    unstated = radiograph(VALUES << 4, 12)
    assert np.array_equal(shown(unstated), shown(radiograph()))
    assert corrected(unstated)
    for impossible in (3, 40):
        assert np.array_equal(shown(radiograph(HighBit=impossible)), shown(radiograph()))
        assert corrected(radiograph(HighBit=impossible))


@pytest.mark.parametrize("bits", range(1, 8))
def test_few_bits_reach_from_black_to_white(bits: int) -> None:
    values = (np.arange(1200).reshape(30, 40) % 2**bits).astype(np.uint8)
    assert np.array_equal(shown(radiograph(values, bits)), np.round(values / (2**bits - 1) * 255))


def test_one_bit_each_packed() -> None:
    values = (np.arange(1200).reshape(30, 40) % 3 == 0).astype(np.uint8)
    packed = np.packbits(values.ravel(), bitorder="little").tobytes()
    content = radiograph(values, 1, BitsAllocated=1, PixelData=packed)
    assert np.array_equal(shown(content), values * 255)
    inverted = radiograph(values, 1, BitsAllocated=1, PixelData=packed, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(shown(inverted), 255 - values * 255)
    assert images.inspect(content, "x.dcm").bits == 1


@pytest.mark.parametrize("dtype", [np.uint32, np.int32])
def test_32_bits_are_stretched(dtype: type) -> None:
    values: np.ndarray = VALUES.astype(dtype) * 300000
    assert np.abs(shown(radiograph(values, 32)) - VALUES / VALUES.max() * 255).max() <= 0.5
