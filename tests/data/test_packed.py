"""No archive writes outside of its folder, whatever its entries are called, and no entry over another one."""

import os
import shutil
import stat
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cxr_core.data.archive import unpack
from cxr_core.data.packed import PackedFile, packed_files
from cxr_core.errors import DatasetError

Entry = tuple[str, int]
"""A raw name, in which OUT stands for a folder beside the uploads, and the file's mode."""

OUT = "<OUT>"
SEPARATORS = st.sampled_from(["/", "/", "/", "\\", "//", "\\\\", "/./", "/../"])
ROOTS = [
    "",
    "",
    "",
    "/",
    "//",
    "///",
    "\\",
    "\\\\",
    "\\\\?\\",
    "C:",
    "c:\\",
    "C:/",
    "//?/C:/",
    "~/",
    "./",
    "../",
    ".\\",
]
PARTS = st.one_of(
    st.sampled_from(["A", "B", "..", ".", "...", "", " ", OUT, OUT[1:], "a.png", "a.png ", "a.png.", "A ", ".hidden"]),
    st.sampled_from(
        ["CON", "nul.png", "COM1", "a:b", "C:", "a\0b", "..\0", "\0", "é", "e\u0301", "日本", "\u2025", "\uff0f"]
    ),
    st.sampled_from(
        ["~", "~root", "$HOME", "%TEMP%", "a\nb", "\u202e", "x" * 255, "x" * 256, "*", "?", "sitecustomize.py"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
LINK, PLAIN = stat.S_IFLNK | 0o777, stat.S_IFREG | 0o644


@st.composite
def names(draw: st.DrawFn) -> str:
    root = draw(st.sampled_from([*ROOTS, OUT + "/", "/" + OUT + "/", "//" + OUT + "\\"]))
    parts = draw(st.lists(PARTS, min_size=1, max_size=4))
    return root + "".join(part + draw(SEPARATORS) for part in parts[:-1]) + parts[-1]


def zipped(entries: list[Entry], out: Path) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (name, mode) in enumerate(entries):
            info = zipfile.ZipInfo("x")
            # ZipInfo would clean the name; an attacker's does not.
            info.filename = name.replace(OUT, str(out))
            info.create_system, info.external_attr = 3, mode << 16
            archive.writestr(info, str(out) if stat.S_ISLNK(mode) else f"content {number}")
    return buffer.getvalue()


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every file, folder and link below a folder, with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(names(), st.sampled_from([PLAIN, PLAIN, PLAIN, 0, LINK])), min_size=1, max_size=4))
@example([("/" + OUT + "/pages/9_New.py", PLAIN)])
@example([("A/1.png", PLAIN), ("//" + OUT + "/sitecustomize.py", PLAIN)])
@example([("A", LINK), ("A/1.png", PLAIN)])
@example([("a.png", PLAIN), ("a.png\0.txt", PLAIN)])
@example([("A/.. /../x.png", PLAIN)])
def test_nothing_is_written_outside_of_the_uploads_folder(entries: list[Entry]) -> None:
    with tempfile.TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patch:
        home = Path(temporary).resolve()
        out, data = home / "out", home / "data"
        (out / "pages").mkdir(parents=True)
        (out / "pages" / "1_Old.py").write_text("old")
        patch.setenv("CXR_DATA", str(data))
        # So that a name that climbs or stays relative would be seen as well.
        patch.chdir(out)
        before, root_before = tree(out), set(os.listdir("/"))
        try:
            unpack(zipped(entries, out), "x.zip")
        except DatasetError:
            assert tree(data / "uploads") == {}, "a refused archive leaves nothing"
        else:
            kept = {path for path in (data / "uploads").rglob("*") if path.is_file()}
            contents = [path.read_text() for path in kept]
            assert set(contents) <= {f"content {number}" for number in range(len(entries))}
            assert len(set(contents)) == len(contents), "one file per entry"
            assert not any(path.is_symlink() for path in (data / "uploads").rglob("*"))
        assert tree(out) == before
        assert sorted(os.listdir(home)) in (["data", "out"], ["out"])
        assert set(os.listdir("/")) == root_before
        shutil.rmtree(data, ignore_errors=True)


@settings(max_examples=400, deadline=None)
@given(names())
def test_the_place_is_inside_whatever_the_name(name: str) -> None:
    folder = Path("/nowhere/uploads/x")
    file = PackedFile(zipfile.ZipInfo("x"), name.replace("\\", "/"))
    try:
        place = file.place(folder)
    except DatasetError:
        return
    # Computed on text alone, unlike in the module.
    assert os.path.commonpath([os.path.normpath(place), folder]) == str(folder)
    assert os.path.normpath(place) != str(folder)


def test_a_name_that_only_a_system_would_follow_is_stopped_by_the_place(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "A").symlink_to(tmp_path)
    with pytest.raises(DatasetError, match="leads out of the archive"):
        PackedFile(zipfile.ZipInfo("x"), "A/1.png").place(tmp_path / "inside")


def test_what_is_no_file_is_passed_over() -> None:
    entries = [("A/", PLAIN), ("B\\", PLAIN), ("D", stat.S_IFDIR | 0o755), ("__MACOSX/a", 0), (".x/a", 0), ("A/a", 0)]
    content = zipped(entries, Path("/"))
    assert [file.name for file in packed_files(zipfile.ZipFile(BytesIO(content)))] == ["A/a"]
