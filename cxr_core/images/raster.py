"""PNG, JPEG, TIFF, BMP and WebP: facts of a file, and its picture, upright and grey, with the steps that led to it.

``inspect(content, name)`` checks that all of the image is there; ``decoded(content, name)`` gives the picture, and
``levels_of(content, name)`` the same in the numbers of the file. All are called through ``cxr_core.images``, where
whatever they raise on damage becomes the file's own error. Eight bits are Pillow's work, more are that of
:mod:`cxr_core.images.deep`.
"""

from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from cxr_core.errors import CutShortError, ImageError
from cxr_core.images import deep, grey, limits, strangers
from cxr_core.images.integrity import ends_early, sound_png
from cxr_core.images.levels import Levels
from cxr_core.images.limits import MAX_PIXELS, ImageInfo
from cxr_core.images.steps import Decoded, Step

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT, "mirrored"),
    3: (Image.Transpose.ROTATE_180, "turned by 180 degrees"),
    4: (Image.Transpose.FLIP_TOP_BOTTOM, "flipped top to bottom"),
    5: (Image.Transpose.TRANSPOSE, "turned by 90 degrees and mirrored"),
    6: (Image.Transpose.ROTATE_270, "turned by 90 degrees clockwise"),
    7: (Image.Transpose.TRANSVERSE, "turned by 90 degrees and mirrored"),
    8: (Image.Transpose.ROTATE_90, "turned by 90 degrees anticlockwise"),
}
_SIDEWAYS = (5, 6, 7, 8)
_COLOURED = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}


class _Opened(NamedTuple):
    """A file within all limits, not yet decoded: ``content`` without damage outside of the pixels, ``steps`` say which;
    ``image`` None where Pillow does not know the kind.
    """

    content: bytes
    image: Image.Image | None
    steps: tuple[Step, ...]


def inspect(content: bytes, name: str) -> ImageInfo:
    """Facts of an image after a check that all of it is there: about 2 ms for a JPEG of 1024 x 1024 pixels.

    Raises ImageError where it is unreadable, over a limit, animated or of several pages, CutShortError where its end
    is missing.
    """
    content, image, _ = _open(content, name)
    if image is None or deep.is_deep(content, image):
        found = deep.read(content, name)
        height, width = found.channels.shape[:2]
        kind, mode, bits = found.format, found.mode, found.bits
        turn = found.orientation or _orientation(image)
    else:
        width, height, mode, kind = image.width, image.height, image.mode, str(image.format)
        bits = content[24] if kind == "PNG" else _BITS.get(mode, 8)
        if kind in ("JPEG", "MPO"):
            image.draft("L", (1, 1))  # all of the file is read, an eighth of the picture computed
            kind = "JPEG"
        image.load()
        # Pillow has already turned a TIFF, sizes included.
        turn = 1 if kind == "TIFF" else _orientation(image)
    if turn in _SIDEWAYS:
        width, height = height, width
    return ImageInfo(width, height, mode, kind, bits)


def decoded(content: bytes, name: str, side: int | None = None, colour: bool = False) -> Decoded:
    """The picture as :func:`cxr_core.images.reading.decode` says, and how it came about; raises as :func:`inspect`."""
    content, image, steps = _open(content, name)
    if image is None or deep.is_deep(content, image):
        found = deep.read(content, name)
        picture, done = _from_deep(found, colour)
        turn = found.orientation or _orientation(image)
    else:
        picture, done = _from_pillow(content, image, side, colour)
        turn = 1 if image.format == "TIFF" else _orientation(image)
    steps = (*steps, *done)
    if turn in _TURNS:
        how, said = _TURNS[turn]
        picture = picture.transpose(how)
        steps = (*steps, Step("turn", f"Orientation {turn} of EXIF: {said}.", numbers={"orientation": turn}))
    return Decoded(picture, steps)


def levels_of(content: bytes, name: str) -> Levels:
    """The picture of :func:`decoded` in the numbers of its file; raises as that."""
    sound, image, _ = _open(content, name)
    declared = None
    if image is None or deep.is_deep(sound, image):
        found = deep.read(sound, name)
        values, declared, turn = found.luma(), found.declared, found.orientation or _orientation(image)
    elif image.mode == "I" or image.mode.startswith("I;"):
        image.load()
        values, turn = np.asarray(image), 1 if image.format == "TIFF" else _orientation(image)
    else:
        return Levels.of_eight(decoded(content, name).picture)
    if values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= 2**16:
        return Levels.of_eight(decoded(content, name).picture)
    _, step = grey.shown(values, declared)
    greys = grey.table(step.numbers["black"], step.numbers["white"])
    levels = Levels(values.astype(np.uint16), greys, int(step.numbers["depth"]))
    return levels.turned(_TURNS[turn][0]) if turn in _TURNS else levels


