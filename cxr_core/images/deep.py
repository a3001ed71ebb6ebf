"""PNG and TIFF pictures of more than 8 bits a channel, at their full depth.

    picture = deep.read(content, name)      # where is_deep(content, image) says that it is one
    picture.luma()                          # (H, W) in the numbers of the file, white is large
    picture.colours()                       # (H, W, 1 or 3), the same of each channel

Pillow cuts 16-bit colour to 8 bits (a 12-bit picture in it is black then), does not turn around TIFFs whose white is
zero beyond 8 bits, takes unsigned 32-bit numbers for signed ones and knows no 64-bit ones. libpng and tifffile do all
that; both are imported when first needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from cxr_core.errors import CutShortError, ImageError
from cxr_core.images import grey, limits, tiff
from cxr_core.images.dicom import codec

PNG = b"\x89PNG\r\n\x1a\n"
# PNG's kinds of colour that Pillow reads at full depth: grey without alpha, and a palette, which has 8 bits.
_PLAIN_PNG = (0, 3)
# Weights of ITU-R 601 in 1 / 65536, as Pillow rounds them: three equal channels give just their number.
_LUMA = (19595, 38470, 7471)
_ROWS = 512
# Baseline and what is usual beside it: none, LZW, Deflate (two numbers), PackBits. Others (JPEG) are for 8 bits.
_COMPRESSIONS = {1, 5, 8, 32946, 32773}
_HAZARDOUS = {5, 32773}
# What limits.MAX_PIXELS come to with 16-bit RGB and alpha.
_MOST_BYTES = 8 * limits.MAX_PIXELS
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_UNASSOCIATED = 2
_MAX_SAMPLE_VALUE, _ORIENTATION, _BITS_PER_SAMPLE = 281, 274, 258


@dataclass(frozen=True, eq=False)
class Deep:
    """A picture as its file holds it, not yet turned.

    ``channels``: numbers (H, W, 1 or 3); ``alpha``: (H, W) or None; ``bits``: of a channel as stored; ``declared``: how
    many of these are in use, where the file says so; ``white_is_zero``: small numbers are bright; ``orientation``: 1 to
    8 as in EXIF, where the file says it in a place that Pillow does not look at.
    """

    format: str
    channels: np.ndarray
    alpha: np.ndarray | None
    bits: int
    declared: int | None
    white_is_zero: bool = False
    orientation: int | None = None

    @property
    def is_coloured(self) -> bool:
        return bool(self.channels.shape[2] == 3)

    @property
    def mode(self) -> str:
        """In Pillow's words, as far as it has one."""
        if self.is_coloured:
            return "RGB" if self.alpha is None else "RGBA"
        if self.channels.dtype.kind == "f":
            return "F"
        return "I;16" if self.channels.dtype == np.uint16 else "I"

    def luma(self) -> np.ndarray:
        """(H, W) in the numbers of the file, white is large; alpha laid over black."""
        return self._laid(_luma(self.channels) if self.is_coloured else self.channels[..., 0])

    def colours(self) -> np.ndarray:
        """Each channel (H, W, 1 or 3), white is large; alpha laid over black."""
        return np.stack([self._laid(self.channels[..., k]) for k in range(self.channels.shape[2])], axis=2)

    def _laid(self, values: np.ndarray) -> np.ndarray:
        if self.white_is_zero:
            values = self._inverted(values)
        if self.alpha is None:
            return values
        if not self.channels.any():
            # Black ink alone: the picture is in the alpha, and paper is white.
            return np.asarray(self.alpha.max() - self.alpha)
        # A 12-bit picture may come with 12-bit alpha.
        white = int(_white(self.alpha, None, self.bits))
        laid = np.empty_like(values)
        for rows in _by_rows(len(values)):
            laid[rows] = values[rows].astype(np.uint64) * self.alpha[rows] // white
        return laid

    def _inverted(self, values: np.ndarray) -> np.ndarray:
        if values.dtype.kind != "u":
            return float(np.nanmax(values)) - values.astype(np.float64)
        # Twelve bits may be turned around within twelve, or lie at the upper end of sixteen.
        return np.asarray(_white(values, self.declared, self.bits) - values)


def _white(values: np.ndarray, declared: int | None, bits: int) -> Any:
    """The largest number of the depth in use: as declared, else the smallest depth that holds all numbers."""
    top = int(values.max())
    depth = declared or next((depth for depth in grey.DEPTHS if top < 2**depth), bits)
    return values.dtype.type(2 ** min(depth, bits) - 1)


def is_deep(content: bytes, image: Image.Image | None) -> bool:
    """True where ``content`` is for :func:`read` rather than for Pillow. ``image``: what Pillow opened, None where it
    does not know the file.
    """
    if image is None:
        return tiff.is_tiff(content)
    if image.format == "PNG":
        return content[24] > 8 and (content[25] not in _PLAIN_PNG or image.has_transparency_data)
    return image.format == "TIFF" and max(_tag(image, _BITS_PER_SAMPLE, (8,))) > 8


