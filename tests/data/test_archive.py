"""Uploaded zips: the data set in them is found, and no archive reaches beyond its own folder or the limits."""

import errno
import stat
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from cxr_core.data import archive
from cxr_core.data.archive import unpack
from cxr_core.data.dataset import scan
from cxr_core.errors import DatasetError
from cxr_core.settings import data_dir
from tests.images.files import encoded, noise

PICTURE = encoded(noise(1), "PNG")


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def nothing_left() -> bool:
    uploads = data_dir() / "uploads"
    return not uploads.exists() or not list(uploads.iterdir())


def data_set(prefix: str = "") -> dict[str, bytes]:
    return {
        f"{prefix}{split}/{label}/{number}.png": encoded(noise(hash((split, label, number)) % 1000), "PNG")
        for split in ("train", "test")
        for label in ("A", "B")
        for number in range(2)
    }


@pytest.mark.parametrize("prefix", ["", "covid-cxr/", "a/b/c/", "windows\\folder\\"])
def test_the_data_set_is_found_under_its_wrapping_folders(prefix: str) -> None:
    extra = {"__MACOSX/._x": b"x", f"{prefix}.DS_Store": b"x"}
    root = unpack(packed(data_set(prefix) | extra), "covid cxr (1).zip")
    found = scan(root)
    assert found.counts().to_numpy().tolist() == [[2, 2], [2, 2]]
    assert (data_dir() / "uploads" / "covid-cxr-1").parent in root.parents
    assert not list(root.rglob(".DS_Store"))


@pytest.mark.parametrize("name", ["../../etc/x.zip", "", "..", "C:\\evil\\x.zip", "x" * 500, "日本.zip", "."])
def test_the_name_is_never_a_path(name: str) -> None:
    root = unpack(packed(data_set()), name)
    assert root.parent == data_dir() / "uploads"
    assert len(scan(root).samples) == 8


def test_a_single_class_or_split_folder_stays() -> None:
    assert scan(unpack(packed({"COVID19/1.png": PICTURE}), "one.zip")).classes == ["COVID19"]
    assert scan(unpack(packed({"train/A/1.png": PICTURE, "train/B/1.png": PICTURE}), "x.zip")).splits == ["train"]
    table = {"set/table.csv": b"file,label\nimg/1.png,A\n", "set/img/1.png": PICTURE}
    assert scan(unpack(packed(table), "table.zip")).layout == "table"


def test_the_same_archive_is_unpacked_once_and_from_a_file_too(tmp_path: Path) -> None:
    content = packed(data_set())
    first = unpack(content, "x.zip")
    (first / "train" / "mark").touch()
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with path.open("rb") as file:
        assert unpack(file, "x.zip") == first
    assert (first / "train" / "mark").exists()


@pytest.mark.parametrize(
    "name", ["../x.png", "A/../../x.png", "/etc/x.png", "..\\x.png", "C:\\x.png", "C:/x.png", "A/../x.png"]
)
def test_entries_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(DatasetError, match="leads out of the archive"):
        unpack(packed({"A/1.png": PICTURE, name: PICTURE}), "x.zip")
    assert nothing_left()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(kind: int) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        entry = zipfile.ZipInfo("A/link.png")
        entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
        file.writestr(entry, "/etc/passwd")
    with pytest.raises(DatasetError, match="link or a device"):
        unpack(buffer.getvalue(), "x.zip")
    assert nothing_left()


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match="when unpacked"):
        unpack(packed({"A/zeros.png": bytes(80 * 2**20)}, zipfile.ZIP_DEFLATED), "x.zip")
    assert nothing_left()
    monkeypatch.setattr(archive, "MAX_ENTRIES", 5)
    with pytest.raises(DatasetError, match="8 files, over the limit of 5"):
        unpack(packed(data_set()), "x.zip")
    assert nothing_left()


def test_a_size_that_lies_is_found_out() -> None:
    content = bytearray(packed({"A/1.png": bytes(100_000)}, zipfile.ZIP_DEFLATED))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 10)
    with pytest.raises(DatasetError, match="whole, plain zip"):
        unpack(bytes(content), "x.zip")
    assert nothing_left()


@pytest.mark.parametrize("damage", ["cut", "changed", "text", "empty", "no files", "folders only"])
def test_what_is_no_whole_zip_is_refused(damage: str) -> None:
    content = packed(data_set())
    broken = {
        "cut": content[: len(content) // 2],
        "changed": content[:200] + bytes([content[200] ^ 255]) + content[201:],
        "text": b"not a zip",
        "empty": b"",
        "no files": packed({}),
        "folders only": packed({"A/": b"", "B/": b""}),
    }[damage]
    with pytest.raises(DatasetError, match="Pack the folder"):
        unpack(broken, "x.zip")
    assert nothing_left()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 9, 93, 99])
def test_damage_is_the_archives_own_error_however_it_is_compressed(method: int) -> None:
    known = method if method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA) else zipfile.ZIP_STORED
    inside = bytes(range(256)) * 2
    content = packed({"A/1.png": inside}, known)
    if known == method:
        assert len(list(unpack(content, "whole.zip").rglob("*.png"))) == 1
    else:
        # Deflate64, Zstandard and an encrypted archive's method.
        for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
            at = content.index(signature) + offset
            content = content[:at] + struct.pack("<H", method) + content[at + 2 :]
    refused: list[str] = []
    first, end = 30 + len("A/1.png"), content.index(b"PK\x01\x02")
    places = range(first, end, max(1, (end - first) // 25))
    for at in places:
        damaged = bytearray(content)
        damaged[at] ^= 0x55
        try:
            # The last bits of a stream may mean nothing.
            assert (unpack(bytes(damaged), "same.zip") / "A" / "1.png").read_bytes() == inside
        except DatasetError as error:
            refused.append(str(error))
    said = {9: "is compressed with Deflate64", 93: "is compressed with Zstandard", 99: "is compressed with method 99"}
    expected = said.get(method, "same.zip: expected a whole, plain zip")
    assert [reason for reason in refused if expected not in reason] == []
    assert len(refused) >= len(places) - 3
    kept = [path.name.split("-")[0] for path in (data_dir() / "uploads").iterdir()]
    assert kept.count("same") == len(places) - len(refused)


def test_encrypted_and_doubled_entries_are_refused() -> None:
    content = bytearray(packed({"A/1.png": PICTURE}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with pytest.raises(DatasetError, match="encrypted"):
        unpack(bytes(content), "x.zip")
    for second in ("A/1.png", "A/1.png/inside.png"):
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("A/1.png", PICTURE)
            if second == "A/1.png":
                with pytest.warns(UserWarning, match="Duplicate name"):
                    file.writestr(second, PICTURE)
            else:
                file.writestr(second, PICTURE)
        with pytest.raises(DatasetError, match="same name"):
            unpack(buffer.getvalue(), "x.zip")
    assert nothing_left()


def test_a_disk_that_fails_is_said_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("cxr_core.data.archive._write", failing)
    with pytest.raises(DatasetError, match=r"cannot be unpacked .*Input/output error"):
        unpack(packed(data_set()), "set.zip")
    assert not list((data_dir() / "uploads").glob("set-*"))
