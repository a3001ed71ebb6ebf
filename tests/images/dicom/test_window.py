"""Windows as exporters write them, and the rescale before them. Against pydicom where it reads them."""

from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from cxr_core import images
from tests.images.files import VALUES, radiograph, with_text

CENTER, WIDTH, SLOPE, INTERCEPT = 0x1050, 0x1051, 0x1053, 0x1052


def shown(content: bytes) -> np.ndarray:
    return np.asarray(images.decode(content, "x.dcm")).astype(float)


def linear(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescale", [(1, 0), (2, -1000), (-1, 4095), (0.25, 12.5)])
def test_windows_are_pydicoms(function: str, rescale: tuple[float, float]) -> None:
    tags: dict[str, Any] = {"RescaleSlope": rescale[0], "RescaleIntercept": rescale[1], "VOILUTFunction": function}
    content = radiograph(WindowCenter=700, WindowWidth=900, **tags)
    dataset = pydicom.dcmread(BytesIO(content))
    rescaled = apply_modality_lut(dataset.pixel_array, dataset)
    # What is far outside of the window is its black and its white.
    with np.errstate(over="ignore"):
        black, white = apply_voi_lut(np.array([-1e12, 1e12]), dataset)
    share = (apply_voi_lut(rescaled, dataset).astype(float) - black) / (white - black)
    assert np.abs(share * 255 - shown(content)).max() <= 0.51
    if function == "LINEAR":
        by_hand = linear(VALUES.astype(float) * rescale[0] + rescale[1], 700, 900)
        assert np.abs(by_hand - shown(content)).max() <= 0.5


@pytest.mark.parametrize("text", ["2047,5", "2047.5", " 2047.5", "2047.5\0", "2.0475E3"])
def test_a_number_may_have_a_decimal_comma_and_padding(text: str) -> None:
    content = with_text(radiograph(WindowCenter="2047.50000", WindowWidth="1000"), CENTER, text)
    assert np.abs(shown(content) - linear(VALUES.astype(float), 2047.5, 1000)).max() <= 0.5


@pytest.mark.parametrize("element", [CENTER, WIDTH])
@pytest.mark.parametrize("text", ["NaN", "inf", "-inf", "", "1.234,5", "about 5", "1e999", "\0\0"])
def test_a_window_that_is_no_number_is_passed_over(element: int, text: str) -> None:
    plain = radiograph(WindowCenter="2000.12345", WindowWidth="1000.12345")
    assert np.array_equal(shown(with_text(plain, element, text)), shown(radiograph()))


@pytest.mark.parametrize("missing", ["WindowCenter", "WindowWidth"])
def test_half_a_window_is_none(missing: str) -> None:
    tags: dict[str, Any] = {"WindowCenter": 100, "WindowWidth": 50}
    del tags[missing]
    assert np.array_equal(shown(radiograph(**tags)), shown(radiograph()))


@pytest.mark.parametrize(
    ("centers", "widths", "used"),
    [
        ("1000\\2000", "500\\700", (1000, 500)),
        ("1000\\2000", "0\\700", (2000, 700)),
        ("NaN\\2000", "500\\700", (2000, 700)),
        ("\\2000", "500\\700", (2000, 700)),
        ("1000\\2000", "500", (1000, 500)),
        ("1000", "500\\700", (1000, 500)),
    ],
)
def test_of_several_windows_the_first_that_can_be_used(centers: str, widths: str, used: tuple[int, int]) -> None:
    plain = radiograph(WindowCenter="1" * 16, WindowWidth="1" * 16)
    content = with_text(with_text(plain, CENTER, centers), WIDTH, widths)
    assert np.abs(shown(content) - linear(VALUES.astype(float), *used)).max() <= 0.5


def test_a_window_beside_every_number_gives_way_to_one_that_shows_the_picture() -> None:
    content = radiograph(WindowCenter=[90000, 2000], WindowWidth=[100, 700])
    assert np.abs(shown(content) - linear(VALUES.astype(float), 2000, 700)).max() <= 0.5
    # Alone it is what the header says.
    assert shown(radiograph(WindowCenter=90000, WindowWidth=100)).max() == 0


def test_a_narrow_window_of_finely_scaled_numbers_is_one() -> None:
    tags: dict[str, Any] = {"RescaleSlope": "0.0001", "RescaleIntercept": 0, "WindowCenter": 0.18, "WindowWidth": 0.2}
    expected = np.clip((VALUES * 0.0001 - 0.18) / 0.2 + 0.5, 0, 1) * 255
    assert np.abs(shown(radiograph(**tags)) - expected).max() <= 0.5


@pytest.mark.parametrize(("slope", "intercept"), [("2", "-1000"), ("0,5", "0"), ("1E-3", "7"), ("", ""), ("NaN", "x")])
def test_a_rescale_alone_changes_no_picture(slope: str, intercept: str) -> None:
    plain = radiograph(RescaleSlope="1.234567", RescaleIntercept="1.234567")
    content = with_text(with_text(plain, SLOPE, slope), INTERCEPT, intercept)
    assert np.array_equal(shown(content), shown(radiograph()))


@pytest.mark.parametrize("intercept", [0, 3000, -10])
def test_a_negative_slope_inverts(intercept: int) -> None:
    content = radiograph(RescaleSlope=-10, RescaleIntercept=intercept)
    assert np.abs(shown(content) - (255 - VALUES / 4095 * 255)).max() <= 0.5


def test_a_slope_of_zero_counts_as_one() -> None:
    tags: dict[str, Any] = {"WindowCenter": 1000, "WindowWidth": 500}
    assert np.array_equal(shown(radiograph(RescaleSlope=0, RescaleIntercept=0, **tags)), shown(radiograph(**tags)))
