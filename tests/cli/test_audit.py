"""``python -m cxr_core audit`` as a script calls it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.data import fixes
from cxr_core.reports.verdict import verdict
from cxr_core.runs.run import Run, list_runs
from cxr_core.settings import runs_dir
from tests import ROOT


def test_json_has_what_was_promised(tiny_dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--data", str(tiny_dataset), "--json", "--strict"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["images"] == 36
    assert document["unreadable"] == []
    assert {"macro_f1", "accuracy"} <= set(document["source_only"])
    assert {"macro_f1", "chance_macro_f1", "by_feature"} <= set(document["shortcut"])
    assert document["patients_in_two_splits"] == []
    for issue in document["findings"]:
        assert {"kind", "severity", "message", "files", "mend"} <= set(issue)


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


def test_a_missing_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--data", str(tmp_path / "nowhere"), "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")


@pytest.fixture
def leaking(tiny_dataset: Path, tmp_path: Path) -> Path:
    root = Path(shutil.copytree(tiny_dataset, tmp_path / "leaking"))
    shutil.copy(min((root / "train" / "NORMAL").iterdir()), root / "test" / "NORMAL" / "again.png")
    return root


def test_a_leak_is_refused_in_one_line_until_it_is_fixed_or_trained_on_anyway(
    leaking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", "--data", str(leaking), "--backbone", "small-cnn", "--image-size", "32", "--epochs", "1"]
    for refused in ([], ["--train-anyway", "false"]):
        assert main([*train, *refused]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("error: ")
        assert captured.err.count("\n") == 1
        assert re.search(r"\d+ pairs of the same picture", captured.err)
        assert "Audit page" in captured.err
        assert "--train-anyway" in captured.err
    assert not list_runs(runs_dir())
    for given in (["--train-anyway"], ["--train-anyway", "true"]):
        assert main([*train, *given]) == 0
        assert "Trained although the audit found a leak" in capsys.readouterr().out
    assert all(run.leak for run in list_runs(runs_dir()))
    assert main(["audit", "--data", str(leaking), "--fix", "leak"]) == 0
    capsys.readouterr()
    assert main(train) == 0
    out = capsys.readouterr().out
    assert "although the audit found a leak" not in out
    assert not Run(Path(out.splitlines()[-1])).leak


def test_evaluate_says_what_the_score_is_worth(leaking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ["train", "--data", str(leaking), "--backbone", "small-cnn", "--image-size", "32", "--epochs", "1"]
    assert main([*train, "--train-anyway"]) == 0
    run = list_runs(runs_dir())[0]
    capsys.readouterr()
    assert main(["evaluate", run.id]) == 0
    assert f"What this score is worth: {verdict(run).sentence}" in capsys.readouterr().out
    assert main(["evaluate", run.id, "--split", "val"]) == 0
    assert "is worth" not in capsys.readouterr().out


@pytest.mark.parametrize(("fix", "listed"), [("--fix", "--fixes"), ("--mend", "--mends")], ids=["today", "aliases"])
def test_an_issue_is_fixed_listed_and_the_fix_taken_back(
    leaking: Path, capsys: pytest.CaptureFixture[str], fix: str, listed: str
) -> None:
    audit = ["audit", "--data", str(leaking)]
    before = sorted(path.read_bytes() for path in leaking.rglob("*.png"))
    assert main([*audit, "--strict"]) == 1
    assert '--fix "leak: keep one of each"' in capsys.readouterr().out
    assert main([*audit, "--strict", "--json", fix, "Leak: keep one of each"]) == 0
    captured = capsys.readouterr()
    left = json.loads(captured.out)["images"]
    assert left <= 36
    (name,) = fixes.read(runs_dir())["mend"].unique()
    assert f"--undo {name}" in captured.err
    assert main([*audit, listed, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["mend"], row["reason"], row["files"]) == (name, "leak: keep one of each", 37 - left)
    assert main([*audit, listed]) == 0
    assert name in capsys.readouterr().out
    assert main([*audit, "--undo", name]) == 0
    assert "\nblocks: " in capsys.readouterr().out
    assert fixes.read(runs_dir()).empty
    assert main([*audit, listed]) == 0
    assert "No fix" in capsys.readouterr().out
    assert sorted(path.read_bytes() for path in leaking.rglob("*.png")) == before


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--fix", "drawn"], "expected one of the issues leak"),
        (["--fix", "leak: leave out"], "expected one of keep one of each"),
        (["--undo", "12345678"], "expected a fix of this data set (none), got '12345678'"),
    ],
)
def test_a_wrong_fix_is_one_line(
    leaking: Path, capsys: pytest.CaptureFixture[str], flags: list[str], expected: str
) -> None:
    assert main(["audit", "--data", str(leaking), *flags]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert expected in captured.err
    assert fixes.read(runs_dir()).empty


def test_fixes_are_of_a_data_set_and_of_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["audit", "--run", "x", "--fixes"])
    assert left.value.code == 2
    assert "expected --data" in capsys.readouterr().err


def test_a_kept_audit_is_read_without_what_made_it(tiny_dataset: Path) -> None:
    assert main(["audit", "--data", str(tiny_dataset)]) == 0
    code = (
        "import sys\n"
        "from cxr_core.__main__ import main\n"
        f"assert main(['audit', '--data', {str(tiny_dataset)!r}]) == 0\n"
        "sys.exit(' '.join({'sklearn', 'scipy', 'torch'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
