"""Folders, the list of recent data sets, and files replaced in one step."""

import json
import multiprocessing
from pathlib import Path

import pytest

from cxr_core.settings import (
    RECENT_LIMIT,
    cache_dir,
    data_dir,
    recent_datasets,
    remember_dataset,
    replacing,
    runs_dir,
    stamp,
    write_atomic,
)


def test_folders_follow_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, folder in (("CXR_RUNS", runs_dir), ("CXR_CACHE", cache_dir), ("CXR_DATA", data_dir)):
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere" / variable))
        assert folder() == tmp_path / "elsewhere" / variable
        assert not folder().exists()


def test_folders_without_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("CXR_RUNS", "CXR_CACHE"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("CXR_DATA", "")  # empty counts as unset
    assert runs_dir() == tmp_path / "runs"
    assert cache_dir().is_absolute()
    assert data_dir().is_absolute()
    assert data_dir() != tmp_path


def test_home_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_RUNS", "~/xray-runs")
    assert runs_dir() == (Path.home() / "xray-runs").resolve()


@pytest.mark.parametrize("content", ["first\nsecond\n", b"\x00\xff", "Größe", ""])
def test_write_and_replace(tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "new" / "status.json"
    write_atomic(file, "older and longer than what replaces it")
    write_atomic(file, content)
    assert file.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [entry.name for entry in file.parent.iterdir()] == ["status.json"]


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    write_atomic(file, "old")

    def fail() -> None:
        with replacing(file) as temporary:
            temporary.write_text("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert file.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights"]


def _write_often(file: Path, letter: str) -> None:
    for _ in range(300):
        write_atomic(file, letter * 50_000)


def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    write_atomic(file, "a" * 50_000)
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_often, args=(file, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        seen.add(file.read_text())
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert seen <= {"a" * 50_000, "b" * 50_000}


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    stamps = [stamp(file)]
    for content in ("one", "two", "more"):
        write_atomic(file, content)
        stamps.append(stamp(file))
        assert stamp(file) == stamps[-1]
    assert len(set(stamps)) == 4
    file.unlink()
    assert stamp(file) == stamps[0] == (0, 0)
    assert stamp(tmp_path / "none" / "a.json") == (0, 0)


def test_recent_data_sets_latest_first(tmp_path: Path) -> None:
    folders = [tmp_path / f"set{i}" for i in range(RECENT_LIMIT + 3)]
    for folder in folders:
        folder.mkdir()
        remember_dataset(folder)
    assert recent_datasets() == folders[: -RECENT_LIMIT - 1 : -1]
    remember_dataset(folders[-3])
    assert recent_datasets()[:3] == [folders[-3], folders[-1], folders[-2]]
    folders[-1].rmdir()
    assert folders[-1] not in recent_datasets()


def test_the_same_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set").mkdir()
    monkeypatch.chdir(tmp_path)
    for spelling in (tmp_path / "set", Path("set"), tmp_path / "set" / ".." / "set"):
        remember_dataset(spelling)
    assert recent_datasets() == [tmp_path / "set"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"{}", b"null", b"[1, null, []]", b'["\\u0000"]'])
def test_a_damaged_list_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    data_dir().mkdir()
    (data_dir() / "recent.json").write_bytes(content)
    assert recent_datasets() == []
    remember_dataset(tmp_path)
    assert json.loads((data_dir() / "recent.json").read_text()) == [str(tmp_path)]
