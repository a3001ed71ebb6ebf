"""A scan that gets too large ends with words, and what is no data set is not walked at all."""

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from cxr_core.data import budget
from cxr_core.data.dataset import scan
from cxr_core.errors import ConfigError, CxrError, DatasetError
from cxr_core.settings import cache_dir
from tests.images.files import tree, unreadable, write


def test_too_many_files_end_a_scan_before_one_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path / "set", {"train/A": 3, "train/B": 3, "test/A": 3})
    monkeypatch.setenv("CXR_SCAN_FILES", "8")
    with pytest.raises(DatasetError, match=r"more than 8 files.*CXR_SCAN_FILES"):
        scan(root)
    assert not (cache_dir() / "scans").exists()
    monkeypatch.setenv("CXR_SCAN_FILES", "9")
    assert len(scan(root).samples) == 9


def test_a_table_counts_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path / "set", {"A": 3})
    table = root / "t.csv"
    table.write_text("file,label\n" + "".join(f"A/00{k}.png,A\n" for k in range(3)), encoding="utf-8")
    monkeypatch.setenv("CXR_SCAN_FILES", "2")
    with pytest.raises(DatasetError, match="more than 2 files"):
        scan(table)


def test_a_scan_that_takes_too_long_keeps_what_it_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path / "set", {"A": 6, "B": 6})
    # Five seconds pass with each look at the clock.
    clock = iter(range(0, 100_000, 5))
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setenv("CXR_SCAN_MINUTES", "2")
    with pytest.raises(DatasetError, match=r"longer than 2 minutes.*goes on from there.*CXR_SCAN_MINUTES"):
        scan(root)
    (kept,) = (cache_dir() / "scans").iterdir()
    assert 0 < kept.read_text(encoding="utf-8").count(".png") < 12
    monkeypatch.setenv("CXR_SCAN_MINUTES", "60")
    assert len(scan(root).samples) == 12


def test_files_that_are_no_images_end_a_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path / "set", {"Z": 1})
    (root / "A").mkdir()
    for k in range(6):
        (root / "A" / f"{k}.txt").write_text("x", encoding="utf-8")
    monkeypatch.setattr(budget, "HOPELESS", 6)
    with pytest.raises(DatasetError, match="none of the first 6 files is an image"):
        scan(root)
    monkeypatch.setattr(budget, "HOPELESS", 7)
    assert len(scan(root).samples) == 1


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "nan", "inf"])
@pytest.mark.parametrize("variable", ["CXR_SCAN_FILES", "CXR_SCAN_MINUTES"])
def test_a_limit_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, wrong: str) -> None:
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    monkeypatch.setenv(variable, wrong)
    with pytest.raises(ConfigError, match=variable):
        scan(root)


@pytest.mark.parametrize(
    ("path", "why"),
    [("/", "everything that the machine has"), ("/proc", "operating system"), ("/sys/kernel", "operating system")],
)
@pytest.mark.skipif(not os.path.ismount("/proc"), reason="there is no /proc here")
def test_the_machine_itself_is_no_data_set(path: str, why: str) -> None:
    with pytest.raises(DatasetError, match=why):
        scan(path)


def test_devices_pipes_and_sockets_are_named_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    for path, kind in (("pipe", "a pipe"), ("socket", "a socket"), ("/dev/zero", "a device")):
        with pytest.raises(DatasetError, match=f"expected a folder or a CSV table, got {kind}"):
            scan(tmp_path / path)
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    os.mkfifo(root / "A" / "pipe.png")
    os.mkfifo(root / "table.csv")
    os.mkfifo(root / "sources.csv")
    (root / "B" / "zero.png").symlink_to("/dev/zero")
    with pytest.raises(DatasetError, match="a pipe"):
        # It is meant to say where the images are from, so it cannot be passed over.
        scan(root)
    (root / "sources.csv").unlink()
    assert {file: reason.split(":")[0] for file, reason in unreadable(root).items()} == {
        "A/pipe.png": "is a pipe",
        "B/zero.png": "is a device",
    }


# Words that stand in no message: the content of a file that is no table.
SECRET = "root:x:0:0:hunter2,swordfish\nsecond:line\n"


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        f"file,{SECRET}",
        SECRET.replace(",", ";"),
        f'"{SECRET}',
        SECRET.replace("\n", "\r"),
        f"image,patient\n{SECRET}",
        SECRET * 3000,
    ],
)
@pytest.mark.parametrize("name", ["passwd", "x.csv", "x.png"])
def test_the_content_of_what_is_no_table_is_never_quoted(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(CxrError) as raised:
        scan(tmp_path / name)
    assert not any(word in str(raised.value) for word in ("root", "hunter2", "swordfish", "second"))
    # Beside class folders it is no table either, and not quoted.
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    (root / "sources.csv").write_text(content, encoding="utf-8")
    with pytest.raises(CxrError) as raised:
        scan(root)
    assert not any(word in str(raised.value) for word in ("root", "hunter2", "swordfish", "second:"))


def test_how_many_columns_there_are_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a.png", 1)
    (tmp_path / "t.csv").write_text("file,finding,view\na.png,A,PA\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"expected the columns file, label, got 3 columns \(file\)"):
        scan(tmp_path / "t.csv")
