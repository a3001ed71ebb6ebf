"""What the door refuses: other files, damaged files, files over a limit; and that nothing else comes out of it."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_core import images
from cxr_core.errors import ImageError
from cxr_core.images import limits
from tests.images.files import encoded, gradient, noise, png_header


def refused(content: bytes, match: str) -> None:
    """Both doors refuse the content, and name the file."""
    for door in (images.inspect, images.decode, images.pixels):
        with pytest.raises(ImageError, match=match) as caught:
            door(content, "film.png")
        assert str(caught.value).startswith("film.png: ")


def test_what_is_no_image_is_refused() -> None:
    refused(b"", "is empty")
    refused(b"patient;label\n1;NORMAL\n" * 20, "cannot be read as an image")
    refused(b"%PDF-1.7 " + bytes(500), "cannot be read as an image")
    refused(encoded(gradient(), "GIF"), "cannot be read as an image")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_a_file_cut_short_is_refused(format: str, share: float) -> None:
    content = encoded(noise(1, 200, 150), format)
    refused(content[: int(len(content) * share)], "cannot be decoded|cut short|cannot be read as an image")


def test_a_progressive_jpeg_cut_short_is_refused() -> None:
    content = encoded(noise(1, 200, 150), "JPEG", progressive=True)
    refused(content[: len(content) // 2], "cannot be decoded")


def test_a_png_with_one_changed_byte_is_refused() -> None:
    content = bytearray(encoded(noise(1, 200, 150), "PNG"))
    content[len(content) // 2] ^= 1
    refused(bytes(content), "checksum|cannot be read as an image")
    without_pixels = png_header(40, 30)
    refused(without_pixels, "cannot be decoded|cut short")


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})])
def test_animations_and_pages_are_refused(format: str, options: dict[str, bool]) -> None:
    frames = [noise(seed).convert("RGB") for seed in range(3)]
    content = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
    refused(content, "3 frames or pages")


def test_limits_come_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    refused(png_header(60000, 60000), "over the limit of 100 million")
    refused(png_header(12000, 9000), "12000 x 9000 pixels, over the limit of 100 million")
    refused(png_header(7, 500), "at least 8 on each side")
    refused(png_header(8, 100_000), "proportion of at most 20 to 1")
    monkeypatch.setattr(limits, "MAX_BYTES", 100)
    refused(encoded(noise(1), "PNG"), "over the limit of")


def test_read_bytes_refuses_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        images.read_bytes(tmp_path / "absent.png")
    with pytest.raises(ImageError, match="expected a file"):
        images.read_bytes(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="expected a file"):
        images.read_bytes(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    with pytest.raises(ImageError, match="is empty"):
        images.read_bytes(tmp_path / "empty")
    assert images.read_bytes(b"content") == b"content"


@settings(max_examples=150, deadline=None)
@given(
    format=st.sampled_from(["PNG", "JPEG", "TIFF", "BMP", "WEBP"]),
    at=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damaged_bytes_give_an_image_or_an_image_error(format: str, at: list[tuple[float, int]]) -> None:
    content = bytearray(encoded(gradient(), format))
    for where, value in at:
        content[int(where * len(content))] = value
    for door in (images.inspect, images.pixels):
        with suppress(ImageError):
            door(bytes(content), "x")
