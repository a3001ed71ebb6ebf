"""One door for every image file: scan, training, evaluation, prediction and display all read through here.

``read_bytes`` -> ``content_digest``, ``inspect`` (is it a whole image, and what kind), ``decode`` (upright, grey),
``decoded`` (the same with the steps that led to it), ``levels_of`` (the same in the file's own numbers) and ``pixels``
(what a network sees).

The content alone decides what a file is; its name only appears in messages. Accepted: PNG, JPEG, TIFF, BMP, WebP and
DICOM. Anything else, anything damaged and anything over a limit raises ImageError, a file whose end is missing the
CutShortError among them. The same content gives the same pixels through every door.
"""

import hashlib
import stat
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
from PIL import Image

from cxr_core import reach
from cxr_core.errors import ImageError
from cxr_core.images import dicom, limits, raster
from cxr_core.images.levels import Levels
from cxr_core.images.limits import MAX_BYTES as MAX_BYTES
from cxr_core.images.limits import MAX_PIXELS as MAX_PIXELS
from cxr_core.images.limits import ImageInfo as ImageInfo
from cxr_core.images.masking import Mask, border_filled, masked
from cxr_core.images.raster import FORMATS as FORMATS
from cxr_core.images.steps import Decoded
from cxr_core.images.views import augment
from cxr_core.paths import is_virtual, kind_of, shown

Source = Path | bytes
_Options = ParamSpec("_Options")
_Outcome = TypeVar("_Outcome")

# The resize before the crop, as in the ImageNet protocol: 256 for a crop of 224.
_RESIZE = 256 / 224


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


def _at_the_door(
    read: Callable[Concatenate[bytes, str, _Options], _Outcome],
) -> Callable[Concatenate[bytes, str, _Options], _Outcome]:
    """Whatever a decoder or parser raises on a file is that file's own ImageError, whichever format it is."""

    @wraps(read)
    def guarded(content: bytes, name: str, /, *args: _Options.args, **given: _Options.kwargs) -> _Outcome:
        try:
            return read(content, name, *args, **given)
        except ImageError:
            raise
        except Exception as error:
            if dicom.is_dicom(content):
                # The library's own message may quote the file, and with it the patient.
                damaged = ImageError(f"{name}: this DICOM file is damaged ({type(error).__name__}). Export it again.")
                raise damaged from None
            raise raster.damaged(name, content, error) from error

    return guarded


@_at_the_door
def inspect(content: bytes, name: str) -> ImageInfo:
    """Facts of an image after a check that all of it is there: about 2 ms for a JPEG of 1024 x 1024 pixels.

    Raises ImageError where it is unreadable, over a limit, animated or of several pages, CutShortError where its end
    is missing.
    """
    if dicom.is_dicom(content):
        limits.check_bytes(len(content), name)
        return dicom.inspect(content, name)
    return raster.inspect(content, name)


def decode(content: bytes, name: str, side: int | None = None, colour: bool = False) -> Image.Image:
    """The picture in mode "L", upright; with ``colour``, which is for people alone, "RGB" where it is in colour.

    ``side``: the shorter side that will be needed, in pixels. It lets a large JPEG be decoded at a fraction of its
    size, never below twice ``side``. The same content and side give the same pixels.

    Colour becomes luma (ITU-R 601), alpha lies over black, what is deeper than 8 bits is scaled by
    :func:`cxr_core.images.grey.shown`. Raises ImageError as :func:`inspect` does.
    """
    return decoded(content, name, side, colour).picture


@_at_the_door
def decoded(content: bytes, name: str, side: int | None = None, colour: bool = False) -> Decoded:
    """The picture as :func:`decode` gives it, with the steps that led to it."""
    if dicom.is_dicom(content):
        limits.check_bytes(len(content), name)
        return dicom.decoded(content, name)
    return raster.decoded(content, name, side, colour)


@_at_the_door
def levels_of(content: bytes, name: str) -> Levels:
    """The picture that :func:`decode` gives, in the numbers of its file and not yet in greys. Raises as that."""
    if dicom.is_dicom(content):
        limits.check_bytes(len(content), name)
        return dicom.levels_of(content, name)
    return raster.levels_of(content, name)


def pixels(content: bytes, name: str, size: int = 224, view: int = 0, mask: Mask = "none") -> np.ndarray:
    """What a network sees: uint8 (size, size).

    The shorter side is resized to ``round(size * 256 / 224)`` (bilinear, antialiased) and the centre cropped, to the
    last bit as torchvision's v2 Resize and CenterCrop do with the decoded picture. ``view`` 0 is that; ``view`` >= 1 is
    an augmented view, made from the content and the number alone (:mod:`cxr_core.images.views`). ``mask``: what of the
    square is erased (:mod:`cxr_core.images.masking`); a border is erased before a view moves the picture, and after.
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
