"""A picture -> the bytes of a file: a JPEG for pages and reports, a PNG where nothing may be lost."""

from io import BytesIO

from PIL import Image

QUALITY = 88


def jpeg(picture: Image.Image, side: int | None = None) -> bytes:
    """A JPEG, small enough to be sent; with ``side`` of a copy whose longer side has at most so many pixels."""
    if side is not None:
        picture = picture.copy()
        picture.thumbnail((side, side))
    return _encoded(picture, "JPEG", quality=QUALITY)


def png(picture: Image.Image) -> bytes:
    """A PNG: every pixel as it is."""
    return _encoded(picture, "PNG")


def _encoded(picture: Image.Image, kind: str, **options: int) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()
