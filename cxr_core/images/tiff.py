"""The numbers of a TIFF's first page.

``opened(content)`` parses its header in Python and runs no decoder; ``numbers(content)`` decodes. The decoders of LZW
and PackBits read beyond damaged data and can abort the process: they are run by ``images.dicom.codec``, in its own.
"""

import logging
from io import BytesIO
from typing import Any

import numpy as np

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_tiff(content: bytes) -> bool:
    return content[:4] in _MAGIC


def opened(content: bytes) -> Any:
    """The file, for tifffile's own attributes; to be closed."""
    import tifffile

    # It reports damage twice: by an exception, and in a log of its own.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    return tifffile.TiffFile(BytesIO(content))


def numbers(content: bytes) -> np.ndarray:
    """Of the first page, in the shape that the file gives them. Raises anything on damage."""
    with opened(content) as file:
        return np.asarray(file.pages.first.asarray())
