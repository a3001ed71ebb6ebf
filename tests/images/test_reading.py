"""One door for every image: what it lets in, and that it always gives the same pixels."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxr_core import images
from tests.images.files import encoded, gradient, noise

ODD_SIZES = [(40, 30), (30, 40), (224, 224), (256, 256), (257, 300), (511, 320), (1000, 700), (8, 9)]


def same(first: Image.Image, second: Image.Image) -> bool:
    return np.array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
def test_lossless_formats_give_the_same_pixels(format: str) -> None:
    content = encoded(gradient(), format)
    assert same(images.decode(content, "x"), gradient())
    assert images.inspect(content, "x") == images.ImageInfo(40, 30, "L", format, 8)


def test_lossless_webp_and_colour_are_grey() -> None:
    content = encoded(gradient().convert("RGB"), "WEBP", lossless=True)
    assert same(images.decode(content, "x"), gradient())
    assert images.inspect(content, "x").format == "WEBP"


def test_the_name_does_not_matter() -> None:
    content = encoded(gradient(), "PNG")
    assert images.inspect(content, "x.jpg").format == "PNG"
    assert np.array_equal(images.pixels(content, "x.jpg"), images.pixels(content, "y"))


@pytest.mark.parametrize(("top", "depth"), [(255, 8), (1000, 10), (4095, 12), (14000, 14), (65535, 16)])
def test_sixteen_bits_are_scaled_by_the_depth_in_use(top: int, depth: int) -> None:
    values = np.linspace(0, top, 40 * 30).round().astype(np.uint16).reshape(30, 40)
    for format in ("PNG", "TIFF"):
        content = encoded(Image.fromarray(values), format)
        expected = np.round(values * 255.0 / (2**depth - 1))
        assert np.abs(np.asarray(images.decode(content, "x"), float) - expected).max() <= 1
        assert images.inspect(content, "x").bits == 16


def test_float_tiff_is_stretched_and_nan_is_black() -> None:
    values = np.linspace(-3, 5, 1200, dtype=np.float32).reshape(30, 40)
    values[0, 1] = np.nan
    grey = np.asarray(images.decode(encoded(Image.fromarray(values), "TIFF"), "x"))
    assert (grey[0, 0], grey[0, 1], grey[-1, -1]) == (0, 0, 255)
    flat = encoded(Image.fromarray(np.full((30, 40), 7, np.float32)), "TIFF")
    assert not np.asarray(images.decode(flat, "x")).any()


def test_one_bit_palette_and_cmyk() -> None:
    mask = gradient().point(lambda value: 255 * (value > 100)).convert("1")
    assert set(np.unique(np.asarray(images.decode(encoded(mask, "PNG"), "x")))) == {0, 255}
    assert images.inspect(encoded(mask, "PNG"), "x").bits == 1
    assert same(images.decode(encoded(gradient().convert("P"), "PNG"), "x"), gradient())
    cmyk = images.decode(encoded(gradient().convert("RGB").convert("CMYK"), "JPEG", quality=100), "x")
    assert np.abs(np.asarray(cmyk, int) - np.asarray(gradient(), int)).mean() < 4


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_lies_over_black(mode: str) -> None:
    picture = Image.new("L", (40, 30), 200).convert(mode)
    alpha = Image.new("L", (40, 30), 255)
    alpha.paste(0, (0, 0, 20, 30))
    picture.putalpha(alpha)
    grey = np.asarray(images.decode(encoded(picture, "PNG"), "x"))
    assert (grey[:, :20] == 0).all()
    assert (grey[:, 20:] == 200).all()


def test_transparent_palette_colour_is_black() -> None:
    picture = Image.new("P", (40, 30), 1)
    picture.putpalette([9, 9, 9, 250, 250, 250])
    grey = np.asarray(images.decode(encoded(picture, "PNG", transparency=1), "x"))
    assert not grey.any()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, dict[str, Any]] = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}
    content = encoded(gradient().convert("RGB"), format, exif=exif, **options.get(format, {}))
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    upright = gradient() if orientation == 1 else gradient().transpose(Image.Transpose(turns[orientation]))
    grey = images.decode(content, "x")
    assert grey.size == upright.size
    assert np.abs(np.asarray(grey, int) - np.asarray(upright, int)).max() <= 3
    info = images.inspect(content, "x")
    assert (info.width, info.height) == upright.size


def test_damaged_camera_notes_do_not_hide_a_whole_picture() -> None:
    content = encoded(gradient(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff broken")
    assert images.decode(content, "x").size == (40, 30)


@pytest.mark.parametrize("size", ODD_SIZES)
@pytest.mark.parametrize("side", [224, 64])
def test_pixels_equal_torchvision(size: tuple[int, int], side: int) -> None:
    from torchvision.transforms import v2

    content = encoded(noise(3, *size), "PNG")
    short = round(side * 256 / 224)
    reference = v2.Compose([v2.Resize(short), v2.CenterCrop(side)])(images.decode(content, "x", side=short))
    assert np.array_equal(images.pixels(content, "x", size=side), np.asarray(reference))


def test_a_large_jpeg_is_decoded_small_but_never_below_twice_the_need() -> None:
    content = encoded(gradient(1600, 1200), "JPEG")
    assert images.decode(content, "x").size == (1600, 1200)
    assert images.decode(content, "x", side=256).size == (800, 600)
    assert same(images.decode(content, "x", side=256), images.decode(content, "y", side=256))


def test_views_depend_on_content_and_number_alone(tmp_path: Path) -> None:
    content = encoded(noise(5, 300, 260), "PNG")
    (tmp_path / "other name").write_bytes(content)
    again = images.read_bytes(tmp_path / "other name")
    for view in range(4):
        first = images.pixels(content, "a", view=view)
        assert first.shape == (224, 224)
        assert first.dtype == np.uint8
        assert np.array_equal(first, images.pixels(again, "b", view=view))
    views = {images.pixels(content, "a", size=32, view=view).tobytes() for view in range(6)}
    assert len(views) == 6


def test_views_stay_close_to_the_image() -> None:
    content = encoded(gradient(300, 260), "PNG")
    plain = images.pixels(content, "x").astype(int)
    flipped = 0
    for view in range(1, 21):
        seen = images.pixels(content, "x", view=view).astype(int)
        straight, mirrored = (np.abs(seen - other)[40:-40, 40:-40].mean() for other in (plain, plain[:, ::-1]))
        assert min(straight, mirrored) < 25
        flipped += bool(mirrored < straight)
    assert 4 <= flipped <= 16


def test_every_odd_file_is_read(real_data: Path) -> None:
    found = sorted((real_data / "odd-files").iterdir())
    assert len(found) == 8
    for path in found:
        content = images.read_bytes(path)
        info = images.inspect(content, path.name)
        assert images.decode(content, path.name).size == (info.width, info.height)
        assert images.pixels(content, path.name).std() > 10
    kinds = {path.name: images.inspect(path.read_bytes(), path.name).format for path in found}
    assert kinds["871.jpg"] == "PNG"
    assert kinds["794.jpg"] == "JPEG"
    with Image.open(BytesIO((real_data / "odd-files" / "374.PNG").read_bytes())) as opened:
        assert opened.mode == "RGBA"


def test_for_people_a_picture_in_colour_is_shown_in_colour_and_a_grey_one_grey() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    content = encoded(Image.fromarray(colours), "PNG")
    shown = images.decode(content, "x", colour=True)
    assert np.array_equal(np.asarray(shown), colours)
    assert np.array_equal(np.asarray(shown.convert("L")), np.asarray(images.decode(content, "x")))
    assert images.decode(encoded(Image.fromarray(colours), "JPEG"), "x", side=8, colour=True).mode == "RGB"
    clear = Image.new("RGBA", (8, 8), (200, 10, 10, 0))
    assert not np.asarray(images.decode(encoded(clear, "PNG"), "x", colour=True)).any()
    grey = encoded(gradient(), "PNG")
    assert images.decode(grey, "x", colour=True).mode == "L"
    assert np.array_equal(np.asarray(images.decode(grey, "x", colour=True)), np.asarray(images.decode(grey, "x")))
