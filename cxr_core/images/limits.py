"""What an image file may be at most, checked before anything is decoded, and what is known about it afterwards.

A header of a few bytes can promise a picture of many gigabytes. Every reader in this package therefore asks
:func:`check_bytes` and :func:`check_size` first.
"""

from dataclasses import dataclass

from cxr_core.errors import ImageError

MAX_BYTES = 256 * 2**20
MAX_PIXELS = 100_000_000
MIN_SIDE = 8
# A strip of 8 x 10,000,000 pixels is within the other limits, and would be enlarged to gigabytes by a resize.
MAX_ASPECT = 20


@dataclass(frozen=True)
class ImageInfo:
    """Facts of one image: sides in pixels as it is shown (upright), colour mode, file format, bits per channel, and
    where its header says so the patient's age in years, sex (F or M), the view, in DICOM's words, and a code of the
    patient's ID, never the ID itself.
    """

    width: int
    height: int
    mode: str
    format: str
    bits: int
    age: float | None = None
    sex: str = ""
    view: str = ""
    patient: str = ""


def check_bytes(count: int, name: str) -> None:
    """Raise ImageError for an empty file and for one over ``MAX_BYTES``."""
    if count == 0:
        raise ImageError(f"{name}: the file is empty (0 bytes). Copy it again from where it came from.")
    if count > MAX_BYTES:
        raise ImageError(
            f"{name}: {count / 2**20:,.0f} MiB, over the limit of {MAX_BYTES // 2**20} MiB for one image. "
            "Store the image smaller or compressed."
        )


def check_size(width: int, height: int, name: str) -> None:
    """Raise ImageError for an image of too many pixels, too short a side, or sides out of all proportion."""
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name}: {width} x {height} pixels, over the limit of {MAX_PIXELS // 10**6} million. "
            "Reduce the image first."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{name}: {width} x {height} pixels; expected at least {MIN_SIDE} on each side.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(
            f"{name}: {width} x {height} pixels; expected sides in a proportion of at most {MAX_ASPECT} to 1. "
            "Crop the image to the chest first."
        )


def check_frames(frames: int, name: str) -> None:
    """Raise ImageError unless the file holds exactly one picture."""
    if frames != 1:
        raise ImageError(f"{name}: {frames} frames or pages; expected a single image. Export the one that is meant.")
