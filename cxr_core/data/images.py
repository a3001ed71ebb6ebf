"""One door for every image file: scan, training, evaluation, prediction and display all read through here.

``read_bytes`` -> ``content_digest``, ``inspect`` (is it a whole image, and what kind), ``decode`` (upright, grey) and
``pixels`` (what a network sees). The content alone decides what a file is; its name only appears in messages.
Accepted: PNG, JPEG, TIFF, BMP, WebP and DICOM. Anything else, anything damaged and anything over a limit raises
ImageError, a file whose end is missing the CutShortError among them. The same content gives the same pixels through
every door.
"""

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from cxr_core.data import dicom, grey, limits, reach
from cxr_core.data.folder import is_virtual, kind_of
from cxr_core.data.integrity import check_png, ends_early
from cxr_core.data.limits import MAX_BYTES as MAX_BYTES
from cxr_core.data.limits import MAX_PIXELS as MAX_PIXELS
from cxr_core.data.limits import ImageInfo as ImageInfo
from cxr_core.data.masking import Mask, border_filled, masked
from cxr_core.data.views import augment
from cxr_core.errors import CutShortError, ImageError
from cxr_core.paths import shown

Source = Path | bytes

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
# The resize before the crop, as in the ImageNet protocol: 256 for a crop of 224.
_RESIZE = 256 / 224
_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
_COLOURED = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")
_BITS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}


def read_bytes(source: Source) -> bytes:
    """Content of a file, or ``source`` itself where it is content already.

    Raises ImageError for what is missing, cannot be opened, is no regular file, is empty or over ``MAX_BYTES``.
    """
    if isinstance(source, bytes):
        limits.check_bytes(len(source), "the upload")
        return source
    try:
        if not reach.reachable(source):
            raise ImageError(f"{shown(source.name)}: the file {reach.OUTSIDE}.")
        about = source.stat()
        if not stat.S_ISREG(about.st_mode) or is_virtual(about):
            raise ImageError(f"{shown(source.name)}: expected a file, got {kind_of(about)}.")
        limits.check_bytes(about.st_size, source.name)
        with source.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"{shown(source.name)}: the file cannot be read ({error.strerror}).") from error
    except ValueError:
        raise ImageError(f"{shown(source.name)}: no path holds the sign NUL. Check the path.") from None
    limits.check_bytes(len(content), source.name)
    return content


