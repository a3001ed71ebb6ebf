"""Scans: what a data set says of itself, and what is kept until a file changes."""

import os
import time
from pathlib import Path

import pandas as pd
import pytest

from cxr_core import images
from cxr_core.data.dataset import COLUMNS, scan
from cxr_core.settings import cache_dir
from tests.images.files import tree, unreadable, write


def test_split_folders(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"train/B": 3, "train/A/deep/er": 2, "test/A": 1, "test/B": 2})
    found = scan(root)
    assert (found.layout, found.name, found.classes, found.splits) == (
        "split folders",
        "set",
        ["A", "B"],
        ["train", "test"],
    )
    expected = pd.DataFrame({"A": [2, 1], "B": [3, 2]}, index=["train", "test"])
    assert (found.counts() == expected).all(axis=None)
    assert list(found.samples.columns) == COLUMNS
    assert found.samples["file"].is_monotonic_increasing
    first = found.samples.iloc[0]
    assert found.path(first["file"]).read_bytes() == (root / first["file"]).read_bytes()
    assert first["digest"] == images.content_digest((root / first["file"]).read_bytes())
    assert (first["width"], first["height"], first["mode"], first["format"]) == (40, 30, "L", "PNG")
    assert first["bytes"] == (root / first["file"]).stat().st_size
    assert found.unreadable.empty


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 2, "B": 1})
    whole = (root / "A" / "000.png").read_bytes()
    (root / "A" / "cut.png").write_bytes(whole[:-50])
    (root / "A" / "empty.png").touch()
    (root / "A" / "note.jpg").write_text("not a picture", encoding="utf-8")
    (root / "A" / "gone.png").symlink_to(root / "nowhere.png")
    os.mkfifo(root / "A" / "pipe.png")
    found = scan(root)
    assert len(found.samples) == 3
    reasons = dict(found.unreadable[["file", "reason"]].itertuples(index=False))
    assert sorted(reasons) == ["A/cut.png", "A/empty.png", "A/gone.png", "A/note.jpg", "A/pipe.png"]
    assert dict(found.unreadable[["file", "kind"]].itertuples(index=False)) == {
        file: "cut short" if file == "A/cut.png" else "unreadable" for file in reasons
    }
    assert "cut short" in reasons["A/cut.png"]
    assert "is empty" in reasons["A/empty.png"]
    assert "cannot be read as an image" in reasons["A/note.jpg"]
    assert "cannot be opened" in reasons["A/gone.png"]
    assert "expected a file" in reasons["A/pipe.png"]
    assert not any(reason.startswith(("A/", "cut.png")) for reason in reasons.values())
    assert unreadable(root) == reasons


def test_a_second_scan_opens_nothing_and_ten_new_files_cost_ten_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree(tmp_path / "set", {"A": 15, "B": 15})
    first = scan(root)
    opened: list[Path] = []
    read = images.read_bytes

    def counted(path: Path) -> bytes:
        opened.append(path)
        return read(path)

    monkeypatch.setattr(images, "read_bytes", counted)
    again = scan(root)
    assert not opened
    assert again.samples.equals(first.samples)
    assert again.digest == first.digest
    tree(root, {"C": 10}, start=100)
    assert len(scan(root).samples) == 40
    assert len(opened) == 10
    time.sleep(0.01)
    write(root / "A" / "000.png", 999)
    assert scan(root).digest != first.digest
    assert len(opened) == 11


def test_kept_scans_that_are_damaged_count_as_absent(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 3, "B": 3})
    first = scan(root)
    (kept,) = (cache_dir() / "scans").iterdir()
    whole = kept.read_text(encoding="utf-8")
    for damage in (
        "",
        "{",
        "[]",
        '{"version": 2}',
        '{"version": 0, "files": {}}',
        whole[: len(whole) // 2],
        '{"version": 2, "files": {"x": 3}}',
        '{"version": 2, "files": {"x": [1, 2, ["a"]]}}',
        '{"version": 2, "files": []}',
        "\udcff",
    ):
        kept.write_bytes(damage.encode("utf-8", "surrogateescape"))
        assert scan(root).samples.equals(first.samples)
    assert kept.read_text(encoding="utf-8") == whole


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 3, "B": 3})
    scan(root)
    (root / "A" / "000.png").unlink()
    assert len(scan(root).samples) == 5
    (kept,) = (cache_dir() / "scans").iterdir()
    assert "A/000.png" not in kept.read_text(encoding="utf-8")


def test_progress_ends_with_all_and_a_stopped_scan_keeps_what_it_read(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 80, "B": 40})
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done >= 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(root, stop)
    (kept,) = (cache_dir() / "scans").iterdir()
    assert kept.read_text(encoding="utf-8").count(".png") >= 50
    seen.clear()
    scan(root, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (120, 120)
    # Before, while files are still being found, there is no total.
    read = [done for done, total in seen if total]
    assert read == sorted(set(read))


def test_the_real_set(real_data: Path) -> None:
    found = scan(real_data / "covid-cxr")
    assert found.classes == ["COVID19", "NORMAL", "PNEUMONIA"]
    assert found.counts().loc["train"].tolist() == [228, 311, 313]
    assert found.counts().loc["test"].tolist() == [60, 80, 80]
    assert found.unreadable.empty
    table = pd.read_csv(real_data / "covid-cxr" / "sources.csv", dtype=str, keep_default_na=False).sort_values("file")
    for column in ("file", "label", "patient", "source"):
        assert found.samples[column].tolist() == table[column].tolist()
