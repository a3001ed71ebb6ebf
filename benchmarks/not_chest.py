"""Images that no chest X-ray model should be asked about: what the checks before a prediction are measured with.

    for example in not_chest(xrays):       # xrays: contents of upright chest X-rays, to be turned and inverted
        example.kind, example.name, example.content

Thirteen kinds, drawn from a fixed seed or taken from what installed libraries ship; nothing is downloaded. The
photographs are crops of scikit-learn's two sample images, the CT and MR slices pydicom's test files of distinct pixels.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from cxr_core.errors import ImageError
from cxr_core.images import content_digest, decode

EACH = 24
SIDE = 320
_WORDS = (
    *("the", "lungs", "are", "clear", "no", "effusion", "heart", "size", "within"),
    *("normal", "limits", "page", "report", "patient", "image", "study"),
)


@dataclass(frozen=True)
class Example:
    """One image file that is no upright frontal chest X-ray."""

    kind: str
    name: str
    content: bytes


def not_chest(xrays: Sequence[bytes], seed: int = 0) -> Iterator[Example]:
    """``EACH`` examples of every kind (CT and MR: as many as there are), X-rays turned and inverted in turn."""
    for kind, draw in _DRAWN.items():
        for number in range(EACH):
            picture = draw(np.random.default_rng([seed, len(kind), number]), number)
            yield Example(kind, f"{kind} {number}", _png(picture))
    for name, content in ct_and_mr():
        yield Example("CT and MR, DICOM", name, content)
        yield Example("CT and MR, as PNG", name, _png(decode(content, name)))
    for kind, change in _CHANGED.items():
        for number, content in enumerate(xrays):
            yield Example(kind, f"{kind} {number}", _png(change(decode(content, kind))))


def ct_and_mr() -> Iterator[tuple[str, bytes]]:
    """Names and contents of the CT and MR slices that pydicom ships and that can be decoded, each picture once."""
    import pydicom
    from pydicom.data import get_testdata_files

    seen = set()
    for path in sorted(Path(name) for name in get_testdata_files()):
        if not path.is_file():
            continue
        content = path.read_bytes()
        # Damaged files are among them on purpose.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                modality = pydicom.dcmread(path, specific_tags=["Modality"], force=True).get("Modality")
                pixels = content_digest(decode(content, path.name).tobytes()) if modality in ("CT", "MR") else None
            except (ImageError, pydicom.errors.BytesLengthException, ValueError, TypeError, EOFError):
                continue
        if pixels and pixels not in seen:
            seen.add(pixels)
            yield path.name, content


def _png(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _noise(random: np.random.Generator, number: int) -> Image.Image:
    """White noise, salt and pepper, and clouds from fine to coarse."""
    if number % 4 == 0:
        return _grey(random.integers(0, 256, (SIDE, SIDE)))
    if number % 4 == 1:
        return _grey(255 * (random.random((SIDE, SIDE)) < random.uniform(0.3, 0.7)))
    cells = int(random.integers(4, 80))
    clouds = Image.fromarray(random.standard_normal((cells, cells)).astype(np.float32))
    return _grey(128 + 55 * np.asarray(clouds.resize((SIDE, SIDE), Image.Resampling.BICUBIC)))


def _gradient(random: np.random.Generator, number: int) -> Image.Image:
    """From one grey to another in any direction, straight or round."""
    down, across = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle = random.uniform(0, 2 * np.pi)
    way = np.hypot(down, across) * 2 - 1 if number % 3 == 0 else np.cos(angle) * across + np.sin(angle) * down
    low, high = sorted(random.uniform(0, 255, 2))
    return _grey((low + high) / 2 + way * max(high - low, 40) / 2)


def _blank(random: np.random.Generator, number: int) -> Image.Image:
    """One grey, one grey with a little noise, a film with only a marker on it."""
    level = random.uniform(0, 255)
    if number % 3 == 1:
        return _grey(level + random.normal(0, random.uniform(0.5, 3), (SIDE, SIDE)))
    film = _grey(np.full((SIDE, SIDE), level))
    if number % 3 == 2:
        ImageDraw.Draw(film).text((20, 20), "R", fill=255 if level < 128 else 0, font=ImageFont.load_default(28))
    return film


def _pattern(random: np.random.Generator, number: int) -> Image.Image:
    """Checkerboards, stripes and rings."""
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    cell = int(random.integers(4, 80))
    board = {
        0: (down // cell + across // cell) % 2,
        1: ((down if number % 2 else across) // cell) % 2,
        2: (np.hypot(down - SIDE / 2, across - SIDE / 2) // cell) % 2,
    }[number % 3]
    low, high = random.uniform(0, 90), random.uniform(160, 255)
    return _grey(low + (high - low) * board)


def _photograph(random: np.random.Generator, number: int) -> Image.Image:
    """A crop of one of scikit-learn's photographs: a temple and sky, a flower and leaves."""
    from sklearn.datasets import load_sample_image

    picture = Image.fromarray(load_sample_image(("china.jpg", "flower.jpg")[number % 2]))
    side = int(random.integers(160, 427))
    left, top = int(random.integers(0, picture.width - side)), int(random.integers(0, picture.height - side + 1))
    crop = picture.crop((left, top, left + side, top + side))
    return ImageOps.mirror(crop) if random.random() < 0.5 else crop


