"""Uploads in memory: plain files, zips, and the zips that somebody made to do harm."""

import stat
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from cxr_core.data import uploads
from cxr_core.data.uploads import members, shown_name
from cxr_core.errors import ImageError
from cxr_core.images import limits
from tests.images.files import encoded, gradient

PICTURE = encoded(gradient(), "PNG")


def zipped(files: dict[str, bytes], **options: int) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = options.get("mode", 0) << 16
            archive.writestr(entry, content)
    return out.getvalue()


def test_a_plain_file_stands_for_itself() -> None:
    (only,) = members("patients/smith/a.png", PICTURE, "k")
    assert (only.name, only.key, only.content()) == ("a.png", "k", PICTURE)


def test_a_zip_stands_for_its_files_without_their_folders() -> None:
    files = {
        "smith/a.png": PICTURE,
        "jones\\b.dcm": b"b",
        "__MACOSX/._a.png": b"x",
        ".DS_Store": b"x",
        "smith/Thumbs.db": b"x",
    }
    found = members("some.zip", zipped(files), "k")
    assert [(member.name, member.content()) for member in found] == [("a.png", PICTURE), ("b.dcm", b"b")]
    assert len({member.key for member in found}) == 2


def test_a_path_that_climbs_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = members("z", zipped({"../../a.png": PICTURE, "/etc/b.png": PICTURE}), "k")
    assert [member.name for member in found] == ["a.png", "b.png"]
    assert [member.content() for member in found] == [PICTURE, PICTURE]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"PK\x03\x04" + b"no zip" * 9, "expected a whole, plain zip"),
        (zipped({}), "holds no files"),
        (zipped({f"{k}.png": b"" for k in range(uploads.MAX_FILES + 1)}), "over the limit"),
        (zipped({"bomb.png": bytes(200 * 2**20)}), "MiB when unpacked"),
        (zipped({"a.png": PICTURE})[:-30], "expected a whole, plain zip"),
    ],
    ids=["none", "empty", "too many", "a bomb", "cut short"],
)
def test_a_zip_that_cannot_be_taken_is_refused_as_a_whole(content: bytes, match: str) -> None:
    with pytest.raises(ImageError, match=match):
        members("z.zip", content, "k")


def test_an_entry_that_cannot_be_taken_is_refused_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    link = members("z.zip", zipped({"a.png": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777), "k")[0]
    inner = members("z.zip", zipped({"in.zip": zipped({"a.png": PICTURE})}), "k")[0]
    empty = members("z.zip", zipped({"a.png": b""}), "k")[0]
    for member, match in ((link, "a link"), (inner, "a zip within"), (empty, "empty")):
        with pytest.raises(ImageError, match=match):
            member.content()
    monkeypatch.setattr(limits, "MAX_BYTES", 100)
    with pytest.raises(ImageError, match="over the limit"):
        members("z.zip", zipped({"a.png": bytes(101)}), "k")[0].content()


def test_damage_within_is_refused_alone() -> None:
    content = bytearray(zipped({"a.png": PICTURE, "b.png": PICTURE}))
    content[60] ^= 0xFF
    damaged, sound = members("z.zip", bytes(content), "k")
    with pytest.raises(ImageError, match=r"a\.png: expected a whole"):
        damaged.content()
    assert sound.content() == PICTURE


def test_an_encrypted_entry_is_refused() -> None:
    content = bytearray(zipped({"a.png": PICTURE}))
    central = content.index(b"PK\x01\x02")
    content[6] |= 1
    content[central + 8] |= 1
    with pytest.raises(ImageError, match="encrypted"):
        members("z.zip", bytes(content), "k")[0].content()


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a/b/c.png", "c.png"), ("..\\up.png", "up.png"), ("a\u202eb\n", "a�b�"), ("", "unnamed"), ("x/", "unnamed")],
)
def test_a_name_to_show(name: str, shown: str) -> None:
    assert shown_name(name) == shown
