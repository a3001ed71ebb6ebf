"""Pixel padding is no picture: it is black, whatever number it has, and does not decide what black and white are."""

from typing import Any

import numpy as np
import pytest

from cxr_core import images
from cxr_core.images import dicom
from tests.images.files import VALUES, radiograph

BORDER = np.ones(VALUES.shape, bool)
BORDER[4:-4, 4:-4] = False
SIGNED = VALUES.astype(np.int16)


def shown(content: bytes) -> np.ndarray:
    return np.asarray(images.decode(content, "x.dcm"))


def padded(values: np.ndarray, number: int, bits: int = 16, **tags: Any) -> bytes:
    values = values.copy()
    values[BORDER] = number
    return radiograph(values, bits, **tags)


def inside(content: bytes) -> np.ndarray:
    return shown(content)[~BORDER]


@pytest.mark.parametrize("number", [-32768, -2000, 32767])
def test_a_padding_value_far_off_leaves_the_picture_alone(number: int) -> None:
    content = padded(SIGNED, number, PixelPaddingValue=number)
    low, high = SIGNED[~BORDER].min(), SIGNED[~BORDER].max()
    expected = (SIGNED[~BORDER] - low) / (high - low) * 255
    assert np.abs(inside(content) - expected).max() <= 0.5
    assert (shown(content)[BORDER] == 0).all()


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("number", [0, 4095])
@pytest.mark.parametrize("window", [{}, {"WindowCenter": 2000, "WindowWidth": 1500}])
def test_padding_is_black_in_every_kind_of_picture(kind: str, number: int, window: dict[str, int]) -> None:
    tags: dict[str, Any] = {"PhotometricInterpretation": kind, **window}
    content = padded(VALUES, number, 12, PixelPaddingValue=number, **tags)
    assert (shown(content)[BORDER] == 0).all()
    if window:
        assert np.array_equal(inside(content), shown(radiograph(**tags))[~BORDER])
    else:  # the same wherever the padding lies
        other = padded(VALUES, 4095 - number, 12, PixelPaddingValue=4095 - number, **tags)
        assert np.array_equal(inside(content), inside(other))


@pytest.mark.parametrize("ends", [(-30000, -20000), (-20000, -30000)])
def test_a_range_of_padding(ends: tuple[int, int]) -> None:
    values = SIGNED.copy()
    values[BORDER] = np.linspace(-30000, -20000, BORDER.sum()).astype(np.int16)
    content = radiograph(values, 16, PixelPaddingValue=ends[0], PixelPaddingRangeLimit=ends[1])
    assert np.array_equal(inside(content), inside(padded(SIGNED, -32768, PixelPaddingValue=-32768)))
    assert (shown(content)[BORDER] == 0).all()


def test_padding_written_without_its_sign() -> None:
    plain = padded(SIGNED, -2000, PixelPaddingValue=-2000)
    # The same 16 bits as US: 63536.
    at = plain.index(b"\x28\x00\x20\x01SS")
    assert np.array_equal(shown(plain[: at + 4] + b"US" + plain[at + 6 :]), shown(plain))


def test_padding_that_is_not_there_changes_nothing_and_a_picture_of_nothing_else_is_shown() -> None:
    assert np.array_equal(shown(radiograph(PixelPaddingValue=4095)), shown(radiograph()))
    flat = np.full((30, 40), 3000, np.uint16)
    content = radiograph(flat, PixelPaddingValue=3000)
    assert np.array_equal(shown(content), shown(radiograph(flat)))
    assert any(step.kind == "padding" and step.corrected for step in dicom.decoded(content, "x").steps)


def test_the_step_tells_how_much() -> None:
    step = next(s for s in dicom.decoded(padded(SIGNED, -9, PixelPaddingValue=-9), "x").steps if s.kind == "padding")
    assert step.numbers == {"from": -9, "to": -9, "pixels": int(BORDER.sum())}
