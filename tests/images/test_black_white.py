"""Which number is black and which is white where no window says so: as the depth has it where the picture uses it, by
the picture elsewhere, and never a step between pictures that hardly differ.
"""

import itertools

import numpy as np
import pytest

from cxr_core import images
from cxr_core.images import black_white
from tests.images.files import radiograph

# A picture of all shares from 0 to 1.
SHARES = np.linspace(0, 1, 1200).reshape(30, 40)


def shown(top: int, bits: int = 12, floor: int = 0) -> np.ndarray:
    values = np.round(floor + SHARES * (top - floor)).astype(np.uint16)
    return np.asarray(images.decode(radiograph(values, bits), "x.dcm")).astype(float)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_a_picture_that_uses_its_depth_is_shown_by_it(bits: int) -> None:
    for share in (0.81, 0.9, 1):
        top = int(share * (2**bits - 1))
        assert np.abs(shown(top, bits) - np.round(SHARES * top) / (2**bits - 1) * 255).max() <= 0.5


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_one_that_uses_half_or_less_is_shown_as_if_its_own_brightest_were_the_depths(bits: int) -> None:
    for top in (200, 2**bits // 4 - 1, 2**bits // 4, 2**bits // 2 - 1):
        assert np.abs(shown(top, bits) - np.round(SHARES * top) / top * 255).max() <= 1


def test_the_same_picture_at_neighbouring_exposures_never_differs_by_much() -> None:
    tops = np.unique(np.geomspace(300, 4095, 150).astype(int))
    pictures = [shown(int(top)) for top in tops]
    for one, other in itertools.pairwise(pictures):
        assert np.abs(one - other).max() <= 9
    # Over all exposures of one picture, its brightness stays within a fifth.
    means = np.array([picture.mean() for picture in pictures])
    assert means.min() / means.max() > 0.79


def test_a_pale_picture_has_its_own_black() -> None:
    assert np.abs(shown(4095, floor=2400) - SHARES * 255).max() <= 1
    # A dark grey is not black yet.
    assert shown(4095, floor=400).min() == pytest.approx(400 / 4095 * 255, abs=1)
    floors = [shown(4095, floor=int(floor)) for floor in np.linspace(0, 3000, 60)]
    assert max(np.abs(one - other).max() for one, other in itertools.pairwise(floors)) <= 14


@pytest.mark.parametrize("bits", [12, 16])
def test_a_dead_pixel_does_not_make_the_picture_dark(bits: int) -> None:
    values = np.round(SHARES * 1000).astype(np.uint16)
    clean = np.asarray(images.decode(radiograph(values, bits), "x.dcm")).astype(float)
    values[7, 7] = 2**bits - 1
    dead = np.asarray(images.decode(radiograph(values, bits), "x.dcm")).astype(float)
    assert dead[7, 7] == 255
    dead[7, 7] = clean[7, 7]
    assert np.abs(dead - clean).max() <= 26


def test_eight_bits_and_fewer_stay_as_they_are() -> None:
    for bits in range(1, 9):
        values = (np.arange(1200) % 2**bits).astype(np.uint8).reshape(30, 40)
        values[values == 2**bits - 1] = 0  # never white
        values[0, 0] = 1
        picture = np.asarray(images.decode(radiograph(values, bits), "x.dcm"))
        assert np.array_equal(picture, np.round(values / (2**bits - 1) * 255)), bits


def test_ends_are_those_of_the_picture_but_for_a_lone_outlier() -> None:
    numbers = np.arange(101.0)
    counts = np.full(101, 100)
    assert black_white.ends(numbers, counts) == (0, 100)
    assert black_white.ends(numbers[::-1].copy(), counts) == (0, 100)
    assert black_white.ends(np.append(numbers, 150.0), np.append(counts, 1)) == (0, 150)
    assert black_white.ends(np.append(numbers, 1e6), np.append(counts, 1)) == (0, 110)
    assert black_white.ends(np.append(numbers, -1e6), np.append(counts, 1)) == (-10, 100)
    assert black_white.ends(np.array([7.0]), np.array([5])) == (7, 7)
