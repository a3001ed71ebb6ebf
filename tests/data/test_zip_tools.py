"""Zips as tools make them: what is harmless and unambiguous is unpacked, the rest refused with the reason that fits."""

import errno
import shutil
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from cxr_core.data import archive
from cxr_core.data.archive import unpack
from cxr_core.data.dataset import scan
from cxr_core.data.unpacked import unpacked_zips
from cxr_core.data.uploads import members
from cxr_core.errors import DatasetError, ImageError
from tests.images.files import encoded, noise
from tests.mutants import zipped

UNIX, DOS = 3, 0


def picture(number: int) -> bytes:
    return encoded(noise(number), "PNG")


def made(*entries: tuple[str | bytes, bytes], system: int = UNIX, attributes: int = 0, extra: bytes = b"") -> bytes:
    """A zip of these entries; a name in bytes is written as it is, without the sign for UTF-8."""
    buffer, raw = BytesIO(), {}
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as file:
        warnings.simplefilter("ignore")
        for number, (name, content) in enumerate(entries):
            info = zipfile.ZipInfo("x")
            if isinstance(name, bytes):
                info.filename = f"#{number}".ljust(len(name), "#")
                raw[info.filename.encode()] = name
            else:
                info.filename = name
            info.create_system, info.external_attr, info.extra = system, attributes, extra
            file.writestr(info, content)
    content = buffer.getvalue()
    for placeholder, name in raw.items():
        assert content.count(placeholder) == 2
        content = content.replace(placeholder, name)
    return content


def images(prefix: str = "set/", start: int = 0) -> list[tuple[str | bytes, bytes]]:
    return [(f"{prefix}{label}/{n}.png", picture(start + 10 * k + n)) for k, label in enumerate("AB") for n in range(3)]


def counted(content: bytes) -> dict[str, int]:
    return scan(unpack(content, "x.zip")).samples["label"].value_counts().to_dict()


