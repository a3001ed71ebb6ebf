"""The chest of a drawn patient: body, lungs, ribs, heart, spine, as numbers and as attenuation.

Coordinates: the image's height is 2, (0, 0) its middle, y down; ``u`` is the distance from the spine's line, so that
both sides are drawn by the same formulas. Attenuation: 0 air, 1 the densest; dense is white, as in a radiograph.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDES = (-1, 1)
# The body's half-width at heights from the neck to the waist.
_OUTLINE_Y = (-1.2, -0.95, -0.82, -0.66, -0.45, -0.1, 0.3, 0.7, 1.2)
_OUTLINE_U = (0.22, 0.27, 0.58, 0.96, 1.02, 0.93, 0.90, 0.92, 0.98)


@dataclass(frozen=True)
class Anatomy:
    """What differs from patient to patient, in the coordinates of the module."""

    width: float
    cage_width: float
    cage_middle: float
    dome: tuple[float, float]
    heart: tuple[float, float, float]
    spine_bend: float
    rib_spacing: float
    rib_phase: float
    clavicle: float
    breast: float
    vessels: int

    @classmethod
    def draw(cls, random: np.random.Generator) -> "Anatomy":
        """A patient at random."""
        dome = random.uniform(0.42, 0.62)
        return cls(
            width=random.uniform(0.92, 1.06),
            cage_width=random.uniform(0.68, 0.78),
            cage_middle=random.uniform(0.04, 0.14),
            dome=(dome, dome + random.uniform(0.02, 0.08)),
            heart=(random.uniform(0.10, 0.17), random.uniform(0.29, 0.39), random.uniform(0.22, 0.29)),
            spine_bend=random.normal(0, 0.02),
            rib_spacing=random.uniform(0.165, 0.2),
            rib_phase=random.uniform(0, 1),
            clavicle=random.uniform(-0.6, -0.5),
            breast=random.uniform(0.03, 0.08) if random.random() < 0.4 else 0.0,
            vessels=int(random.integers(2**31)),
        )


@dataclass(frozen=True)
class Chest:
    """A drawn chest, float32 arrays (H, W): attenuation, each side's lung (0 to 1) and distance to its outer wall."""

    attenuation: np.ndarray
    vessels: np.ndarray
    x: np.ndarray
    y: np.ndarray
    lungs: dict[int, np.ndarray]
    walls: dict[int, np.ndarray]

    def u(self, side: int) -> np.ndarray:
        """Distance from the middle line towards one side."""
        return side * self.x


def step(distance: np.ndarray, softness: float) -> np.ndarray:
    """0 outside, 1 inside, a soft edge between: the logistic function."""
    return 0.5 + 0.5 * np.tanh(distance * (0.5 / softness))


def bump(distance: np.ndarray, width: float) -> np.ndarray:
    """A bell of height 1."""
    return np.exp(-((distance / width) ** 2))


def chest(anatomy: Anatomy, x: np.ndarray, y: np.ndarray) -> Chest:
    """Draw a patient at the coordinates ``x``, ``y``, float32 (H, W)."""
    x = x - anatomy.spine_bend * np.sin(2.2 * y + 1)
    outline = np.interp(y, _OUTLINE_Y, _OUTLINE_U).astype(np.float32) * anatomy.width
    across = np.abs(x)
    body = step(outline - across, 0.012)
    thickness = np.clip(1 - (across / outline) ** 2, 0, 1) ** 0.3
    attenuation = body * (0.22 + 0.34 * thickness + 0.05 * step(y - 0.5, 0.1))

    lungs, walls = {}, {}
    arch = np.sqrt(np.clip(1 - ((y - anatomy.cage_middle) / 0.93) ** 2, 0, 1))
    cage = anatomy.cage_width * arch
    for side, dome in zip(SIDES, anatomy.dome, strict=True):
        u = side * x
        inner = 0.085 + 0.05 * bump(y - 0.02, 0.16) + 0.06 * step(y - 0.15, 0.08)
        diaphragm = dome + 2.1 * np.clip(np.abs(u - 0.26) - 0.02, 0, None) ** 2
        walls[side] = cage - u
        lungs[side] = step(cage - u, 0.012) * step(u - inner, 0.018) * step(diaphragm - y, 0.011)
    both = lungs[-1] + lungs[1]
    attenuation *= 1 - 0.66 * both

    attenuation += _ribs(anatomy, x, y, cage, body) * (0.3 + 0.7 * np.maximum(both, step(-0.4 - y, 0.1)))
    vessels = _vessels(anatomy, x.shape) * both
    attenuation += 0.16 * vessels
    attenuation += (
        anatomy.breast
        * body
        * sum(step(1 - ((side * x - 0.42) / 0.3) ** 2 - ((y - 0.36) / 0.27) ** 2, 0.12) for side in SIDES)
    )
    shadow = _shadow(anatomy, x, y)
    attenuation += np.clip(0.56 - attenuation, 0, None) * shadow + _spine(x, y)
    seen = {side: lung * (1 - shadow) for side, lung in lungs.items()}
    return Chest(attenuation, vessels, x, y, seen, walls)


