"""PNG and TIFF beyond 8 bits: every way to store one radiograph gives the picture that its plain copy gives."""

import contextlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile

from cxr_core import images
from cxr_core.errors import CutShortError, ImageError
from cxr_core.images.gate import questioned

SIDE = 48


def film(top: int = 4095) -> np.ndarray:
    """A picture different in every direction that uses 0 to ``top``, uint16 (48, 48)."""
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    waves = np.sin(down / 5) + np.cos(across / 7) + (down + 2 * across) / SIDE
    return np.round((waves - waves.min()) / np.ptp(waves) * top).astype(np.uint16)


def expected(values: np.ndarray, white: float) -> np.ndarray:
    """By the definition: 0 is black, ``white`` is 255."""
    return np.clip(np.round(values.astype(float) * 255 / white), 0, 255)


def png(values: np.ndarray, *chunks: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG of (H, W, channels), written by hand; ``chunks`` before the pixels."""
    height, width, channels = values.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = b"".join(b"\0" + row.tobytes() for row in values.astype(">u2").reshape(height, -1))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)), *chunks]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(values: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


def shown(content: bytes) -> np.ndarray:
    info = images.inspect(content, "x")
    picture = images.decode(content, "x")
    assert picture.mode == "L"
    assert picture.size == (info.width, info.height)
    return np.asarray(picture, float)


def repeated(values: np.ndarray, times: int = 3) -> np.ndarray:
    return np.repeat(values[..., None], times, axis=2)


OPAQUE = np.full((SIDE, SIDE, 1), 65535, np.uint16)
TWELVE = film()
FULL = film(65535)
WAYS: dict[str, tuple[bytes, int]] = {
    "PNG, RGB": (png(repeated(TWELVE)), 4095),
    "PNG, RGB, 16 bits": (png(repeated(FULL)), 65535),
    "PNG, RGBA": (png(np.dstack([repeated(TWELVE), OPAQUE])), 4095),
    "PNG, RGBA, 12-bit alpha": (png(np.dstack([repeated(TWELVE), OPAQUE // 16])), 4095),
    "PNG, grey and alpha": (png(np.dstack([TWELVE, OPAQUE])), 4095),
    "PNG, grey": (png(TWELVE[..., None]), 4095),
    "PNG, RGB, an opaque colour named": (png(repeated(TWELVE), (b"tRNS", b"\xff\xf0\0\1\0\2")), 4095),
    "TIFF, RGB": (tiff(repeated(TWELVE), photometric="rgb"), 4095),
    "TIFF, RGB, LZW, predictor": (tiff(repeated(TWELVE), photometric="rgb", compression="lzw", predictor=True), 4095),
    "TIFF, RGB, Deflate, tiles": (tiff(repeated(TWELVE), photometric="rgb", compression="zlib", tile=(16, 16)), 4095),
    "TIFF, RGB, PackBits": (tiff(repeated(TWELVE), photometric="rgb", compression="packbits"), 4095),
    "TIFF, RGB, planes": (
        tiff(np.moveaxis(repeated(TWELVE), 2, 0), photometric="rgb", planarconfig="separate"),
        4095,
    ),
    "TIFF, RGB, big endian": (tiff(repeated(TWELVE), photometric="rgb", byteorder=">"), 4095),
    "BigTIFF, RGB": (tiff(repeated(TWELVE), photometric="rgb", bigtiff=True), 4095),
    "TIFF, RGBA": (
        tiff(np.dstack([repeated(TWELVE), OPAQUE]), photometric="rgb", extrasamples=["unassalpha"]),
        4095,
    ),
    "TIFF, white is zero": (tiff(65535 - FULL, photometric="miniswhite"), 65535),
    "TIFF, white is zero, 12 bits": (tiff(4095 - TWELVE, photometric="miniswhite"), 4095),
    "TIFF, white is zero, 12 bits at the upper end of 16": (tiff(65535 - TWELVE, photometric="miniswhite"), 4095),
    "TIFF, 32 bits": (tiff(FULL.astype(np.uint32) * 65537, photometric="minisblack"), 65535),
    "TIFF, 32 bits that hold 12": (tiff(TWELVE.astype(np.uint32), photometric="minisblack"), 4095),
    "TIFF, 32 bits, white is zero": (tiff(2**32 - 1 - FULL.astype(np.uint32) * 65537, photometric="miniswhite"), 65535),
    "TIFF, 64 bits": (tiff(TWELVE.astype(np.uint64), photometric="minisblack"), 4095),
    "TIFF, signed": (tiff(TWELVE.astype(np.int16), photometric="minisblack"), 4095),
    "TIFF, floats of 64 bits": (tiff(TWELVE / 7, photometric="minisblack"), 4095),
    "TIFF, floats of 16 bits": (tiff((TWELVE / 4095).astype(np.float16), photometric="minisblack"), 4095),
    "TIFF, floats, white is zero": (tiff(9 - TWELVE / 455, photometric="miniswhite"), 4095),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_store_a_picture_shows_the_same(way: str) -> None:
    content, white = WAYS[way]
    values = FULL if white == 65535 else TWELVE
    assert np.abs(shown(content) - expected(values, white)).max() <= 1
    doubt = questioned(content, "x", images.pixels(content, "x"))
    # Waves are no chest, but neither blank nor inverted.
    assert doubt is None or doubt.kind in ("unlike", "no detail")


def test_the_facts_say_how_deep_it_is() -> None:
    assert images.inspect(WAYS["PNG, RGB"][0], "x") == images.ImageInfo(SIDE, SIDE, "RGB", "PNG", 16)
    assert images.inspect(WAYS["TIFF, RGB"][0], "x") == images.ImageInfo(SIDE, SIDE, "RGB", "TIFF", 16)
    assert images.inspect(WAYS["TIFF, 32 bits"][0], "x").bits == 32
    assert images.inspect(WAYS["TIFF, floats of 64 bits"][0], "x") == images.ImageInfo(SIDE, SIDE, "F", "TIFF", 64)


def test_colour_of_16_bits_becomes_luma_and_stays_colour_for_people() -> None:
    colours = np.dstack([film(), film()[::-1], film()[:, ::-1]])
    luma = colours @ np.array([0.299, 0.587, 0.114])
    for content in (png(colours), tiff(colours, photometric="rgb")):
        assert np.abs(shown(content) - expected(luma, 4095)).max() <= 1
        seen = np.asarray(images.decode(content, "x", colour=True), float)
        assert np.abs(seen - expected(colours, 4095)).max() <= 1


def test_what_is_transparent_is_black_and_does_not_say_how_deep_the_picture_is() -> None:
    clear = np.zeros((SIDE, SIDE), bool)
    clear[:, :20] = True
    values = np.where(clear, 65535, TWELVE)
    alpha = np.where(clear, 0, 65535)
    wanted = expected(np.where(clear, 0, TWELVE), 4095)
    for content in (
        png(np.dstack([repeated(values), alpha])),
        png(np.dstack([values, alpha])),
        png(values[..., None], (b"tRNS", b"\xff\xff")),
        tiff(np.dstack([repeated(values), alpha]).astype(np.uint16), photometric="rgb", extrasamples=["unassalpha"]),
    ):
        assert np.abs(shown(content) - wanted).max() <= 1


def test_black_ink_on_clear_film_is_read_on_white() -> None:
    from PIL import Image

    alpha = film(255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([*[np.zeros_like(alpha)] * 3, alpha])).save(buffer, "PNG")
    deep = png(np.dstack([np.zeros((SIDE, SIDE, 3), np.uint16), FULL]))
    for content, ink in ((buffer.getvalue(), alpha / 255), (deep, FULL / 65535)):
        assert np.abs(shown(content) - 255 * (1 - ink)).max() <= 1


def test_a_declared_depth_decides_where_the_numbers_fit_it() -> None:
    dim = film(3000)
    # Below half of a declared depth white is the picture's brightest; of 12 bits it uses 0.73, and white lies between.
    between = 3000 / (1 - 0.2 * (3000 / 4095 - 0.5) / 0.3)
    said = (b"sBIT", bytes([14, 14, 14]))

    def tagged(top: int) -> bytes:
        return tiff(repeated(dim), photometric="rgb", extratags=[(281, 3, 3, (top,) * 3, True)])

    for content, white in (
        (png(repeated(dim)), between),
        (png(repeated(dim), said), 3000),
        (tiff(repeated(dim), photometric="rgb"), between),
        (tagged(2**14 - 1), 3000),
        # A tag that the numbers contradict says nothing, nor does one that says the storage's size.
        (tagged(255), between),
        (tagged(65535), between),
    ):
        assert np.abs(shown(content) - expected(dim, white)).max() <= 1
    # As the standard of PNG wants it: numbers of 14 bits, scaled up to 16.
    assert np.abs(shown(png(repeated(film(65532)), said)) - expected(film(65532), 65535)).max() <= 1


def test_pictures_that_use_a_little_more_or_less_of_a_depth_look_alike() -> None:
    looks = [shown(tiff(repeated(film(top)), photometric="rgb")) for top in (1000, 1020, 1030, 1100, 2000)]
    assert all(np.abs(look - looks[0]).max() <= 8 for look in looks[1:])


def test_a_stray_pixel_does_not_decide_the_depth() -> None:
    stray = TWELVE.copy()
    stray[0, 0] = 65535
    plain = shown(png(repeated(TWELVE)))[1:]
    assert np.abs(shown(png(repeated(stray)))[1:] - plain).max() <= 30


@pytest.mark.parametrize(("orientation", "turned"), [(3, "[::-1, ::-1]"), (6, "rot"), (8, "anti")])
def test_a_deep_tiff_is_turned_too(orientation: int, turned: str) -> None:
    values = np.round(TWELVE[:, :30] * (4095 / TWELVE[:, :30].max())).astype(np.uint16)
    content = tiff(repeated(values), photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    upright = {3: values[::-1, ::-1], 6: np.rot90(values, -1), 8: np.rot90(values)}[orientation]
    assert np.abs(shown(content) - expected(upright, 4095)).max() <= 1, turned


@pytest.mark.parametrize(
    "content",
    [
        tiff(np.zeros((SIDE, SIDE, 4), np.uint16), photometric="separated"),
        tiff(TWELVE.astype(complex), photometric="minisblack"),
        tiff(np.zeros((SIDE, SIDE, 5), np.uint16), photometric="minisblack", planarconfig="contig"),
    ],
    ids=["CMYK", "complex", "five samples"],
)
def test_other_tiffs_are_refused_with_what_they_are(content: bytes) -> None:
    with pytest.raises(ImageError, match="this TIFF is of a kind that is not read"):
        images.inspect(content, "x.tif")


def test_pages_sizes_and_missing_ends() -> None:
    with pytest.raises(ImageError, match="2 frames or pages"):
        images.inspect(tiff(np.stack([TWELVE / 7, TWELVE / 7]), photometric="minisblack"), "x")
    with pytest.raises(ImageError, match="at least 8 on each side"):
        images.inspect(tiff(np.zeros((4, 40, 3), np.uint16), photometric="rgb"), "x")
    whole = tiff(repeated(TWELVE), photometric="rgb", compression="lzw", rowsperstrip=8)
    for content in (whole, tiff(TWELVE / 7), WAYS["PNG, RGB"][0]):
        with pytest.raises(CutShortError):
            images.inspect(content[: len(content) * 3 // 4], "x")


def test_the_steps_say_what_was_done() -> None:
    steps = images.decoded(WAYS["TIFF, white is zero"][0], "x").steps
    assert [step.kind for step in steps] == ["file", "inversion", "range"]
    assert "TIFF, 48 x 48 pixels, I;16, 16 bits" in steps[0].text
    steps = images.decoded(WAYS["PNG, RGBA"][0], "x").steps
    assert [step.kind for step in steps] == ["file", "colour", "colour", "range"]
    assert steps[-1].numbers["highest"] == 4095


@pytest.mark.parametrize("compression", ["lzw", "packbits", "zlib"])
def test_damaged_numbers_never_end_the_process(compression: str) -> None:
    """The decoder of LZW runs into memory that is not its own on some of these; it does so in another process."""
    whole = tiff(TWELVE / 7, compression=compression)
    random = np.random.default_rng(5)
    for _ in range(30):
        damaged = bytearray(whole)
        for at in random.integers(200, len(whole), 6):
            damaged[at] = random.integers(0, 256)
        with contextlib.suppress(ImageError):
            images.decode(bytes(damaged), "x")
