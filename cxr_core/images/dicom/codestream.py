"""What a compressed picture says of itself: JPEG, JPEG-LS and JPEG 2000 carry their size and depth.

Where a DICOM header says otherwise, the decoder follows the codestream (PS3.5, 8.2), and so must who reads its numbers.
"""

from dataclasses import dataclass

# JPEG 2000's start of codestream and size marker, and the box that a JP2 file keeps its codestream in.
_J2K, _JP2_BOX = b"\xff\x4f\xff\x51", b"jp2c"
# Start of frame: 0xC0 to 0xCF but for tables, and JPEG-LS.
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_STAND_ALONE = {0x01, *range(0xD0, 0xD9), 0xFF}


@dataclass(frozen=True)
class Codestream:
    """Bits per sample and samples per pixel of a compressed picture."""

    precision: int
    samples: int


def parse(data: bytes) -> Codestream | None:
    """Read the first header in ``data``; None where there is none (run lengths, damage)."""
    at = data.find(_J2K, 0, 4096)
    if data[:2] == _J2K[:2] or (at > 0 and _JP2_BOX in data[:at]):
        # SIZ: the number of components stands 38 bytes behind its marker, the first one's depth behind that.
        size = data[at + 2 : at + 43] if at >= 0 else b""
        return Codestream((size[40] & 0x7F) + 1, size[39]) if len(size) == 41 else None
    if data[:2] == b"\xff\xd8":
        return _jpeg(data)
    return None


def _jpeg(data: bytes) -> Codestream | None:
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return Codestream(data[at + 4], data[at + 9])
        at += 1 if marker == 0xFF else 2 if marker in _STAND_ALONE else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