def _from_pillow(
    content: bytes, image: Image.Image, side: int | None, colour: bool
) -> tuple[Image.Image, tuple[Step, ...]]:
    """Not yet turned; in "RGB" if ``colour`` and it is in colour, else "L"."""
    bits = content[24] if image.format == "PNG" else _BITS.get(image.mode, 8)
    steps = [_file_step(str(image.format), image.size, image.mode, bits)]
    is_coloured, full = image.mode in _COLOURED, image.size
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB" if colour else "L", (2 * side, 2 * side) if side else image.size)
    image.load()
    if image.format in ("JPEG", "MPO") and image.size != full:
        text = f"Decoded at {image.width} x {image.height} pixels, which is more than is needed here."
        steps.append(Step("file", text, numbers={"width": image.width, "height": image.height}))
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        picture, step = _grey(np.asarray(image), None)
        return picture, (*steps, step)
    if is_coloured and not colour:
        steps.append(_LUMA)
    if image.has_transparency_data:
        picture, step = _laid(image)
        steps.append(step)
    else:
        picture = image.convert("RGB") if image.mode not in ("1", "L", "RGB") else image
    return (picture if is_coloured and colour else picture.convert("L")), tuple(steps)


def _laid(image: Image.Image) -> tuple[Image.Image, Step]:
    """A decoded image with transparent parts -> "RGB", without."""
    inked = image.convert("RGBA")
    alpha = inked.getchannel("A")
    # Black ink alone: the picture is in the alpha, and paper is white.
    is_ink = inked.convert("RGB").getbbox() is None and len(set(alpha.getextrema())) > 1
    paper = 255 if is_ink else 0
    below = Image.new("RGBA", image.size, (paper, paper, paper, 255))
    below.alpha_composite(inked)
    return below.convert("RGB"), _alpha_step(is_ink)


def _from_deep(found: deep.Deep, colour: bool) -> tuple[Image.Image, tuple[Step, ...]]:
    """As :func:`_from_pillow`, of a picture of more than 8 bits."""
    height, width = found.channels.shape[:2]
    steps = [_file_step(found.format, (width, height), found.mode, found.bits)]
    if found.white_is_zero:
        steps.append(Step("inversion", "The file says that zero is white (photometric interpretation 0): inverted."))
    if found.alpha is not None:
        steps.append(_alpha_step(not found.channels.any()))
    if colour and found.is_coloured:
        channels = found.colours()
        # All channels as one picture: they share the number that is white.
        flat, step = _grey(channels.reshape(height, -1), found.declared)
        return Image.fromarray(np.asarray(flat).reshape(channels.shape)), (*steps, step)
    if found.is_coloured:
        steps.append(_LUMA)
    picture, step = _grey(found.luma(), found.declared)
    return picture, (*steps, step)


def _grey(values: np.ndarray, declared: int | None) -> tuple[Image.Image, Step]:
    shown, step = grey.shown(values, declared)
    return Image.fromarray(shown), step


_LUMA = Step("colour", "Colour became grey: 0.299 red + 0.587 green + 0.114 blue (luma, ITU-R 601).")


def _alpha_step(on_paper: bool) -> Step:
    return Step("colour", f"What is transparent lies over {'white: all ink is black' if on_paper else 'black'}.")


def _file_step(kind: str, size: tuple[int, int], mode: str, bits: int) -> Step:
    kind = "JPEG" if kind == "MPO" else kind
    text = f"{kind}, {size[0]} x {size[1]} pixels, {mode}, {bits} bits a channel."
    return Step("file", text, numbers={"width": size[0], "height": size[1], "bits": bits})


def _open(content: bytes, name: str) -> _Opened:
    """Raises ImageError where a limit is exceeded or the kind is not read."""
    limits.check_bytes(len(content), name)
    steps: tuple[Step, ...] = ()
    if content.startswith(deep.PNG):
        content, steps = sound_png(content, name)
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        if ends_early(content, error):
            raise damaged(name, content, error) from error
        if deep.is_deep(content, None):
            return _Opened(content, None, steps)
        raise ImageError(f"{name}: {strangers.reason(content)}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{name}: over the limit of {MAX_PIXELS // 10**6} million pixels. Reduce the image first."
        ) from error
    limits.check_size(image.width, image.height, name)
    # A phone's JPEG may carry further pictures for its own use (MPO); the first one is the image.
    limits.check_frames(1 if image.format == "MPO" else getattr(image, "n_frames", 1), name)
    return _Opened(content, image, steps)


def damaged(name: str, content: bytes, error: Exception) -> ImageError:
    """The error for a file on which a decoder raised ``error``."""
    if ends_early(content, error):
        return CutShortError(f"{name}: the image cannot be decoded, its file is cut short. Copy it again.")
    return ImageError(f"{name}: the image cannot be decoded, it is damaged ({error}). Copy it again.")


def _orientation(image: Image.Image | None) -> int:
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1)) if image else 1
    except Exception:  # camera notes too damaged to read say nothing about the pixels, which are whole
        return 1