def _text(random: np.random.Generator, number: int) -> Image.Image:
    """A page of lines: black on paper, or white on black, large print and small."""
    paper, ink = (random.uniform(215, 255), 20) if number % 4 else (10, 230)
    page = _grey(np.full((420, SIDE), paper) + random.normal(0, 2, (420, SIDE)))
    height = int(random.integers(9, 26))
    font, drawing = ImageFont.load_default(height), ImageDraw.Draw(page)
    for top in range(16, 400, round(height * 1.4)):
        drawing.text((16, top), " ".join(random.choice(_WORDS, 9)), fill=ink, font=font)
    return page


def _chart(random: np.random.Generator, number: int) -> Image.Image:
    """Bars, curves and pies, in colour and in grey."""
    chart = Image.new("RGB", (SIDE, SIDE), (255, 255, 255) if number % 6 else (25, 25, 30))
    drawing = ImageDraw.Draw(chart)
    colours = [tuple(int(c) for c in random.integers(20, 220, 3)) for _ in range(8)]
    values = random.uniform(40, 250, 8)
    if number % 3 == 0:
        for place, (value, colour) in enumerate(zip(values, colours, strict=True)):
            drawing.rectangle((40 + 33 * place, 290 - value, 64 + 33 * place, 290), fill=colour)
    elif number % 3 == 1:
        for colour in colours[:3]:
            heights = 160 + np.cumsum(random.normal(0, 14, 60))
            drawing.line([(40 + 4.5 * x, float(y)) for x, y in enumerate(heights)], fill=colour, width=3)
    else:
        ends = np.cumsum(values) / values.sum() * 360
        for start, end, colour in zip([0, *ends], ends, colours, strict=False):
            drawing.pieslice((50, 50, 270, 270), float(start), float(end), fill=colour)
    drawing.line([(40, 20), (40, 290), (305, 290)], fill=(128, 128, 128), width=2)
    return chart.convert("L") if number % 2 else chart


def _blurred_shapes(random: np.random.Generator, number: int) -> Image.Image:
    """Soft ellipses on a ground, as a scene out of focus gives them."""
    scene = _grey(np.full((SIDE, SIDE), random.uniform(0, 255)))
    drawing = ImageDraw.Draw(scene)
    for _ in range(int(random.integers(2, 9))):
        x, y, across, down = random.uniform(0, SIDE, 2).tolist() + random.uniform(20, 120, 2).tolist()
        drawing.ellipse((x - across, y - down, x + across, y + down), fill=int(random.integers(0, 256)))
    return scene.filter(ImageFilter.GaussianBlur(float(random.uniform(2, 12))))


_DRAWN: dict[str, Callable[[np.random.Generator, int], Image.Image]] = {
    "noise": _noise,
    "gradients": _gradient,
    "blank films": _blank,
    "patterns": _pattern,
    "blurred shapes": _blurred_shapes,
    "colour photographs": _photograph,
    "grey photographs": lambda random, number: _photograph(random, number).convert("L"),
    "text pages": _text,
    "charts": _chart,
}
_CHANGED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "upside-down X-rays": lambda picture: picture.transpose(Image.Transpose.ROTATE_180),
    "sideways X-rays": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "inverted X-rays": ImageOps.invert,
}
