"""A drawn chest from the side: enough to be told from a frontal one. Of the findings it shows heart and fluid alone."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cxr_core.demo.anatomy import Anatomy, bump, step
from cxr_core.demo.illness import CARDIOMEGALY, EFFUSION


def side_view(
    anatomy: Anatomy, severities: Mapping[str, float], x: NDArray[np.float32], y: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Attenuation (H, W) at the coordinates of ``anatomy``; the breastbone is on the right."""
    deep = 0.72 * anatomy.width
    body = step(1 - (x / deep) ** 4 - (np.clip(y - 0.1, -9, 0) / 1.15) ** 4, 0.03)
    picture = 0.5 * body
    low = anatomy.dome[0] + 0.05 + 0.5 * np.clip(-x - 0.1, 0, None)
    lung = step(1 - ((x - 0.02) / (0.55 * anatomy.width)) ** 2 - ((y - 0.05) / 0.85) ** 2, 0.04) * step(low - y, 0.012)
    picture -= 0.3 * lung
    spine = bump(x + 0.5 * anatomy.width + 0.08 * np.sin(1.8 * y), 0.09)
    picture += spine * (0.16 + 0.07 * step(np.cos(2 * np.pi * y / 0.15), 0.2)) * body
    _, wide, high = anatomy.heart
    more = 1 + 0.3 * severities[CARDIOMEGALY] if CARDIOMEGALY in severities else 1.0
    heart = 1 - ((x - 0.2) / (0.8 * wide * more)) ** 2 - ((y - anatomy.dome[0] + 0.2) / (high * more)) ** 2
    picture += 0.2 * step(heart, 0.1) * lung
    for rib in range(8):
        picture += 0.05 * lung * bump(y + 0.65 - 0.17 * rib + 0.35 * x, 0.025)
    if EFFUSION in severities:
        surface = anatomy.dome[0] + 0.25 - 0.4 * severities[EFFUSION] + 0.5 * x
        picture += 0.24 * lung * step(y - surface, 0.03)
    return np.asarray(picture, np.float32)