def _ribs(anatomy: Anatomy, x: np.ndarray, y: np.ndarray, cage: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Ribs behind (arching down to the side), ribs in front (fainter, rising to the side), collar bones, blades."""
    u = np.abs(x)
    inside = step(cage + 0.03 - u, 0.015) * step(u - 0.07, 0.02) * step(y + 0.86, 0.03) * step(0.82 - y, 0.08)
    back = np.cos(2 * np.pi * ((y + 0.06 - 0.5 * u**2) / anatomy.rib_spacing + anatomy.rib_phase))
    front = np.cos(2 * np.pi * ((y + 0.52 * u + 0.3 * u**2) / (anatomy.rib_spacing * 1.12) + anatomy.rib_phase * 2))
    ribs = inside * (0.055 * step(back - 0.3, 0.14) + 0.035 * bump(back - 0.3, 0.22))
    ribs += inside * step(u - 0.2, 0.05) * 0.035 * step(front - 0.45, 0.12)
    ribs += 0.06 * bump(cage + 0.012 - u, 0.018) * step(y + 0.8, 0.03) * step(0.7 - y, 0.08)
    line = anatomy.clavicle - 0.16 * (u - 0.07) + 0.03 * np.sin(8 * u - 0.4)
    ribs += 0.13 * bump(y - line, 0.033) * step(u - 0.1, 0.012) * step(0.78 - u, 0.03)
    blade = 1 - ((u - 0.84 - 0.1 * y) / 0.15) ** 2 - ((y + 0.36) / 0.36) ** 2
    return np.asarray((ribs + 0.05 * step(blade, 0.06)) * body)


def _shadow(anatomy: Anatomy, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much heart, aorta and the vessels above it hide of what lies behind, 0 to 1."""
    centre, wide, high = anatomy.heart
    low = anatomy.dome[1] - 0.17
    turned = (x - centre) + 0.35 * (y - low)
    heart = step(1 - (turned / wide) ** 2 - ((y - low - 0.25 * (x - centre)) / high) ** 2, 0.08)
    knob = step(1 - ((x - 0.07) / 0.115) ** 2 - ((y + 0.22) / 0.15) ** 2, 0.16)
    trunk = step(0.115 + 0.05 * step(y + 0.1, 0.08) - np.abs(x - 0.01), 0.022) * step(y + 0.75, 0.1)
    return np.asarray(1 - (1 - heart) * (1 - 0.7 * knob) * (1 - 0.8 * trunk))


def _spine(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Vertebrae, and the windpipe with its two branches, which is air."""
    bodies = 0.65 + 0.35 * step(np.cos(2 * np.pi * y / 0.135) + 0.55, 0.2)
    spine = 0.075 * step(0.085 - np.abs(x), 0.015) * bodies
    pipe = step(0.046 - np.abs(x + 0.01), 0.012) * step(-0.22 - y, 0.03)
    for side in SIDES:
        u = side * x
        pipe = np.maximum(pipe, bump(y + 0.22 - 0.9 * u, 0.035) * step(u - 0.01, 0.01) * step(0.17 - u, 0.03))
    return np.asarray(spine - 0.12 * pipe)


def _vessels(anatomy: Anatomy, shape: tuple[int, int]) -> np.ndarray:
    """Branching lines from each hilum, brighter near it, float32 0 to 1."""
    height, width = shape
    random = np.random.default_rng(anatomy.vessels)
    image = Image.new("L", (width, height))
    pen = ImageDraw.Draw(image)

    def branch(start: np.ndarray, angle: float, length: float, depth: int) -> None:
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        ends = [(point * height / 2 + (width / 2, height / 2)).tolist() for point in (start, end)]
        pen.line([tuple(end) for end in ends], fill=(210, 170, 125, 85)[depth], width=(2, 1, 1, 1)[depth])
        if depth < 3:
            for turn in random.uniform(0.15, 0.65, 2) * (-1, 1):
                branch(end, angle + turn, length * random.uniform(0.7, 0.95), depth + 1)

    for side in SIDES:
        for angle in np.linspace(-1.15, 1.25, 6) + random.normal(0, 0.12, 6):
            heading = angle if side > 0 else np.pi - angle
            branch(np.array([side * 0.13, 0.0]), heading, random.uniform(0.13, 0.22), 0)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.8)), np.float32) / 255