def read(content: bytes, name: str) -> Deep:
    """The numbers of a file. Raises ImageError for a kind that is not read or is over a limit, CutShortError where the
    end of the pixels is missing, and whatever its decoder raises on damage.
    """
    return _png(content) if content.startswith(PNG) else _tiff(content, name)


def _png(content: bytes) -> Deep:
    from imagecodecs import png_decode

    # Alpha is there too where the file names one transparent colour.
    values = png_decode(content)
    values = values[..., None] if values.ndim == 2 else values
    colours = values.shape[2] - (values.shape[2] % 2 == 0)
    alpha = values[..., -1] if values.shape[2] > colours else None
    channels = values[..., :colours]
    return Deep("PNG", channels, alpha, 16, _said_by_png(content, int(channels.max())))


def _said_by_png(content: bytes, top: int) -> int | None:
    """By the part sBIT. The standard wants such numbers scaled up to 16 bits; where they are not, it is the depth."""
    at = content.find(b"sBIT", 0, content.find(b"IDAT"))
    bits = content[at + 4] if at > 0 else 0
    if not 8 <= bits < 16:
        return None
    return bits if top < 2**bits else 16


def _tiff(content: bytes, name: str) -> Deep:
    with tiff.opened(content) as file:
        limits.check_frames(len(file.pages), name)
        page = file.pages.first
        _check(page, content, name)
        values = codec.isolated(content) if int(page.compression) in _HAZARDOUS else page.asarray()
        if page.samplesperpixel == 1:
            values = values.reshape(*values.shape[:2], 1)
        elif page.planarconfig != 1:
            values = np.moveaxis(values, 0, 2)
        colours = 3 if int(page.photometric) == _RGB else 1
        extra = [int(kind) for kind in page.extrasamples]
        alpha = values[..., colours] if extra[:1] == [_UNASSOCIATED] else None
        channels = values[..., :colours]
        orientation = page.tags.get(_ORIENTATION)
        return Deep(
            "TIFF",
            channels,
            alpha if values.dtype.kind == "u" else None,
            int(page.bitspersample),
            _said_by_tiff(page, channels),
            int(page.photometric) == _WHITE_IS_ZERO,
            int(orientation.value) if orientation else 1,
        )


def _check(page: Any, content: bytes, name: str) -> None:
    """All that is to be known before a TIFF's pixels are decoded."""
    limits.check_size(page.imagewidth, page.imagelength, name)
    kind = int(page.photometric)
    colours = 3 if kind == _RGB else 1
    if (
        kind not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)
        or int(page.compression) not in _COMPRESSIONS
        or not colours <= page.samplesperpixel <= colours + 2
        or page.imagedepth != 1
        or page.dtype is None
        or page.dtype.kind not in "uif"
    ):
        raise ImageError(
            f"{name}: this TIFF is of a kind that is not read ({page.samplesperpixel} samples of {page.bitspersample} "
            f"bits, photometric interpretation {kind}, compression {int(page.compression)}). Expected grey or RGB, "
            "uncompressed, LZW, Deflate or PackBits. Export it so, or as PNG."
        )
    if page.nbytes > _MOST_BYTES:
        raise ImageError(
            f"{name}: {page.nbytes / 2**20:,.0f} MiB of numbers, over the limit of {_MOST_BYTES // 2**20} MiB. Reduce "
            "the image first, or store it with 16 bits."
        )
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if not ends or min(page.databytecounts) <= 0 or max(ends) > len(content):
        raise CutShortError(f"{name}: this TIFF is cut short. Copy it again from where it came from.")


def _said_by_tiff(page: Any, channels: np.ndarray) -> int | None:
    """Bits in use: of 12-bit numbers, or by the tag MaxSampleValue, which holds only if no number is above it."""
    if channels.dtype.kind != "u":
        return None
    if page.bitspersample not in (8, 16, 32, 64):
        return int(page.bitspersample)
    said = _first(page.tags[_MAX_SAMPLE_VALUE].value) if _MAX_SAMPLE_VALUE in page.tags else 0
    declared = said.bit_length()
    return declared if int(channels.max()) <= said and 8 <= declared < page.bitspersample else None


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)


def _tag(image: Image.Image, number: int, default: tuple[int, ...]) -> tuple[int, ...]:
    found = getattr(image, "tag_v2", {}).get(number, default)
    return found if isinstance(found, tuple) else (found,)


def _luma(channels: np.ndarray) -> np.ndarray:
    if channels.dtype.kind == "f" or channels.dtype.itemsize > 4:
        return np.asarray(channels @ (np.array(_LUMA) / 65536))
    luma = np.empty(channels.shape[:2], channels.dtype)
    for rows in _by_rows(len(channels)):
        wide = channels[rows].astype(np.int64)
        luma[rows] = (sum(wide[..., k] * weight for k, weight in enumerate(_LUMA)) + 2**15) >> 16
    return luma


def _by_rows(height: int) -> Iterator[slice]:
    """Parts of a picture: numbers wide enough to calculate with take eight bytes."""
    return (slice(start, start + _ROWS) for start in range(0, height, _ROWS))
