"""Any image file -> pixels: what a file is, whether it is whole, how it is shown, and whether it looks like a chest.

Nothing here knows of data sets, runs or networks. Everybody reads files through this door::

    from cxr_core import images

    content = images.read_bytes(path)
    images.inspect(content, path.name)        # what kind, how large; raises ImageError where it is no whole image
    images.decode(content, path.name)         # upright, grey
    images.pixels(content, path.name, 224)    # what a network sees
"""

from cxr_core.images.encoding import jpeg, png
from cxr_core.images.levels import Levels
from cxr_core.images.limits import ImageInfo
from cxr_core.images.masking import BORDER, Mask
from cxr_core.images.reading import content_digest, decode, decoded, inspect, levels_of, pixels, read_bytes

__all__ = [
    "BORDER",
    "ImageInfo",
    "Levels",
    "Mask",
    "content_digest",
    "decode",
    "decoded",
    "inspect",
    "jpeg",
    "levels_of",
    "pixels",
    "png",
    "read_bytes",
]
