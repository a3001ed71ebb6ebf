"""What illness does to a drawn chest seen from the front: attenuation that is added, or a larger heart.

::

    anatomy = enlarged(anatomy, {"Cardiomegaly": 0.7})
    drawn = chest(anatomy, x, y)
    drawn.attenuation + shadows(drawn, anatomy, {"Nodule": 0.4, "Support Devices": 0.9}, body, texture)

Each finding has a severity from 0 (hardly to be seen) to 1. ``body`` decides where it is, ``texture`` its grain.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cxr_core.demo.anatomy import SIDES, Anatomy, Chest, bump, step
from cxr_core.demo.phantom import filled_lobe

Picture = NDArray[np.float32]
CARDIOMEGALY, CONSOLIDATION, NODULE = "Cardiomegaly", "Consolidation", "Nodule"
EFFUSION, PNEUMOTHORAX, DEVICES = "Pleural Effusion", "Pneumothorax", "Support Devices"
NAMES = (CARDIOMEGALY, CONSOLIDATION, NODULE, EFFUSION, PNEUMOTHORAX, DEVICES)


def enlarged(anatomy: Anatomy, severities: Mapping[str, float]) -> Anatomy:
    """The same body, with a larger heart where it has cardiomegaly."""
    if CARDIOMEGALY not in severities:
        return anatomy
    centre, wide, high = anatomy.heart
    more = 1.28 + 0.35 * severities[CARDIOMEGALY]
    return replace(anatomy, heart=(centre + 0.03 * (more - 1), wide * more, high * (0.5 + 0.5 * more)))


def shadows(
    drawn: Chest,
    anatomy: Anatomy,
    severities: Mapping[str, float],
    body: np.random.Generator,
    texture: np.random.Generator,
) -> Picture:
    """What all findings but cardiomegaly add, (H, W)."""
    added = np.zeros_like(drawn.attenuation)
    # Each finding has numbers of its own: one more finding moves none of the others.
    for name, place in zip(_SHADOWS, body.spawn(len(_SHADOWS)), strict=True):
        if name in severities:
            added += _SHADOWS[name](drawn, anatomy, severities[name], place, texture)
    return added


def _consolidation(
    drawn: Chest, anatomy: Anatomy, severity: float, place: np.random.Generator, texture: np.random.Generator
) -> Picture:
    """A lobe filled."""
    return np.asarray((1.2 + 0.6 * severity) * filled_lobe(drawn, place, texture, wide=1.5), np.float32)


def _nodule(
    drawn: Chest, anatomy: Anatomy, severity: float, place: np.random.Generator, texture: np.random.Generator
) -> Picture:
    """A round shadow with a soft edge, in one lung."""
    side = SIDES[int(place.integers(2))]
    u, y = place.uniform(0.22, 0.52), place.uniform(-0.5, 0.3)
    radius = 0.13 + 0.06 * severity
    away = np.hypot((drawn.u(side) - u) * place.uniform(0.85, 1.15), drawn.y - y)
    return np.asarray((0.36 + 0.16 * severity) * step(radius - away, 0.012) * drawn.lungs[side], np.float32)


def _effusion(
    drawn: Chest, anatomy: Anatomy, severity: float, place: np.random.Generator, texture: np.random.Generator
) -> Picture:
    """Fluid at the bottom of one lung: flat above, rising at the wall, hiding the diaphragm."""
    side = SIDES[int(place.integers(2))]
    wall = np.clip(drawn.walls[side], 0, None)
    level = anatomy.dome[SIDES.index(side)] - 0.02 - 0.36 * severity
    surface = level - (0.1 + 0.2 * severity) * bump(wall, 0.13) + 0.1 * step(wall - 0.3, 0.08)
    return np.asarray(0.28 * drawn.lungs[side] * step(drawn.y - surface, 0.03), np.float32)


def _pneumothorax(
    drawn: Chest, anatomy: Anatomy, severity: float, place: np.random.Generator, texture: np.random.Generator
) -> Picture:
    """Air along the wall of one lung, more of it above: darker, without vessels, and the lung's edge as a fine line."""
    side = SIDES[int(place.integers(2))]
    deep = (0.1 + 0.2 * severity) * (0.4 + step(-0.1 - drawn.y, 0.3))
    free = step(deep - drawn.walls[side], 0.01) * drawn.lungs[side]
    line = bump(drawn.walls[side] - deep, 0.012) * drawn.lungs[side]
    return np.asarray(0.13 * line - free * (0.06 + 0.03 * severity + 0.16 * drawn.vessels), np.float32)


def _devices(
    drawn: Chest, anatomy: Anatomy, severity: float, place: np.random.Generator, texture: np.random.Generator
) -> Picture:
    """A catheter from the collar bone to the heart, or a pacemaker with its lead."""
    side = SIDES[int(place.integers(2))]
    start = (place.uniform(0.3, 0.42), anatomy.clavicle + place.uniform(0.02, 0.1))
    end = (-side * place.uniform(-0.04, 0.06) + 0.06, place.uniform(-0.05, 0.25))
    bend = (0.06, anatomy.clavicle + place.uniform(0.1, 0.2))
    way = np.linspace(0, 1, 40)[:, None]
    points = (
        (1 - way) ** 2 * (side * start[0], start[1])
        + 2 * way * (1 - way) * (side * bend[0], bend[1])
        + way**2 * (end[0], end[1])
    )
    near = np.full(drawn.x.shape, np.inf, np.float32)
    for x, y in points:
        near = np.minimum(near, (drawn.x - np.float32(x)) ** 2 + (drawn.y - np.float32(y)) ** 2)
    drawing = (0.12 + 0.16 * severity) * bump(np.sqrt(near), 0.014)
    if place.random() < 0.4:
        box = np.maximum(np.abs(drawn.u(side) - start[0] - 0.08) / 0.1, np.abs(drawn.y - start[1] - 0.05) / 0.08)
        drawing = np.maximum(drawing, (0.2 + 0.2 * severity) * step(1 - box, 0.06))
    return np.asarray(drawing, np.float32)


_SHADOWS = {
    CONSOLIDATION: _consolidation,
    NODULE: _nodule,
    EFFUSION: _effusion,
    PNEUMOTHORAX: _pneumothorax,
    DEVICES: _devices,
}
