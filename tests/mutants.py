"""Damaged files, the same for the same number: small real files of every kind that is read, changed a little.

    kind = KINDS["dicom"]
    kind.mutant(7)          # Seed(name, content): the seventh damaged DICOM file

A change is of bytes (a bit, a number, a piece cut out, doubled, swapped or put in from another file), and where bytes
alone would only meet the outermost check, of the structure: a PNG's checksums are made right again, JSON stays JSON.
"""

import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from tests.images.files import VALUES, encoded, gradient, noise, radiograph

Random = random.Random
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_VRS = (
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV ZZ".split()
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    "",
    "x",
    -1,
    0,
    1e308,
    float("nan"),
    10**30,
    [],
    {},
    [[]],
    {"": None},
    "\ud800",
    "\0",
    "x" * 5000,
)


@dataclass(frozen=True)
class Seed:
    """A file: its name and its content."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Kind:
    """Files of one kind. ``special``: a change that only makes sense in files of this kind, tried half of the time."""

    seeds: tuple[Seed, ...]
    special: Callable[[bytes, Random], bytes] = field(default=lambda content, dice: content)

    def mutant(self, number: int) -> Seed:
        """The damaged file of this number, the same each time."""
        dice = Random(number)
        seed = dice.choice(self.seeds)
        content = seed.content
        for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
            is_special = dice.random() < 0.5
            content = self.special(content, dice) if is_special else _bytes_changed(content, dice, self.seeds)
        return Seed(seed.name, content)


def _bytes_changed(content: bytes, dice: Random, others: tuple[Seed, ...]) -> bytes:
    if not content:
        return bytes(dice.randbytes(4))
    at = dice.randrange(len(content))
    # Headers decide more than what follows them.
    if dice.random() < 0.4:
        at = min(at, dice.randrange(256))
    end = min(len(content), at + dice.choice((1, 2, 4, 16, 200)))
    change = dice.randrange(8)
    if change == 0:
        return content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :]
    if change == 1:
        return content[:at] + dice.randbytes(end - at) + content[end:]
    if change == 2:
        number = struct.pack(dice.choice("<>") + dice.choice("HI"), dice.choice(_NUMBERS) & 0xFFFF)
        return content[:at] + number + content[at + len(number) :]
    if change == 3:
        return content[:at]
    if change == 4:
        return content[:at] + content[end:]
    if change == 5:
        return content[:end] + content[at:]
    if change == 6:
        return content[:at] + bytes(end - at) + content[end:]
    other = dice.choice(others).content
    start = dice.randrange(max(1, len(other)))
    return content[:at] + other[start : start + end - at] + content[end:]


def _vr_changed(content: bytes, dice: Random) -> bytes:
    """A DICOM element stored in another way, or of another length, than it says."""
    places = [at for at in range(132, len(content) - 8) if content[at + 4 : at + 6] in _VRS]
    if not places:
        return content
    at = dice.choice(places) + 4
    if dice.random() < 0.6:
        return content[:at] + dice.choice(_VRS) + content[at + 2 :]
    return content[: at + 2] + struct.pack("<H", dice.choice(_NUMBERS) & 0xFFFF) + content[at + 4 :]


def _png_changed(content: bytes, dice: Random) -> bytes:
    """One byte of a chunk changed, its checksum right again: so that more than the checksum is asked."""
    chunks, at = [], 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return content
    number = dice.randrange(len(chunks))
    kind, body = chunks[number]
    place = dice.randrange(len(body) or 1)
    chunks[number] = (kind, body[:place] + dice.randbytes(1) + body[place + 1 :])
    joined = content[:8]
    for kind, body in chunks:
        joined += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return joined


def _json_changed(content: bytes, dice: Random) -> bytes:
    """A value of a JSON document replaced by one of another kind, left out, or nested without end."""
    head, _, last = content.rstrip().rpartition(b"\n") if content.count(b"\n{") else (b"", b"", content)
    try:
        document = json.loads(last)
    except (ValueError, RecursionError):
        return content
    if dice.random() < 0.05:
        return b"[" * 100_000
    holder: Any = None
    key: Any = None
    here = document
    while isinstance(here, dict | list) and here and (holder is None or dice.random() < 0.7):
        holder, key = here, dice.choice(list(here) if isinstance(here, dict) else range(len(here)))
        here = here[key]
    value: Any = dice.choice(_VALUES)
    if holder is None:
        document = value
    elif dice.random() < 0.25:
        del holder[key]
    else:
        holder[key] = value
    return (head + b"\n" if head else b"") + json.dumps(document).encode() + b"\n"


def _cell_changed(content: bytes, dice: Random) -> bytes:
    """A cell of a CSV table replaced."""
    lines = content.split(b"\n")
    number = dice.randrange(len(lines))
    cells = lines[number].split(b",")
    cells[dice.randrange(len(cells))] = dice.choice(
        (
            b"",
            b'"',
            b'"a\nb"',
            b"nan",
            b"1e400",
            b"-1",
            b"\xff",
            b"\0",
            b"../../etc/passwd",
            b"/",
            b"x" * 200_000,
            b"=1+1",
        )
    )
    return b"\n".join([*lines[:number], b",".join(cells), *lines[number + 1 :]])


def zipped(method: int, files: dict[str, bytes], stream: bool = False, zip64: bool = False) -> bytes:
    """A zip of these files. ``stream``: sizes stand behind the content, as where the writer could not go back."""

    class Stream(BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError("cannot go back")

    buffer = Stream() if stream else BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=zip64) as file:
                file.write(content)
    return buffer.getvalue()


def _named(extension: str, *contents: bytes) -> tuple[Seed, ...]:
    return tuple(Seed(f"{number}.{extension}", content) for number, content in enumerate(contents))


def _dicom() -> tuple[Seed, ...]:
    lut = pydicom.Dataset()
    lut.LUTDescriptor, lut.LUTData = [256, 0, 16], bytes(512)
    tables: dict[str, Any] = {"ModalityLUTSequence": [lut], "VOILUTSequence": [lut]}
    window: dict[str, Any] = {
        "WindowCenter": ["2000", "100"],
        "WindowWidth": ["4000", "1"],
        "RescaleSlope": "2",
        "RescaleIntercept": "-1",
    }
    eight = (VALUES // 16).astype(np.uint8)
    signed = VALUES.astype(np.int16) - 2000
    jpeg = radiograph(eight, 8)
    return _named(
        "dcm",
        *(radiograph(), radiograph(eight, 8), radiograph(signed, 12, **window), radiograph(PatientAge="044Y")),
        *(
            radiograph(syntax=syntax)
            for syntax in (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless)
        ),
        *(
            radiograph(syntax=ExplicitVRBigEndian),
            radiograph(**tables),
            radiograph(PhotometricInterpretation="MONOCHROME1"),
        ),
        *(_encapsulated(jpeg, "1.2.840.10008.1.2.4.50", encoded(gradient(), "JPEG")), jpeg),
        _encapsulated(radiograph(eight, 8), str(JPEG2000Lossless), encoded(gradient(), "JPEG2000")),
    )


def _encapsulated(plain: bytes, syntax: str, frame: bytes) -> bytes:
    dataset = pydicom.dcmread(BytesIO(plain))
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    dataset.PixelData = pydicom.encaps.encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _pictures(format: str, *options: dict[str, Any]) -> tuple[Seed, ...]:
    grey = gradient()
    colour = Image.merge("RGB", (grey, noise(1), noise(2)))
    return _named(format.lower(), *(encoded(p, format, **each) for each in options or ({},) for p in (grey, colour)))


def _tiffs() -> tuple[Seed, ...]:
    deep = Image.fromarray(VALUES)
    floats = Image.fromarray(VALUES.astype(np.float32))
    kinds: tuple[dict[str, Any], ...] = (
        {},
        {"compression": "tiff_lzw"},
        {"compression": "tiff_adobe_deflate"},
        {"compression": "packbits"},
    )
    more = [
        encoded(deep, "TIFF"),
        encoded(floats, "TIFF"),
        encoded(gradient().convert("1"), "TIFF", compression="group4"),
    ]
    return (*_pictures("TIFF", *kinds, {"compression": "jpeg"}), *_named("tiff", *more))


def _pngs() -> tuple[Seed, ...]:
    deep = Image.fromarray(VALUES)
    more = [
        encoded(deep, "PNG"),
        encoded(gradient().convert("P"), "PNG", transparency=3),
        encoded(gradient().convert("LA"), "PNG"),
    ]
    return (*_pictures("PNG"), *_named("png", *more))


def _jpegs() -> tuple[Seed, ...]:
    turned = Image.Exif()
    turned[0x0112] = 6
    return _pictures("JPEG", {}, {"progressive": True}, {"exif": turned}, {"restart_marker_rows": 1})


def _zips() -> tuple[Seed, ...]:
    files = {f"set/{label}/{number}.png": encoded(noise(number), "PNG") for label in "AB" for number in range(2)}
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    plain = [zipped(method, files) for method in methods]
    return _named("zip", *plain, zipped(zipfile.ZIP_DEFLATED, files, stream=True), zipped(0, files, zip64=True))


_TABLES = (
    Seed(
        "table.csv",
        b"file,label,patient,source,split,age\n"
        + b"".join(
            b"%d.png,%s,p%d,s,%s,4%d\n" % (n, b"AB"[n % 2 :][:1], n, b"test" if n > 3 else b"train", n)
            for n in range(6)
        ),
    ),
    Seed(
        "table.csv",
        b"Image Index,Finding Labels,Patient ID,Patient Age\n"
        + b"".join(b"%d.png,No Finding,%d,044Y\n" % (n, n) for n in range(6)),
    ),
    Seed(
        "sources.csv",
        b"file,patient,source,age\n" + b"".join(b'A/%d.png,p%d,"s, %d",1%d\n' % (n, n, n, n) for n in range(3)),
    ),
)

KINDS: dict[str, Kind] = {
    "dicom": Kind(_dicom(), _vr_changed),
    "png": Kind(_pngs(), _png_changed),
    "jpeg": Kind(_jpegs()),
    "tiff": Kind(_tiffs()),
    "bmp": Kind(_pictures("BMP")),
    "webp": Kind(_pictures("WEBP", {}, {"lossless": True})),
    "zip": Kind(_zips()),
    "table": Kind(_TABLES, _cell_changed),
}


def json_kind(files: dict[str, bytes]) -> Kind:
    """The files of a run or a cache, by their name: JSON, and tables among them."""

    def changed(content: bytes, dice: Random) -> bytes:
        return _json_changed(content, dice) if content[:1] in (b"{", b"[") else _cell_changed(content, dice)

    return Kind(tuple(Seed(name, content) for name, content in files.items()), changed)
