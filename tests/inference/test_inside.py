"""The share of heat in the lungs: uniform heat has the share of their area, and words follow the numbers."""

import numpy as np
import pytest

from benchmarks.lungs import drawn
from cxr_core.images.lungs import lungs
from cxr_core.inference.inside import LESS, NOT_FOUND, told, within

SQUARE, _ = drawn(100)
EVEN = np.ones(SQUARE.shape, np.float32)


def lung_pixels() -> np.ndarray:
    found = lungs(SQUARE)
    assert found is not None
    return found.inside(len(SQUARE))


def test_even_heat_has_the_share_of_the_area() -> None:
    found = within(EVEN, lungs(SQUARE))
    assert found is not None
    assert found.share == pytest.approx(found.area)
    assert found.area == pytest.approx(lung_pixels().mean())


def test_heat_in_the_lungs_and_heat_outside_add_up() -> None:
    heat = np.random.default_rng(0).random(SQUARE.shape).astype(np.float32)
    inside = within(heat * lung_pixels(), lungs(SQUARE))
    without = within(heat * ~lung_pixels(), lungs(SQUARE))
    assert inside is not None
    assert without is not None
    assert (inside.share, without.share) == (1, 0)
    assert inside.doubt == ""
    assert without.doubt == LESS


def test_the_words_say_both_numbers_or_why_there_are_none() -> None:
    found = within(EVEN, lungs(SQUARE))
    assert found is not None
    sentence, _ = told(EVEN, lungs(SQUARE))
    assert sentence.count(f"{100 * found.area:.0f} %") == 2
    assert told(EVEN, lungs(np.full_like(SQUARE, 90))) == (NOT_FOUND, "")
    assert told(0 * EVEN, lungs(SQUARE)) == ("", "")
