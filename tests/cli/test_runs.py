"""The command line as a script meets it: what is printed where, exit status, one line for every error."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from cxr_core.__main__ import _parser, main
from cxr_core.cli.training import _config, _preset
from cxr_core.config import PRESET_WORDS, PRESETS, TrainConfig
from cxr_core.data.dataset import scan
from cxr_core.demo.draw import draw
from cxr_core.runs import viewings
from cxr_core.runs.decision import save_operating_point
from cxr_core.runs.jobs import queue_again
from cxr_core.runs.run import Run, find_run, list_runs
from tests import ROOT
from tests.runs_support import copy_of, new_run, noise, wait_until

SMALL = ("--backbone", "small-cnn", "--epochs", "1", "--image-size", "64", "--device", "cpu")

Answer = tuple[int, str, str]
Call = Callable[..., Answer]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """``call("scan", "--data", folder)``: exit status, standard output, standard error."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as left:
            status = int(str(left.code or 0))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def one_line(error: str) -> str:
    """The error, which is one line."""
    assert error.startswith("error: ")
    assert error.endswith("\n")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    return error


@pytest.fixture
def plain(tiny_dataset: Path, tmp_path: Path) -> Path:
    """The test images as plain class folders."""
    return Path(shutil.copytree(tiny_dataset / "test", tmp_path / "other hospital"))


# --- demo and scan


