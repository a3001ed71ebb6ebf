"""Augmented views of an image: mirrored, slightly turned, moved, scaled, brighter or darker.

A view is made of nothing but the image's content, so it can be kept and made again: the same (digest, view) always
gives the same pixels, on every day and in every process.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_DEGREES = 7.0
MAX_SHIFT = 0.04
MAX_SCALE = 0.06
MAX_TONE = 0.10


def augment(image: Image.Image, size: int, digest: str, view: int) -> np.ndarray:
    """One augmented centre crop, uint8 (size, size), of ``image`` (mode "L", already resized, sides >= ``size``).

    Horizontal flip with probability 1/2, rotation within 7 degrees, shift within 4 % of ``size``, scale within 6 %,
    brightness and contrast within 10 %. ``digest``: hexadecimal digest of the file's content; ``view`` >= 1.
    """
    random = np.random.default_rng([int(digest[:16], 16), view])
    flip = -1.0 if random.random() < 0.5 else 1.0
    angle = math.radians(random.uniform(-MAX_DEGREES, MAX_DEGREES))
    right, down = random.uniform(-MAX_SHIFT, MAX_SHIFT, 2) * size
    zoom = 1 + random.uniform(-MAX_SCALE, MAX_SCALE)
    brightness, contrast = 1 + random.uniform(-MAX_TONE, MAX_TONE, 2)

    # Pillow asks where each output pixel comes from: undo the shift, turn and scale about the crop's centre, then flip.
    cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
    a, b, d, e = flip * cos, flip * sin, -sin, cos
    middle = size / 2
    c = image.width / 2 - a * (middle + right) - b * (middle + down)
    f = image.height / 2 - d * (middle + right) - e * (middle + down)
    moved = image.transform((size, size), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR)

    pixels = np.asarray(moved)
    mean = float(pixels.mean())
    levels = (np.arange(256) - mean) * contrast + mean * brightness
    toned: NDArray[np.uint8] = np.clip(np.round(levels), 0, 255).astype(np.uint8)
    return np.asarray(toned[pixels])
