"""Drawn chest radiographs: not X-rays, but shaped like them, for a first try and for tests.

``phantom(patient, shot, finding, source, seed)`` gives one picture. What tells the classes apart is only where the
lungs are hazy: in both, towards the walls (``COVID19``); in one lobe of one lung (``PNEUMONIA``); nowhere (``NORMAL``).
Exposure, contrast, noise, size, position and source are drawn without regard to the class.
"""

import numpy as np
from PIL import Image, ImageFilter

from cxr_core.demo.anatomy import SIDES, Anatomy, Chest, bump, chest, step

FINDINGS = ("COVID19", "NORMAL", "PNEUMONIA")
# Each source has its own film: tone curve, sharpness (blur in pixels), grain, dark border, shape of the picture.
SOURCES = {
    "drawn-a": (0.90, 0.4, 0.020, 0.0, 1.0),
    "drawn-b": (1.15, 0.8, 0.032, 0.03, 1.12),
    "drawn-c": (1.00, 0.6, 0.026, 0.0, 0.94),
}

# The body is drawn smaller than the film and enlarged: half the work, and no edge in a chest is sharper.
DRAWN = 0.7


def phantom(patient: int, shot: int, finding: str, source: str, seed: int) -> np.ndarray:
    """One picture, uint8 (H, W), sides of 240 to 340 pixels. The same arguments give the same pixels.

    The ``patient`` decides the anatomy and the course of the illness, the ``shot`` position, exposure and noise.
    """
    body = np.random.default_rng([seed, patient])
    film = np.random.default_rng([seed, patient, shot + 1])
    texture = np.random.default_rng([seed, patient, shot + 1, 1])
    tone, blur, grain, border, shape = SOURCES[source]
    height = int(film.integers(256, 304))
    width = round(height * shape * film.uniform(0.97, 1.03))
    anatomy = Anatomy.draw(body)
    drawn = chest(anatomy, *grid(round(height * DRAWN), round(width * DRAWN), film))
    picture = drawn.attenuation + 0.03 * field(film, drawn.x.shape, 5) + _FINDINGS[finding](drawn, body, texture)
    enlarged = Image.fromarray(picture.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    return exposed(np.asarray(enlarged), film, tone, blur, grain, border)


def grid(height: int, width: int, film: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (x, y) of all pixels, the patient standing a little off, turned or near."""
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] - np.float32(film.normal(0, 0.025))
    across = np.linspace(-width / height, width / height, width, dtype=np.float32)[None] - np.float32(
        film.normal(0, 0.03)
    )
    angle, zoom = film.normal(0, 0.025), film.uniform(0.94, 1.07)
    cos, sin = np.float32(np.cos(angle) / zoom), np.float32(np.sin(angle) / zoom)
    return cos * across + sin * down, cos * down - sin * across


def field(random: np.random.Generator, shape: tuple[int, int], cells: int) -> np.ndarray:
    """Smooth noise of mean about 0 and deviation about 0.5, ``cells`` hills across, float32 (H, W)."""
    hills = Image.fromarray(random.standard_normal((cells, cells)).astype(np.float32))
    return np.asarray(hills.resize(shape[::-1], Image.Resampling.BICUBIC))


def _covid(drawn: Chest, body: np.random.Generator, texture: np.random.Generator) -> np.ndarray:
    """Patchy haze along the walls of both lungs, more of it below."""
    haze = np.zeros_like(drawn.attenuation)
    severity = body.uniform(0.14, 0.25)
    for side in SIDES:
        patches = step(field(body, haze.shape, 6) + 0.35, 0.22)
        outer = bump(np.clip(drawn.walls[side], 0, None), body.uniform(0.2, 0.32))
        lower = 0.5 + 0.5 * step(drawn.y - body.uniform(-0.25, 0.15), 0.15)
        haze += severity * body.uniform(0.75, 1.2) * drawn.lungs[side] * outer * lower * patches
    ground = 1 + 0.25 * field(texture, haze.shape, 70)
    return haze * ground - 0.1 * drawn.vessels * (haze > 0.05)


def filled_lobe(drawn: Chest, body: np.random.Generator, texture: np.random.Generator, wide: float = 1.0) -> np.ndarray:
    """One lobe of one lung filled, with a fissure as its sharp border and open airways in it; ``wide``: how far."""
    side = SIDES[int(body.integers(2))]
    upper = -1 if body.random() < 0.35 else 1
    u, lung = drawn.u(side), drawn.lungs[side]
    fissure = body.uniform(-0.2, 0.05) if upper < 0 else body.uniform(-0.05, 0.2)
    border = step(upper * (drawn.y - fissure - body.uniform(-0.15, 0.25) * (u - 0.35)), 0.02)
    tall, far = wide * body.uniform(0.24, 0.34), wide * 0.34
    reach = bump(drawn.y - fissure - upper * 0.14, tall) * bump(u - body.uniform(0.25, 0.42), far)
    ragged = step(field(body, lung.shape, 7) + 0.55, 0.25)
    filled = body.uniform(0.2, 0.34) * lung * border * reach * ragged
    return np.asarray(filled * (1 + 0.15 * field(texture, lung.shape, 50)) - 0.9 * filled * drawn.vessels)


def _normal(drawn: Chest, body: np.random.Generator, texture: np.random.Generator) -> np.ndarray:
    return np.zeros_like(drawn.attenuation)


_FINDINGS = {"COVID19": _covid, "NORMAL": _normal, "PNEUMONIA": filled_lobe}


def exposed(
    picture: np.ndarray, film: np.random.Generator, tone: float, blur: float, grain: float, border: float
) -> np.ndarray:
    """Attenuation -> film: tone curve, grain, dark border, then brightness and contrast drawn for this picture."""
    height, width = picture.shape
    picture = np.clip(picture, 0, 1) ** tone
    noise = film.standard_normal(picture.shape, dtype=np.float32)
    picture = picture + grain * film.uniform(0.7, 1.3) * noise * (0.5 + picture)
    # Mean and deviation are set, not left to the haze: brightness alone says nothing about the class.
    picture = (picture - picture.mean()) / picture.std()
    levels = film.uniform(105, 145) + film.uniform(46, 60) * picture
    image = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(blur))
    if border:
        edge = round(border * film.uniform(0.4, 1.2) * height)
        framed = Image.new("L", (width, height), 4)
        framed.paste(image.crop((edge, edge, width - edge, height - edge)), (edge, edge))
        image = framed
    return np.asarray(image)