def test_demo_draws_what_scan_finds(call: Call, tmp_path: Path) -> None:
    status, out, err = call("demo", "--out", tmp_path / "drawn", "--images", 12, "--seed", 3)
    assert (status, err) == (0, "")
    assert "12 drawings (not X-rays)" in out
    status, out, err = call("scan", "--data", tmp_path / "drawn", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert set(found) >= {"classes", "splits", "unreadable", "cautions"}
    assert found["classes"] == ["COVID19", "NORMAL", "PNEUMONIA"]
    assert (found["images"], found["set"], found["task"], found["question"]) == (12, None, "exclusive", None)
    assert set(found["splits"]) == {"train", "test"}
    assert sum(sum(counts.values()) for counts in found["splits"].values()) == 12
    assert all(set(counts) == set(found["classes"]) for counts in found["splits"].values())
    assert found["unreadable"] == []


def test_scan_names_what_it_cannot_read(call: Call, plain: Path) -> None:
    (plain / "NORMAL" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = json.loads(call("scan", "--data", plain, "--json")[1])
    (unreadable,) = found["unreadable"]
    assert set(unreadable) == {"file", "reason"}
    assert unreadable["file"] == "NORMAL/broken.png"
    status, out, _ = call("scan", "--data", plain)
    assert status == 0
    assert "unreadable: NORMAL/broken.png" in out


# --- train, resume


def test_train_prints_its_folder_last(call: Call, tiny_dataset: Path, tmp_path: Path) -> None:
    status, out, err = call("train", "--data", tiny_dataset, "--runs", tmp_path / "my runs", *SMALL)
    assert (status, err) == (0, "")
    run = Run(Path(out.splitlines()[-1]))
    assert run.path.is_absolute()
    assert run.path.parent == tmp_path / "my runs"
    assert run.state == "completed"
    assert "epoch 1/1" in out
    assert "epoch 1/1" in run.log
    assert "drawings, not X-rays" in out


FLAGS: dict[str, tuple[str, Any]] = {
    "backbone": ("resnet18", "resnet18"),
    "weights": ("none", "none"),
    "trainable": ("last-block", "last-block"),
    "features": ("last", "last"),
    "hidden": ("32,16", (32, 16)),
    "dropout": ("0.25", 0.25),
    "image_size": ("64", 64),
    "labels": ("single", "single"),
    "hierarchy": ("flat", "flat"),
    "gamma": ("2", 2.0),
    "alpha": ("1,2,3", (1.0, 2.0, 3.0)),
    "uncertain": ("soft", "soft"),
    "blank": ("unknown", "unknown"),
    "soft": ("0.6", 0.6),
    "uncertain_of": ("Edema=1", "Edema=1"),
    "blank_of": ("Fracture=0", "Fracture=0"),
    "threshold_by": ("youden", "youden"),
    "sensitivity": ("0.95", 0.95),
    "epochs": ("1", 1),
    "batch_size": ("16", 16),
    "optimizer": ("adamw", "adamw"),
    "lr": ("1e-3", 0.001),
    "momentum": ("0.5", 0.5),
    "weight_decay": ("0.01", 0.01),
    "schedule": ("cosine", "cosine"),
    "patience": ("3", 3),
    "monitor": ("loss", "loss"),
    "views": ("2", 2),
    "val_fraction": ("0.25", 0.25),
    "test_fraction": ("0.25", 0.25),
    "split_seed": ("4", 4),
    "corrections": ("true", True),
    "train_anyway": ("true", True),
    "pseudonyms": ("true", True),
    "mask_border": ("true", True),
    "seed": ("5", 5),
    "device": ("cpu", "cpu"),
}


def test_every_field_has_a_flag_that_reaches_the_run(call: Call, tiny_dataset: Path, tmp_path: Path) -> None:
    assert set(FLAGS) == set(TrainConfig.model_fields)
    flags = [part for name, (text, _) in FLAGS.items() for part in (f"--{name.replace('_', '-')}", text)]
    status, out, err = call("train", "--data", tiny_dataset, "--runs", tmp_path / "runs", *flags)
    assert (status, err) == (0, "")
    config = Run(Path(out.splitlines()[-1])).config
    assert {name: getattr(config, name) for name in FLAGS} == {name: value for name, (_, value) in FLAGS.items()}


@pytest.mark.parametrize(
    ("flags", "preset", "differs"),
    [
        ([], "Recommended", {}),
        (["--epochs", "3", "--weights", "none"], "Recommended", {"epochs": 3, "weights": "none"}),
        (["--preset", "notebook"], "Notebook protocol", {}),
        (["--preset", "laptop", "--lr", "0.1"], "Laptop (ResNet18, balanced)", {"lr": 0.1}),
        (["--backbone", "resnet18"], "Notebook protocol", {"backbone": "resnet18"}),
        (["--backbone", "small-cnn"], "Notebook protocol", {"backbone": "small-cnn"}),
        (["--preset", "recommended", "--backbone", "resnet18"], "Recommended", {"backbone": "resnet18"}),
    ],
)
def test_flags_override_the_preset(flags: list[str], preset: str, differs: dict[str, Any]) -> None:
    """Which is Recommended, and for another backbone than its own what the flags alone gave before there were any."""
    options = _parser().parse_args(["train", "--data", "x", *flags])
    assert _config(options) == TrainConfig.create(**{**PRESETS[preset], **differs})
    assert _preset(options) == preset


def test_every_preset_has_a_word() -> None:
    assert list(PRESET_WORDS.values()) == list(PRESETS)


def test_marks_have_two_flags_for_one_field(call: Call, tiny_dataset: Path) -> None:
    said = [call("train", "--data", tiny_dataset, flag, "perhaps") for flag in ("--marks", "--corrections")]
    assert said[0] == said[1]
    assert "corrections: " in one_line(said[0][2])


@pytest.mark.parametrize(
    ("labels", "implied"),
    [
        (None, {"COVID19": ("PNEUMONIA",)}),
        ("auto", {"COVID19": ("PNEUMONIA",)}),
        ("covid-implies-pneumonia", {"COVID19": ("PNEUMONIA",)}),
        ("single", {}),
        ("PNEUMONIA>COVID19", {"PNEUMONIA": ("COVID19",)}),
    ],
)
def test_labels(
    call: Call, tiny_dataset: Path, tmp_path: Path, labels: str | None, implied: dict[str, tuple[str, ...]]
) -> None:
    flags = [] if labels is None else ["--labels", labels]
    status, out, _ = call("train", "--data", tiny_dataset, "--runs", tmp_path / "runs", *SMALL, *flags)
    assert status == 0
    run = Run(Path(out.splitlines()[-1]))
    assert run.implied == implied
    total = run.predictions("test")[[f"p_{name}" for name in run.classes]].sum(axis=1)
    assert all(abs(total - 1) < 1e-9) == (not implied)


def test_labels_auto_without_the_two_classes_is_single(call: Call, tmp_path: Path) -> None:
    for seed in range(16):
        name = ("NORMAL", "PNEUMONIA")[seed % 2]
        noise(tmp_path / "data" / name / f"{seed}.png", seed)
    status, out, _ = call("train", "--data", tmp_path / "data", "--runs", tmp_path / "runs", *SMALL)
    assert status == 0
    assert Run(Path(out.splitlines()[-1])).implied == {}
    status, _, err = call(
        "train", "--data", tmp_path / "data", "--runs", tmp_path / "runs", *SMALL, "--labels", "covid-implies-pneumonia"
    )
    assert status == 1
    assert "needs the class COVID19" in one_line(err)


def test_ctrl_c_leaves_a_run_that_resumes(tiny_dataset: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cxr_core", "train", "--data", str(tiny_dataset), "--runs", str(tmp_path / "runs")]
    child = subprocess.Popen(
        [*command, *SMALL, "--epochs", "10000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background of a script, Ctrl-C is ignored, and a child would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_until(lambda: any(run.history for run in list_runs(tmp_path / "runs")), "the first epoch")
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    (run,) = list_runs(tmp_path / "runs")
    assert child.returncode == 1
    assert "was stopped before its end" in one_line(err)
    assert out.splitlines()[-1] == str(run.path)
    assert run.state == "stopped"
    assert run.can_resume


def test_resume_finishes_a_stopped_run_and_refuses_a_completed_one(
    call: Call, tiny_dataset: Path, tmp_path: Path
) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs")
    run.request_stop()
    status, out, err = call("resume", run.id)
    assert status == 1
    assert "was stopped before its end" in one_line(err)
    status, out, err = call("resume", run.id[:-1])
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == str(run.path)
    assert run.state == "completed"
    status, _, err = call("resume", run.path)
    assert status == 1
    assert "is completed" in one_line(err)


def test_a_reader_that_leaves_does_not_end_the_training(tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs")
    resume = f"{sys.executable} -m cxr_core resume '{run.path}' | true"
    answer = subprocess.run(["bash", "-c", resume], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.state == "completed", answer.stderr
    assert "epoch 2/2" in run.log


# --- evaluate


def test_evaluate_prints_one_document(call: Call, completed_run: Run, tiny_dataset: Path) -> None:
    status, out, err = call("evaluate", completed_run.path, "--json")
    assert (status, err) == (0, "")
    metrics = json.loads(out)
    assert metrics == completed_run.metrics("test")
    assert set(metrics) >= {
        "split",
        "n",
        "classes",
        "accuracy",
        "macro_f1",
        "per_class",
        "confusion",
        "one_vs_rest",
    }
    assert set(metrics["per_class"]["COVID19"]) >= {"precision", "recall", "f1", "support", "roc_auc"}
    again = json.loads(call("evaluate", completed_run.path, "--data", tiny_dataset, "--json")[1])
    assert again.pop("external")["kept"] is None
    assert again == metrics
    assert json.loads(call("evaluate", completed_run.path, "--split", "val", "--json")[1])["split"] == "val"
    status, out, err = call("evaluate", completed_run.path)
    assert (status, err) == (0, "")
    assert f"of {metrics['n']} correct" in out
    assert "not for clinical use" in out


def test_evaluate_takes_a_folder_without_splits_and_without_a_class(
    call: Call, completed_run: Run, plain: Path
) -> None:
    metrics = json.loads(call("evaluate", completed_run.path, "--data", plain, "--json")[1])
    assert metrics["confusion"] == (completed_run.metrics("test") or {})["confusion"]
    shutil.rmtree(plain / "COVID19")
    status, out, err = call("evaluate", completed_run.path, "--data", plain, "--json")
    assert (status, err) == (0, "")
    metrics = json.loads(out)
    assert metrics["per_class"]["COVID19"]["roc_auc"] is None
    assert len(metrics["confusion"]) == 3
    assert call("evaluate", completed_run.path, "--data", plain)[0] == 0
    (plain / "NORMAL").rename(plain / "OTHER")
    status, out, err = call("evaluate", completed_run.path, "--data", plain, "--json")
    assert (status, out) == (1, "")
    assert "has the class OTHER" in one_line(err)


def test_evaluate_fixes_what_was_damaged(call: Call, completed_run: Run, tmp_path: Path) -> None:
    run = copy_of(completed_run, tmp_path)
    for content in ("{", "[]", '{"n": 3}'):
        (run.path / "metrics_test.json").write_text(content)
        status, out, _ = call("evaluate", run.id, "--json")
        assert status == 0
        assert json.loads(out) == completed_run.metrics("test")


def test_evaluate_and_predict_decide_under_the_same_thresholds(
    call: Call, completed_run: Run, tiny_dataset: Path, tmp_path: Path
) -> None:
    run = copy_of(completed_run, tmp_path)
    save_operating_point(run, {"COVID19": 1e-6})
    metrics = json.loads(call("evaluate", run.id, "--json")[1])
    assert [row[0] for row in metrics["confusion"]] == [sum(row) for row in metrics["confusion"]]
    files = [tiny_dataset / file for file in run.predictions("test")["file"]]
    found = json.loads(call("predict", run.id, *files, "--json", "--force")[1])
    assert {row["label"] for row in found} == {"COVID19"}


@pytest.fixture
def copied(completed_run: Run, tmp_path: Path) -> Run:
    return copy_of(completed_run, tmp_path)


def test_evaluate_keeps_an_external_data_set_and_says_where_it_is_none(
    call: Call, copied: Run, plain: Path, tmp_path: Path
) -> None:
    hospital = draw(tmp_path / "hospital b", images=36, seed=5)
    status, out, err = call("evaluate", copied.id, "--data", hospital, "--json")
    assert (status, err) == (0, "")
    external = json.loads(out)["external"]
    assert (copied.path / "external" / external["kept"]).exists()
    assert external["note"] == ""
    status, out, err = call("evaluate", copied.id, "--data", plain)
    assert (status, err) == (0, "")
    assert "Note: " in out
    assert "is no external data set. The figures are not kept as external." in out
    assert len(list((copied.path / "external").glob("*.json"))) == 1


def test_evaluate_on_the_test_split_is_a_look(call: Call, copied: Run, tiny_dataset: Path, tmp_path: Path) -> None:
    viewings.add(copied)
    before = viewings.count(copied)
    assert "Test results viewed" in call("evaluate", copied.id)[1]
    call("evaluate", copied.id, "--json")
    call("evaluate", copied.id, "--data", tiny_dataset, "--json")
    assert viewings.count(copied) == before + 3
    call("evaluate", copied.id, "--split", "val", "--json")
    call("evaluate", copied.id, "--data", draw(tmp_path / "hospital b", images=36, seed=5), "--json")
    call("runs", "--json")
    assert viewings.count(copied) == before + 3


def test_an_external_data_set_is_forgotten(call: Call, copied: Run, tmp_path: Path) -> None:
    hospital = draw(tmp_path / "hospital b", images=36, seed=5)
    kept = json.loads(call("evaluate", copied.id, "--data", hospital, "--json")[1])["external"]["kept"]
    status, _, err = call("evaluate", copied.id, "--forget", "another")
    assert status == 1
    assert kept in one_line(err)
    assert call("evaluate", copied.id, "--forget", "hospital b") == (0, f"{kept} was forgotten.\n", "")
    assert not list((copied.path / "external").iterdir())
    assert call("evaluate", copied.id, "--forget", "x", "--data", hospital)[0] == 2


def test_scores_listed_together_are_said_to_choose_by_test(call: Call, copied: Run) -> None:
    assert "Pick by validation" not in call("runs")[1]
    shutil.copytree(copied.path, copied.path.with_name(f"{copied.id}-again"))
    assert "2 runs share the test set of tiny" in call("runs")[1]
    assert len(json.loads(call("runs", "--json")[1])) == 2


def test_evaluate_by_source(call: Call, copied: Run) -> None:
    metrics = json.loads(call("evaluate", copied.id, "--by-source", "--json")[1])
    assert sum(row["n"] for row in metrics["by_source"]) == metrics["n"]
    assert set(metrics["sources"]) == {"possible", "single", "message"}
    shown = call("evaluate", copied.id, "--by-source")[1]
    assert metrics["sources"]["message"] in shown
    assert f"{metrics['by_source'][0]['source']}: " in shown


# --- predict


@pytest.fixture
def mixed(tiny_dataset: Path, tmp_path: Path) -> list[Path]:
    """Good, broken, good, absent, good."""
    good = sorted((tiny_dataset / "test").rglob("*.png"))[:3]
    broken = tmp_path / "broken.png"
    broken.write_bytes(good[0].read_bytes()[:500])
    return [good[0], broken, good[1], tmp_path / "absent.png", good[2]]


def test_predict_prints_every_file_before_it_fails(call: Call, completed_run: Run, mixed: list[Path]) -> None:
    status, out, err = call("predict", completed_run.path, *mixed, "--json", "--force")
    assert status == 1
    found = json.loads(out)
    assert [row["file"] for row in found] == [str(file) for file in mixed]
    for position, row in enumerate(found):
        assert set(row) >= {"file", "label", "probabilities", "error"}
        bad = position in (1, 3)
        assert (row["label"] is None) == (row["probabilities"] is None) == bad
        assert (row["error"] is not None) == bad
        assert bad or set(row["probabilities"]) == set(completed_run.classes)
    assert [line.startswith("error: ") for line in err.splitlines()] == [True, True]
    assert "broken.png" in err.splitlines()[0]
    assert "absent.png" in err.splitlines()[1]

    status, out, _ = call("predict", completed_run.path, *mixed, "--csv", "--force")
    assert status == 1
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["file"] for row in rows] == [str(file) for file in mixed]
    for row, document in zip(rows, found, strict=True):
        assert row["label"] == (document["label"] or "")
        for name in completed_run.classes:
            value = (document["probabilities"] or {}).get(name)
            assert row[f"p_{name}"] == ("" if value is None else repr(value))

    status, out, err = call("predict", completed_run.path, *mixed, "--force")
    assert status == 1
    assert sum(str(file) in out for file in mixed) == 3
    assert len(err.splitlines()) == 2


def test_predict_equals_the_run_s_own_predictions(call: Call, completed_run: Run, tiny_dataset: Path) -> None:
    table = completed_run.predictions("test")
    files = [tiny_dataset / file for file in table["file"]]
    status, out, err = call("predict", completed_run.path, *files, "--json", "--force")
    assert (status, err) == (0, "")
    for row, (_, expected) in zip(json.loads(out), table.iterrows(), strict=True):
        assert row["label"] == expected["decision"]
        assert row["probabilities"] == {name: expected[f"p_{name}"] for name in completed_run.classes}


def test_predict_of_a_name_that_is_no_text(completed_run: Run, tiny_dataset: Path, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe.png"
    try:
        shutil.copyfile(next((tiny_dataset / "test").rglob("*.png")), name)
    except OSError as error:
        pytest.skip(f"this file system takes no such name: {error}")
    for form in ("--json", "--csv"):
        command = [sys.executable, "-m", "cxr_core", "predict", str(completed_run.path), os.fsdecode(name), form]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        assert (answer.returncode, answer.stderr) == (0, b"")
        assert answer.stdout


# --- runs, cache


def test_runs_lists_the_newest_first_and_the_damaged_too(
    call: Call, completed_run: Run, tiny_dataset: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "runs"
    assert json.loads(call("runs", "--runs", folder, "--json")[1]) == []
    assert "No runs" in call("runs", "--runs", folder)[1]
    shutil.copytree(completed_run.path, folder / completed_run.id)
    newest = new_run(tiny_dataset, folder)
    damaged = folder / "20200101-000000-vgg16-0000"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    status, out, err = call("runs", "--json")
    assert (status, err) == (0, "")
    rows = json.loads(out)
    assert [row["id"] for row in rows] == [newest.id, completed_run.id, damaged.name]
    assert [row["state"] for row in rows] == ["queued", "completed", "damaged"]
    assert "run.json is missing or damaged" in rows[2]["error"]
    assert rows[1]["test_macro_f1"] == (completed_run.metrics("test") or {})["macro_f1"]
    assert all(set(row) == set(rows[0]) for row in rows)
    status, out, _ = call("runs")
    assert status == 0
    assert len(out.splitlines()) == 3


def test_cache_is_shown_and_cleared(call: Call, tiny_dataset: Path, tmp_path: Path) -> None:
    _, trained, _ = call("train", "--data", tiny_dataset, *SMALL)
    status, out, err = call("cache")
    assert (status, err) == (0, "")
    assert "36 rows" in out
    assert all(f"  {kind}: " in out for kind in ("features", "scans", "audits", "looks"))
    (tmp_path / "data" / "uploads" / "set").mkdir(parents=True)
    (tmp_path / "data" / "uploads" / "set" / "1.png").write_bytes(bytes(2_000_000))
    waiting = new_run(tiny_dataset, tmp_path / "runs")
    status, _, err = call("cache", "--clear")
    assert status == 1
    assert waiting.id in one_line(err)
    waiting.request_stop()
    call("resume", waiting.id)
    status, out, err = call("cache", "--clear")
    assert (status, err) == (0, "")
    assert "MB freed" in out
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["speeds.json"]
    assert "2.0 MB        1 files  uploads: unpacked zips" in out.partition("What stays")[2]
    assert "36 rows" not in call("cache")[1]
    # What was trained before needs none of it.
    assert call("evaluate", Path(trained.splitlines()[-1]))[0] == 0


# --- wrong usage and what could not be done


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["demo"],
        ["demo", "--out", "x", "--images", "many"],
        ["scan"],
        ["scan", "--data"],
        ["scan", "--data", "x", "--verbose"],
        ["train"],
        ["train", "--data", "x", "--epochs", "abc"],
        ["train", "--data", "x", "--epochs", "0"],
        ["train", "--data", "x", "--epochs"],
        ["train", "--data", "x", "--epoch", "3"],
        ["train", "--data", "x", "--lr", "-1"],
        ["train", "--data", "x", "--lr", "nan"],
        ["train", "--data", "x", "--backbone", "alexnet"],
        ["train", "--data", "x", "--optimizer", "lion"],
        ["train", "--data", "x", "--alpha", "heavy"],
        ["train", "--data", "x", "--hidden", "1,two"],
        ["train", "--data", "x", "--labels", "A>B>C"],
        ["train", "--data", "x", "--backbone", "small-cnn", "--weights", "imagenet"],
        ["train", "--data", "x", "--jobs", "3"],
        ["resume"],
        ["evaluate"],
        ["evaluate", "x", "--split", "holdout"],
        ["predict", "x"],
        ["predict", "x", "y", "--json", "--csv"],
        ["runs", "extra"],
        ["cache", "--purge"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(call: Call, arguments: list[str]) -> None:
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    one_line(err)


def test_a_value_of_the_wrong_form_is_named(call: Call) -> None:
    err = one_line(call("train", "--data", "x", "--epochs", "abc")[2])
    assert "epochs" in err
    assert "'abc'" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scan", "--data", "nowhere"], "nowhere"),
        (["train", "--data", "nowhere"], "nowhere"),
        (["resume", "nothing"], "no run 'nothing'"),
        (["evaluate", "nothing", "--json"], "no run 'nothing'"),
        (["predict", "nothing", "a.png", "--json"], "no run 'nothing'"),
        (["runs", "--runs", str(ROOT / "pyproject.toml")], "expected a folder"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_1(call: Call, arguments: list[str], message: str) -> None:
    status, out, err = call(*arguments)
    assert (status, out) == (1, "")
    assert message in one_line(err)


def test_what_the_system_refuses_is_one_line(call: Call, tiny_dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for arguments in (
        ("demo", "--out", tmp_path / "file" / "below"),
        ("demo", "--out", tmp_path / "file"),
        ("train", "--data", tiny_dataset, "--runs", tmp_path / "file" / "runs", *SMALL),
        ("resume", "x" * 5000),
    ):
        status, _, err = call(*arguments)
        assert status == 1
        one_line(err)


def test_alpha_that_does_not_fit_the_classes(call: Call, tiny_dataset: Path, tmp_path: Path) -> None:
    status, _, err = call("train", "--data", tiny_dataset, *SMALL, "--labels", "single", "--alpha", "1,2")
    assert status == 1
    assert "expected 3 numbers" in one_line(err)
    assert list_runs(tmp_path / "runs") == []


def test_a_run_that_fails_says_why_in_one_line(call: Call, tiny_dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "other.pt").write_bytes(b"something else")
    arguments = ("train", "--data", tiny_dataset, "--backbone", "resnet18", "--image-size", "64", "--weights")
    status, _, err = call(*arguments, tmp_path / "other.pt")
    assert status == 1
    assert "other.pt cannot be read as weights" in one_line(err)
    (run,) = list_runs(tmp_path / "runs")
    assert run.state == "failed"
    assert "other.pt cannot be read as weights" in str(run.status.error)


@pytest.mark.parametrize("content", [None, b""])
def test_weights_that_are_not_there_are_said_before_anything_is_read_or_queued(
    call: Call, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "nowhere.pt").write_bytes(content)
    # The data set is not there either: the weights are looked at first.
    arguments = (
        "train",
        "--data",
        tmp_path / "no data",
        "--backbone",
        "resnet18",
        "--weights",
        tmp_path / "nowhere.pt",
    )
    status, out, err = call(*arguments)
    assert (status, out) == (1, "")
    assert ("there is no file" if content is None else "it is empty (0 bytes)") in one_line(err)
    assert list_runs(tmp_path / "runs") == []


def test_weights_that_do_not_fit_are_said_before_the_run_waits_for_its_turn(
    call: Call, tiny_dataset: Path, tmp_path: Path
) -> None:
    """Another training holds the turn, and the cache of features stays empty."""
    import torch

    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pt")
    (tmp_path / "runs").mkdir()
    with FileLock(tmp_path / "runs" / ".turn.lock"):
        status, out, err = call(
            "train", "--data", tiny_dataset, "--backbone", "resnet18", "--weights", tmp_path / "other.pt"
        )
    assert status == 1
    assert "do not fit resnet18" in one_line(err)
    assert "Features" not in out
    assert find_run(tmp_path / "runs", "2").state == "failed"


def test_every_choice_of_a_hyperparameter_is_in_its_help(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    # So wide that no word is broken.
    monkeypatch.setenv("COLUMNS", "500")
    status, out, _ = call("train", "--help")
    assert status == 0
    shown = " ".join(out.partition("options:")[2].split())
    for name, field in TrainConfig.model_json_schema()["properties"].items():
        help_text = shown.partition(f"--{name.replace('_', '-')} ")[2].partition(" --")[0]
        choices = field.get("enum", ["true", "false"] if field.get("type") == "boolean" else [])
        assert all(f" {choice}" in help_text for choice in choices), name


def test_a_files_name_is_said_once(call: Call, completed_run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no image")
    for file in (tmp_path / "x.jpg", tmp_path / "gone.jpg"):
        status, _, err = call("predict", completed_run.path, file)
        assert status == 1
        assert one_line(err).count(file.name) == 1


def test_an_unfinished_run_neither_evaluates_nor_predicts(call: Call, tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs")
    for arguments in (["evaluate", run.id], ["predict", run.id, "a.png"], ["evaluate", run.id, "--data", tiny_dataset]):
        status, _, err = call(*arguments)
        assert status == 1
        assert "is queued: expected a completed training" in one_line(err)
    with pytest.raises(Exception, match="queued"):
        queue_again(run)
    assert find_run(tmp_path / "runs", run.id).state == "queued"


def test_commands_without_a_network_import_no_torch(tiny_dataset: Path, completed_run: Run) -> None:
    script = (
        "import sys; from cxr_core.__main__ import main\n"
        f"assert main(['scan', '--data', {str(tiny_dataset)!r}, '--json']) == 0\n"
        f"assert main(['runs', '--runs', {str(completed_run.path.parent)!r}]) == 0\n"
        f"assert main(['evaluate', {str(completed_run.path)!r}, '--json']) == 0\n"
        "assert 'torch' not in sys.modules\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert len(scan(tiny_dataset).samples) == 36


def test_help_and_version(call: Call) -> None:
    for arguments in (["--help"], ["--version"], ["train", "--help"]):
        status, out, err = call(*arguments)
        assert (status, err) == (0, "")
        assert out
    for name in TrainConfig.model_fields:
        assert f"--{name.replace('_', '-')} " in call("train", "--help")[1]
