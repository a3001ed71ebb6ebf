"""A heat map drawn: its colours, how much of the picture they cover, and where on the picture the map lies.

    overlay(decode(content, name), heat, 0.4)      # over the upright original, PIL "RGB"
    coloured(heat)                                 # the map alone, RGBA, for who lays it over a picture of his own
    seen(width, height, len(heat))                 # the part of the picture that it covers

Low values are clear: where nothing moved the score there is nothing to see but the picture. Nothing here needs torch.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Ten even steps of "inferno" (van der Walt and Smith, CC0): lightness grows evenly from black to pale yellow.
_INFERNO = np.array(
    [
        (0, 0, 4),
        (27, 12, 65),
        (74, 12, 107),
        (120, 28, 109),
        (165, 44, 96),
        (207, 68, 70),
        (237, 105, 37),
        (251, 155, 6),
        (247, 209, 61),
        (252, 255, 164),
    ]
)
_STEPS = np.linspace(0, 255, len(_INFERNO))
_COLOURS = np.stack([np.interp(np.arange(256), _STEPS, channel) for channel in _INFERNO.T], axis=1).round()
# How much of its colour the hottest place has, unless the reader says otherwise.
OPACITY = 0.45
# Heat up to the first is clear, from the second on it covers; in between it does so without an edge.
CLEAR, COVERED = 0.15, 0.55


def _cover() -> NDArray[np.float64]:
    rising = np.clip((np.arange(256) / 255 - CLEAR) / (COVERED - CLEAR), 0, 1)
    return np.asarray(rising**2 * (3 - 2 * rising))


_RGBA = np.concatenate([_COLOURS, np.round(255 * _cover())[:, None]], axis=1).astype(np.uint8)


def coloured(heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Heat (H, W), 0 to 1 -> uint8 (H, W, 4): colour, and how much of what lies below is covered (alpha)."""
    return np.asarray(_RGBA[np.clip(heat * 255, 0, 255).round().astype(np.uint8)])


def overlay(picture: Image.Image, heat: NDArray[np.float32], opacity: float) -> Image.Image:
    """``picture`` (the upright original, any size, "L" or "RGB") under the colours of ``heat`` (S, S): PIL "RGB".

    The network saw the picture's centre: the colours lie on exactly that part, and what lies outside stays as it is.
    ``opacity``: 0 shows the picture alone, 1 the hottest places in their full colour. Low heat is clear.
    """
    left, top, right, bottom = seen(picture.width, picture.height, len(heat))
    # Whole pixels of the original, and where their outline lies in the map.
    x0, y0, x1, y1 = math.ceil(left), math.ceil(top), math.floor(right), math.floor(bottom)
    per_x, per_y = len(heat) / (right - left), len(heat) / (bottom - top)
    # A rounding error must not put the outline outside of the map.
    x0_in, x1_in = (min(max((x - left) * per_x, 0.0), float(len(heat))) for x in (x0, x1))
    y0_in, y1_in = (min(max((y - top) * per_y, 0.0), float(len(heat))) for y in (y0, y1))
    box = (x0_in, y0_in, x1_in, y1_in)
    fitted = Image.fromarray(heat).resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=box)
    colours = Image.fromarray(coloured(np.asarray(fitted)))
    cover = colours.getchannel("A").point([round(level * min(max(opacity, 0.0), 1.0)) for level in range(256)])
    shown = picture.convert("RGB")
    shown.paste(colours.convert("RGB"), (x0, y0), cover)
    return shown


def seen(width: int, height: int, size: int) -> tuple[float, float, float, float]:
    """The part of a ``width`` x ``height`` picture that :func:`cxr_core.images.reading.pixels` gives to the network.

    Left, top, right, bottom in pixels of that picture, not whole ones.
    """
    short = round(size * 256 / 224)
    if width <= height:
        resized_width, resized_height = short, int(short * height / width)
    else:
        resized_width, resized_height = int(short * width / height), short
    left, top = round((resized_width - size) / 2), round((resized_height - size) / 2)
    per_x, per_y = width / resized_width, height / resized_height
    return left * per_x, top * per_y, (left + size) * per_x, (top + size) * per_y
