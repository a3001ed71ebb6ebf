"""A heat map drawn: on the part of the picture that the network saw, clear where it is cool."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cxr_core.images.reading import pixels
from cxr_core.inference import heat
from cxr_core.inference.heat import overlay, seen
from tests.images.files import encoded


@pytest.mark.parametrize(("width", "height"), [(250, 200), (200, 250), (240, 240), (255, 90), (101, 253)])
@pytest.mark.parametrize("size", [64, 224])
def test_seen_is_what_the_network_is_given(width: int, height: int, size: int) -> None:
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    left, top, right, bottom = seen(width, height, size)
    for ramp, low, high, axis in ((across, left, right, 0), (down, top, bottom, 1)):
        given = pixels(encoded(Image.fromarray(ramp.astype(np.uint8)), "PNG"), "ramp", size).mean(axis=axis)
        places = low + (np.arange(size) + 0.5) * (high - low) / size - 0.5
        # The outermost places of an antialiased ramp lean inwards.
        assert np.abs(given - places)[2:-2].max() < 0.8


@pytest.mark.parametrize(("width", "height"), [(700, 400), (400, 700), (90, 120), (301, 300), (1500, 1100)])
def test_heat_lies_on_the_spot_of_the_original_that_made_it(width: int, height: int) -> None:
    picture = Image.new("L", (width, height))
    x, y, radius = 0.45 * width, 0.6 * height, min(width, height) / 16
    ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    spot = pixels(encoded(picture, "PNG"), "spot", 224).astype(np.float32) / np.float32(255)
    shown = overlay(Image.new("L", (width, height)), spot, 1.0)
    hot = np.argwhere(np.asarray(shown)[..., 0] > 186)  # half of the way up the colours
    assert np.abs(hot.mean(axis=0) - (y, x)).max() < max(1.0, min(width, height) / 224)
    assert len(hot) == pytest.approx(np.pi * (radius + 0.5) ** 2, rel=0.1)


@pytest.mark.parametrize(("width", "height"), [(700, 400), (400, 700), (300, 300)])
def test_what_lies_outside_of_the_crop_stays_as_it_is(width: int, height: int) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8))
    shown = np.asarray(overlay(picture, np.ones((224, 224), np.float32), 0.5))
    changed = np.argwhere((shown != np.asarray(picture)[..., None]).any(axis=-1))
    left, top, right, bottom = seen(width, height, 224)
    assert changed.min(axis=0).tolist() == [np.ceil(top), np.ceil(left)]
    assert (changed.max(axis=0) + 1).tolist() == [np.floor(bottom), np.floor(right)]
    assert right - left == pytest.approx(min(width, height) * 224 / 256, rel=0.01)


def test_opacity_goes_from_the_picture_to_the_colours() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)).convert("RGB")
    before = np.array(picture)
    rising = np.linspace(0, 1, 224, dtype=np.float32)[None].repeat(224, axis=0)
    none, half, full = (np.asarray(overlay(picture, rising, opacity)).astype(int) for opacity in (0.0, 0.5, 1.0))
    assert np.array_equal(none, before)
    assert np.abs(half - (none + full) / 2).max() <= 1
    assert np.array_equal(full[20, 224], full[200, 224])
    assert np.array_equal(np.array(picture), before), "the picture itself was painted over"


def test_low_heat_is_clear_and_high_heat_covers() -> None:
    rising = np.linspace(0, 1, 256, dtype=np.float32)[None]
    cover = heat.coloured(rising)[0, :, 3] / 255
    assert (np.diff(cover) >= 0).all()
    assert cover[rising[0] <= heat.CLEAR].max() == 0
    assert cover[rising[0] >= heat.COVERED].min() == 1
    assert np.diff(cover).max() < 0.03, "no edge where there is none in the map"
    picture = Image.new("L", (224, 224), 90)
    cool = np.full((224, 224), heat.CLEAR, np.float32)
    assert np.array_equal(np.asarray(overlay(picture, cool, 1.0)), np.asarray(picture.convert("RGB")))


def test_the_colours_are_inferno_and_grow_evenly_in_lightness() -> None:
    from plotly.colors import sequential

    given = [tuple(int(code[i : i + 2], 16) for i in (1, 3, 5)) for code in sequential.Inferno]
    assert [tuple(row) for row in heat._INFERNO.tolist()] == given
    linear = (heat._COLOURS / 255) ** 2.2 @ (0.2126, 0.7152, 0.0722)
    lightness = 116 * np.cbrt(np.maximum(linear, 0.0089)) - 16
    assert (np.diff(lightness[40:]) > 0).all()
    assert np.abs(np.diff(lightness[40:])).max() < 1.2
