"""``python -m cxr_core audit`` as a script calls it."""

import json
import shutil
from pathlib import Path

import pytest

from cxr_core.__main__ import main


def test_json_has_what_was_promised(tiny_dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--data", str(tiny_dataset), "--json", "--strict"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["images"] == 36
    assert document["unreadable"] == []
    assert {"macro_f1", "accuracy"} <= set(document["source_only"])
    assert {"macro_f1", "chance_macro_f1", "by_feature"} <= set(document["shortcut"])
    assert document["patients_in_two_splits"] == []
    for finding in document["findings"]:
        assert {"kind", "severity", "message", "files", "mend"} <= set(finding)


def test_strict_exits_with_one_where_something_blocks(
    tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = shutil.copytree(tiny_dataset, tmp_path / "leaking")
    shutil.copy(min(root.glob("train/NORMAL/*.png")), root / "test/COVID19/again.png")
    assert main(["audit", "--data", str(root), "--json"]) == 0
    pair = json.loads(capsys.readouterr().out)["duplicates"][0]
    assert pair["kind"] == "exact"
    assert pair["relation"] == "label-conflict"
    assert set(pair["splits"]) == {"train", "test"}
    assert pair["distance"] == 0
    assert main(["audit", "--data", str(root), "--strict"]) == 1
    assert "\nblocks: " in capsys.readouterr().out
    assert main(["train", "--data", str(root), "--backbone", "small-cnn", "--train-anyway", "false"]) == 1
    assert "train anyway" in capsys.readouterr().err


def test_a_missing_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--data", str(tmp_path / "nowhere"), "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")


def test_a_leak_is_said_where_it_is_not_refused(
    tiny_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = shutil.copytree(tiny_dataset, tmp_path / "leaking")
    shutil.copy(next((root / "train" / "NORMAL").iterdir()), root / "test" / "NORMAL" / "again.png")
    train = ["train", "--data", str(root), "--backbone", "small-cnn", "--image-size", "32", "--epochs", "1"]
    assert main(train) == 0
    assert "Trained although the audit found a leak" in capsys.readouterr().out
