"""Files that are no image of a kind that is read: what they are, as their first bytes say, and what to do about it.

f"{name}: {strangers.reason(content)}"
"""

import re

_NONE = "cannot be read as an image"
EXPECTED = "Expected PNG, JPEG, TIFF, BMP, WebP or DICOM content, whole."
_AS_PICTURE = "Export it as PNG, TIFF, JPEG or DICOM."
_SLICES = "It holds numbers or slices rather than a radiograph. Export the picture that is meant as PNG or DICOM."
_UNPACK = "Unpack it first."
_VIDEO = "Save the picture that is meant as PNG."
# How a file begins -> what it is, what to do.
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"GIF8", "a GIF", _AS_PICTURE),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 file", _AS_PICTURE),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 codestream", _AS_PICTURE),
    (b"\0\0\0\x0cJXL ", "a JPEG XL file", _AS_PICTURE),
    (b"\xff\x0a", "a JPEG XL file", _AS_PICTURE),
    (b"\xff\xd8\xff\xf7", "a JPEG-LS file", _AS_PICTURE),
    (b"8BPS", "a Photoshop file", _AS_PICTURE),
    (b"\0\0\x01\0", "an icon", "Leave it out."),
    (b"\x93NUMPY", "a NumPy array", _SLICES),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _SLICES),
    (b"MATLAB 5.0", "a MATLAB file", _SLICES),
    (b"NRRD000", "an NRRD volume", _SLICES),
    (b"ObjectType", "a MetaImage header", _SLICES),
    (b"\x1f\x8b", "a file packed with gzip", _UNPACK),
    (b"PK\x03\x04", "a zip archive or an office document", "Unpack it first, or choose the images in it."),
    (b"BZh", "a file packed with bzip2", _UNPACK),
    (b"\xfd7zXZ\0", "a file packed with xz", _UNPACK),
    (b"(\xb5/\xfd", "a file packed with zstd", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"%PDF", "a PDF document", "Save the picture in it as PNG."),
    (b"%!PS", "a PostScript document", "Save the picture in it as PNG."),
    (b"{\\rtf", "a text document", "Leave it out."),
    (b"\xd0\xcf\x11\xe0", "an office document", "Leave it out, or save the picture in it as PNG."),
    (b"\0\x05\x16\x07", "what macOS notes beside a file", "Leave it out; the image itself lies elsewhere."),
    (b"RIFF", "a sound or a video", _VIDEO),
    (b"\x1a\x45\xdf\xa3", "a video", _VIDEO),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS, which stands for the image",
        "Fetch the images with: git lfs pull",
    ),
)
# At byte 4 of a box "ftyp": the brand.
_BRANDS = {b"avif": "an AVIF file", b"avis": "an AVIF file", b"heic": "a HEIC photograph", b"heix": "a HEIC photograph"}
_BRANDS |= {b"mif1": "a HEIF photograph", b"jp2 ": "a JPEG 2000 file"}
_MARKUP = re.compile(rb"^\s*<(!doctype html|html|head|body|script)", re.IGNORECASE)
_SVG = re.compile(rb"^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg", re.IGNORECASE | re.DOTALL)


def reason(content: bytes) -> str:
    """Why ``content`` is not read, and what to do: one or two sentences, without the file's name; nothing is quoted."""
    for beginning, what, todo in _BEGINNINGS:
        if content.startswith(beginning):
            return _said(what, todo)
    head = content[:4096]
    if head[4:8] == b"ftyp":
        return _said(_BRANDS.get(head[8:12], "a video"), _AS_PICTURE if head[8:12] in _BRANDS else _VIDEO)
    if head[344:348] in (b"n+1\0", b"ni1\0"):
        return _said("a NIfTI volume", _SLICES)
    if _SVG.match(head):
        return _said("a drawing (SVG)", _AS_PICTURE)
    if _MARKUP.match(head):
        return _said("a web page, perhaps the error page of a download", "Fetch the image again.")
    if _is_text(head):
        return _said("a text", "Leave it out; perhaps the image was not downloaded.")
    return f"{_NONE}. {EXPECTED}"


def _said(what: str, todo: str) -> str:
    return f"{_NONE}: it is {what}. {todo}"


def _is_text(head: bytes) -> bool:
    """Words without control characters, whatever the language; cut within a character it may be."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and all(sign.isprintable() or sign in "\t\r\n\f\ufeff" for sign in text)
