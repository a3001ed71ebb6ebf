"""Is all of an image's file there? A PNG's checksums tell, and Pillow does not ask them of the pixels; of the other
formats a decoder has failed on, :func:`ends_early` tells whether that is because the end is missing.
"""

import zlib

from cxr_core.errors import CutShortError, ImageError

_SIGNATURE = 8


def check_png(content: bytes, name: str) -> None:
    """Raise ImageError where a chunk's checksum is wrong, CutShortError where the last chunk is missing. About 0.2 ms
    per MB.
    """
    view, at, kind = memoryview(content), _SIGNATURE, b""
    while kind != b"IEND":
        length = int.from_bytes(view[at : at + 4], "big")
        kind, body = bytes(view[at + 4 : at + 8]), view[at + 8 : at + 8 + length]
        checksum = bytes(view[at + 8 + length : at + 12 + length])
        if len(checksum) < 4:
            raise CutShortError(f"{name}: this PNG is cut short. Copy it again from where it came from.")
        if zlib.crc32(body, zlib.crc32(kind)).to_bytes(4, "big") != checksum:
            raise ImageError(f"{name}: this PNG is damaged (wrong checksum in {kind!r}). Copy it again.")
        at += 12 + length


def ends_early(content: bytes, error: Exception) -> bool:
    """True where ``error``, which Pillow raised on ``content``, means that the end of the file is missing."""
    # Pillow has no class for it, but one sentence for all decoders that ask for more bytes than there are.
    if "image file is truncated" in str(error):
        return True
    if content[:4] == b"RIFF":
        return int.from_bytes(content[4:8], "little") + 8 > len(content)
    # A TIFF's directory may stand at its end.
    if content[:4] in (b"II*\0", b"MM\0*"):
        return int.from_bytes(content[4:8], "little" if content[:1] == b"I" else "big") >= len(content)
    return False