HARMLESS: dict[str, bytes] = {
    "folders as Windows writes them": made(("set\\", b""), ("set\\A\\", b""), ("set\\B\\", b""), *images("set\\")),
    "folders without a sign": made(("set", b""), ("set/A", b""), ("set/B", b""), *images()),
    "folders with a size": made(("set/", b"\0" * 4096), ("set/A/", b"x"), *images()),
    "dots": made(*images("./set/./")),
    "doubled slashes": made(*images("set//x//")),
    "macOS": made(
        *images(), ("__MACOSX/set/A/._0.png", b"\0\5\x16\7"), ("set/.DS_Store", b"Bud1"), ("set/Thumbs.db", b"")
    ),
    "a zip beside images": made(*images(), ("set/masks.zip", made(*images()))),
    "Zip64": zipped(zipfile.ZIP_DEFLATED, {str(name): content for name, content in images()}, zip64=True),
    "sizes behind the content": zipped(zipfile.ZIP_DEFLATED, {str(n): c for n, c in images()}, stream=True),
    "something before it": b"#!/bin/sh\nexit\n" + made(*images()),
    "a comment": made(*images())[:-2] + b"\x05\0hello",
    "a time as name": made(*images("set/"), ("set/A/12:30.png", picture(50))),
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_is_harmless_is_unpacked(kind: str) -> None:
    found = counted(HARMLESS[kind])
    assert found == {"A": 3 + (kind == "a time as name"), "B": 3}


def test_an_entry_marked_as_folder_is_none_to_predict_either() -> None:
    content = made(("set\\", b""), ("set\\A\\", b""), ("set", b""), ("set\\a.png", picture(0)), system=DOS)
    assert [member.name for member in members("x.zip", content, "k")] == ["a.png"]
    marked = made(("set", b""), system=DOS, attributes=0x10)
    with pytest.raises(ImageError, match="holds no files"):
        members("x.zip", marked, "k")
    with pytest.raises(DatasetError, match="holds no files"):
        unpack(made(("set", b""), attributes=(stat.S_IFDIR | 0o755) << 16), "x.zip")


NAMES: dict[str, tuple[bytes, int, str]] = {
    "UTF-8 without its sign": ("Épanchement".encode(), UNIX, "Épanchement"),
    "UTF-8 of Windows": ("肺炎".encode(), DOS, "肺炎"),
    "macOS, decomposed": ("E\u0301panchement".encode(), UNIX, "E\u0301panchement"),
    "code page 437": (b"Lungenentz\x81ndung", DOS, "Lungenentzündung"),
    "code page 1252": (b"Lungenentz\xfcndung", UNIX, "Lungenentzündung"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_are_read_as_they_were_meant(kind: str) -> None:
    raw, system, meant = NAMES[kind]
    content = made(*[(raw + b"/%d.png" % n, picture(n)) for n in range(2)], ("B/0.png", picture(5)), system=system)
    assert counted(content) == {meant: 2, "B": 1}
    shown = [member.name for member in members("x.zip", made((b"x/" + raw, b"1"), system=system), "k")]
    assert shown == [meant]


def test_a_name_in_the_extra_field_counts_where_it_belongs_to_the_entry() -> None:
    raw, meant = b"A\x90", "Aé"

    def content(checked: bytes) -> bytes:
        body = b"\x01" + struct.pack("<I", zlib.crc32(checked)) + meant.encode()
        return made((raw, b"1"), system=DOS, extra=struct.pack("<HH", 0x7075, len(body)) + body)

    assert [member.name for member in members("x.zip", content(raw), "k")] == [meant]
    # 0x90 is É in code page 437: a name that was changed since is not overruled.
    assert [member.name for member in members("x.zip", content(b"other"), "k")] == ["AÉ"]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "absolute": (lambda: made(*images("/srv/set/")), r"leads out of the archive \(its name is an absolute path\)"),
    "a drive": (lambda: made(*images("C:\\Users\\me\\")), r"leads out of the archive \(its name begins with a drive\)"),
    "a share": (lambda: made(*images("\\\\server\\share\\")), r"\(its name is an absolute path\)"),
    "climbing": (lambda: made(*images("set/../../")), r"\(its name holds '\.\.'\)"),
    "a newer version": (
        lambda: made(*images(), ("set/A/0.png", picture(9))),
        r"same name, 'set/A/0\.png'.*newer version",
    ),
    "written twice": (lambda: made(*images("a/"), *images("a\\")), "same name"),
    "file and folder": (lambda: made(("A/1.png", picture(1)), ("A/1.png/2.png", picture(2))), "same name here"),
    "only a zip": (
        lambda: made(("set.zip", made(*images())), ("README.txt", b"hi")),
        r"no images but an archive, 'set\.zip'\.",
    ),
    "only archives": (lambda: made(("a.7z", b"7z"), ("b.tar.gz", b"gz")), r"an archive, 'a\.7z' and 1 more"),
    "a long name": (lambda: made(*images(), ("set/A/" + "x" * 300 + ".png", picture(1))), "cannot store"),
    "a name of nothing": (lambda: made(*images(), ("", picture(1))), "it has no name"),
    "no zip": (lambda: b"Rar!\x1a\x07\x01\x00" + bytes(200), "expected a whole, plain zip"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_the_rest_is_refused_with_its_reason(kind: str) -> None:
    content, reason = REFUSED[kind]
    with pytest.raises(DatasetError, match=reason) as refused:
        unpack(content(), "x.zip")
    assert str(refused.value).startswith("x.zip: ")
    assert len(str(refused.value)) < 330
    assert unpacked_zips() == []


def test_names_that_only_some_disks_tell_apart(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    content = made(*images(), ("set/A/scan.png", picture(20)), ("set/A/SCAN.png", picture(21)))
    if (tmp_path / "A").exists():
        with pytest.raises(DatasetError, match="differ in case alone"):
            unpack(content, "x.zip")
    else:
        assert counted(content) == {"A": 5, "B": 3}


def test_spaces_at_the_end_of_a_name_stay_where_they_can() -> None:
    files = [path.name for path in unpack(made(*images(), ("set/A /4.png", picture(4))), "x.zip").iterdir()]
    assert sorted(files) == ["A", "A ", "B"]


def test_to_predict_the_later_of_two_versions_is_read() -> None:
    older, newer = members("x.zip", made(("a.png", picture(1)), ("a.png", picture(2))), "k")
    assert newer.content() == picture(2)
    with pytest.raises(ImageError, match=r"a\.png: x\.zip holds a later file of the same name"):
        older.content()


def test_entries_that_lie_on_top_of_each_other_are_a_bomb() -> None:
    content = zipped(zipfile.ZIP_DEFLATED, {"A/0.png": bytes(3 * 2**20)})
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[start:end]
    entries = b"".join(entry.replace(b"A/0.png", b"A/%d.png" % n) for n in range(10)) * 3
    directory = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 30, 30, len(entries), start, 0)
    with pytest.raises(DatasetError, match="MiB when unpacked"):
        unpack(content[:start] + entries + directory, "x.zip")


def test_a_full_disk_says_where_and_how_much(monkeypatch: pytest.MonkeyPatch, isolated: Path) -> None:
    content = made(*images())
    room = SimpleNamespace(total=10 * 2**20, used=0, free=100)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda folder: room)
        with pytest.raises(DatasetError, match=rf"needs \d+ MiB in {isolated}/data/uploads, where 0 MiB are free"):
            unpack(content, "x.zip")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        # Somebody else filled it meanwhile.
        patch.setattr(archive, "_write", full)
        with pytest.raises(DatasetError, match=r"needs \d+ MiB in .*Nothing of it was kept"):
            unpack(content, "x.zip")
    assert list((isolated / "data" / "uploads").iterdir()) == []
    assert counted(content) == {"A": 3, "B": 3}
