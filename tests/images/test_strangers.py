"""Files that are no image that is read: each is told what it is and what to do."""

import gzip
import io

import numpy as np
import pytest

from cxr_core import images
from cxr_core.errors import ImageError
from tests.images.files import encoded, gradient


def numpy_file() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((9, 9)))
    return buffer.getvalue()


STRANGERS: dict[str, tuple[bytes, str]] = {
    "GIF": (encoded(gradient(), "GIF"), "a GIF. Export it as PNG"),
    "JPEG 2000": (encoded(gradient(), "JPEG2000"), "JPEG 2000 file. Export"),
    "AVIF": (b"\0\0\0\x1cftypavif" + bytes(300), "an AVIF file. Export"),
    "HEIC": (b"\0\0\0\x1cftypheic" + bytes(300), "HEIC photograph. Export"),
    "video": (b"\0\0\0\x1cftypmp42" + bytes(300), "a video"),
    "NIfTI": (bytes(344) + b"n+1\0" + bytes(400), "NIfTI volume"),
    "NumPy": (numpy_file(), "NumPy array"),
    "gzip": (gzip.compress(b"any"), "gzip. Unpack it first"),
    "PDF": (b"%PDF-1.7 " + bytes(500), "PDF document. Save the picture in it as PNG"),
    "web page": (b"\n<!DOCTYPE html><html><body>404 Not Found</body></html>", "web page.*Fetch the image again"),
    "SVG": (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "drawing"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
    "zip": (b"PK\x03\x04" + bytes(100), "zip archive"),
    "macOS": (b"\0\x05\x16\x07" + bytes(100), "macOS notes beside a file"),
    "text": ("Röntgen;Befund\n1;normal\n".encode() * 300, "a text"),
    "nothing known": (np.random.default_rng(0).bytes(3000), "Expected PNG, JPEG, TIFF, BMP, WebP or DICOM"),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_file_of_another_kind_is_named(kind: str) -> None:
    content, said = STRANGERS[kind]
    with pytest.raises(ImageError, match=f"^film: cannot be read as an image.*{said}") as caught:
        images.inspect(content, "film")
    with pytest.raises(ImageError) as again:
        images.decode(content, "film")
    assert str(again.value) == str(caught.value)


def test_nothing_of_a_text_is_quoted() -> None:
    with pytest.raises(ImageError) as caught:
        images.inspect(b"Patient: Jane Doe, born 1950\n" * 9, "film")
    assert "Jane" not in str(caught.value)