def content_digest(content: bytes) -> str:
    """BLAKE2b digest of the content, 32 hexadecimal digits: equal content, equal digest, whatever the name."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def inspect(content: bytes, name: str) -> ImageInfo:
    """Facts of an image after a check that all of it is there: about 2 ms for a JPEG of 1024 x 1024 pixels.

    Raises ImageError where it is unreadable, over a limit, animated or of several pages, CutShortError where its end
    is missing.
    """
    if dicom.is_dicom(content):
        limits.check_bytes(len(content), name)
        return dicom.inspect(content, name)
    image = _open(content, name)
    width, height, mode = image.width, image.height, image.mode
    bits = content[24] if image.format == "PNG" else _BITS.get(mode, 8)
    with _as_image_error(name, content):
        if image.format in ("JPEG", "MPO"):
            image.draft("L", (1, 1))  # all of the file is read, an eighth of the picture computed
        image.load()
        # Pillow has already turned a TIFF, sizes included.
        if image.format != "TIFF" and _orientation(image) in _SIDEWAYS:
            width, height = height, width
    return ImageInfo(width, height, mode, "JPEG" if image.format == "MPO" else str(image.format), bits)


def decode(content: bytes, name: str, side: int | None = None, colour: bool = False) -> Image.Image:
    """The picture in mode "L", upright; with ``colour``, which is for people alone, "RGB" where it is in colour.

    ``side``: the shorter side that will be needed, in pixels. It lets a large JPEG be decoded at a fraction of its
    size, never below twice ``side``. The same content and side give the same pixels.

    Colour becomes luma (ITU-R 601), alpha lies over black, 16-bit grey is scaled by
    :func:`cxr_core.data.grey.from_integers`. Raises ImageError as :func:`inspect` does.
    """
    if dicom.is_dicom(content):
        limits.check_bytes(len(content), name)
        return dicom.decode(content, name)
    image = _open(content, name)
    with _as_image_error(name, content):
        if image.format in ("JPEG", "MPO"):
            image.draft("RGB" if colour else "L", (2 * side, 2 * side) if side else image.size)
        image.load()
        turn = _TURNS.get(_orientation(image)) if image.format != "TIFF" else None
        upright = _over_black(image) if colour and image.mode in _COLOURED else _grey(image)
        return upright if turn is None else upright.transpose(turn)


def pixels(content: bytes, name: str, size: int = 224, view: int = 0, mask: Mask = "none") -> np.ndarray:
    """What a network sees: uint8 (size, size).

    The shorter side is resized to ``round(size * 256 / 224)`` (bilinear, antialiased) and the centre cropped, to the
    last bit as torchvision's v2 Resize and CenterCrop do with the decoded picture. ``view`` 0 is that; ``view`` >= 1 is
    an augmented view, made from the content and the number alone (:mod:`cxr_core.data.views`). ``mask``: what of the
    square is erased (:mod:`cxr_core.data.masking`); a border is erased before a view moves the picture, and after.
    """
    short = round(size * _RESIZE)
    image = decode(content, name, side=short)
    if image.width <= image.height:
        resized = image.resize((short, int(short * image.height / image.width)), Image.Resampling.BILINEAR)
    else:
        resized = image.resize((int(short * image.width / image.height), short), Image.Resampling.BILINEAR)
    if view:
        if mask == "border-erased":
            resized = border_filled(resized, size)
        return masked(augment(resized, size, content_digest(content), view), mask)
    left, top = round((resized.width - size) / 2), round((resized.height - size) / 2)
    return masked(np.array(resized.crop((left, top, left + size, top + size))), mask)


def _open(content: bytes, name: str) -> Image.Image:
    """An opened, not yet decoded image within all limits."""
    limits.check_bytes(len(content), name)
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        if ends_early(content, error):
            raise _damaged(name, content, error) from error
        raise ImageError(
            f"{name}: this is no image that can be read. Expected PNG, JPEG, TIFF, BMP, WebP or DICOM content, whole."
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{name}: over the limit of {MAX_PIXELS // 10**6} million pixels. Reduce the image first."
        ) from error
    except Exception as error:
        raise _damaged(name, content, error) from error
    limits.check_size(image.width, image.height, name)
    with _as_image_error(name, content):
        # A phone's JPEG may carry further pictures for its own use (MPO); the first one is the image.
        limits.check_frames(1 if image.format == "MPO" else getattr(image, "n_frames", 1), name)
        if image.format == "PNG":
            check_png(content, name)
    return image


def _damaged(name: str, content: bytes, error: Exception) -> ImageError:
    if ends_early(content, error):
        return CutShortError(f"{name}: the image cannot be decoded, its file is cut short. Copy it again.")
    return ImageError(f"{name}: the image cannot be decoded, it is damaged ({error}). Copy it again.")


@contextmanager
def _as_image_error(name: str, content: bytes) -> Iterator[None]:
    """Whatever a decoder raises on damaged bytes (it may be any exception) is the file's fault: an ImageError."""
    try:
        yield
    except ImageError:
        raise
    except Exception as error:
        raise _damaged(name, content, error) from error


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # camera notes too damaged to read say nothing about the pixels, which are whole
        return 1


def _over_black(image: Image.Image) -> Image.Image:
    """A decoded image in colour -> "RGB"."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    below = Image.new("RGBA", image.size, (0, 0, 0, 255))
    below.alpha_composite(image.convert("RGBA"))
    return below.convert("RGB")


def _grey(image: Image.Image) -> Image.Image:
    """A decoded image in any mode -> "L"."""
    if image.mode == "L" and not image.has_transparency_data:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return Image.fromarray(grey.from_numbers(np.asarray(image)))
    if image.has_transparency_data:
        return _over_black(image).convert("L")
    if image.mode in ("1", "RGB"):
        return image.convert("L")
    return image.convert("RGB").convert("L")
