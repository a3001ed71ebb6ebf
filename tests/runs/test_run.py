"""A run on disk: what its folder says, whoever damaged it, and what a person may do with it."""

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cxr_core.config import TrainConfig
from cxr_core.data.dataset import scan
from cxr_core.errors import ConfigError, RunError
from cxr_core.images.version import PIXELS
from cxr_core.runs.creation import create_run
from cxr_core.runs.records import ProgressNote
from cxr_core.runs.run import Run, find_run, list_runs
from cxr_core.settings import write_atomic
from tests import ROOT
from tests.runs_support import SMALL, at_work, new_run, noise


@pytest.fixture
def run(tiny_dataset: Path, tmp_path: Path) -> Run:
    """A queued run without a worker."""
    return new_run(tiny_dataset, tmp_path / "runs")


@pytest.fixture
def finished(completed_run: Run, tmp_path: Path) -> Run:
    """A copy of a completed run, to be damaged."""
    folder = tmp_path / "runs" / completed_run.id
    shutil.copytree(completed_run.path, folder)
    return Run(folder)


def set_status(run: Run, **changes: Any) -> None:
    (run.path / "status.json").write_text(json.dumps({**run.status.model_dump(), **changes}), encoding="utf-8")


# --- a new run


def test_a_new_run_says_what_it_will_do(run: Run, tiny_dataset: Path) -> None:
    dataset = scan(tiny_dataset)
    assert run.state == "queued"
    assert run.is_active
    assert not run.can_resume
    assert run.name == run.id
    assert "small-cnn" in run.id
    assert run.classes == dataset.classes
    assert run.implied == {"COVID19": ("PNEUMONIA",)}
    # What auto means is written out.
    assert run.config == TrainConfig.create(**SMALL, monitor="macro_f1")
    assert run.info.data_digest == dataset.digest
    assert Path(run.info.data) == tiny_dataset
    assert set(run.info.versions) >= {"torch", "torchvision", "numpy", "pillow"}
    assert run.history == []
    assert run.best is None
    assert run.progress == ProgressNote()
    assert run.log == ""
    assert run.metrics("test") is None
    with pytest.raises(RunError, match="no predictions for test yet: it is queued"):
        run.predictions("test")


def test_every_image_stands_in_one_split_and_the_counts_are_theirs(run: Run, tiny_dataset: Path) -> None:
    table = run.split
    samples = scan(tiny_dataset).samples
    assert sorted(table["file"]) == sorted(samples["file"])
    assert set(table["split"]) == {"train", "val", "test"}
    assert set(table.loc[table["split"] == "test", "file"]) == set(samples.loc[samples["split"] == "test", "file"])
    for split, counts in run.info.counts.items():
        for name, count in counts.items():
            assert count == ((table["split"] == split) & (table["label"] == name)).sum()
    patients = table[table["patient"] != ""].groupby("patient")["split"].nunique()
    assert (patients == 1).all()


def test_the_test_split_does_not_depend_on_the_training_seed(tiny_dataset: Path, tmp_path: Path) -> None:
    one, two = (new_run(tiny_dataset, tmp_path / "runs", seed=seed) for seed in (0, 1))
    assert one.split.equals(two.split)
    assert one.id != two.id


def test_random_weights_and_drawings_are_said(tiny_dataset: Path, tmp_path: Path) -> None:
    frozen = new_run(tiny_dataset, tmp_path / "runs", backbone="resnet18", weights="none")
    assert any("random weights" in warning for warning in frozen.warnings)
    assert any("drawings" in warning for warning in frozen.warnings)


def test_class_names_and_patients_that_look_like_numbers_stay_text(tmp_path: Path) -> None:
    for seed in range(18):
        name = ("01", "1e3", "NA")[seed % 3]
        noise(tmp_path / "data" / name / f"{seed}.png", seed)
    run = new_run(tmp_path / "data", tmp_path / "runs")
    assert run.classes == ["01", "1e3", "NA"]
    assert set(run.split["label"]) == {"01", "1e3", "NA"}


def test_what_cannot_fit_is_refused_before_a_folder_is_made(tiny_dataset: Path, tmp_path: Path) -> None:
    for config, message in (
        ({"alpha": "1,2", "labels": "single"}, "expected 3 numbers"),
        ({"alpha": "1,2,3"}, "between 0 and 1"),
        ({"labels": "COVID19>LUNG"}, "LUNG"),
    ):
        with pytest.raises(ConfigError, match=message):
            new_run(tiny_dataset, tmp_path / "runs", **config)
    assert list_runs(tmp_path / "runs") == []


def test_a_folder_that_cannot_be_written_is_a_run_error(tiny_dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        create_run(scan(tiny_dataset), TrainConfig.create(**SMALL), tmp_path / "file" / "runs")


# --- the state


def test_active_without_a_process_is_lost(run: Run) -> None:
    lock = at_work(run)
    set_status(run, state="training", pid=os.getpid())
    assert run.state == "training"
    lock.release()
    assert run.state == "lost"
    assert run.can_resume
    set_status(run, pid=2**22 + 1)
    assert run.state == "lost"


@pytest.mark.parametrize("state", ["completed", "stopped", "failed"])
def test_an_ended_run_needs_no_process(run: Run, state: str) -> None:
    set_status(run, state=state, pid=1, process=None)
    assert run.state == state
    assert not run.is_active
    assert run.can_resume == (state != "completed")


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00\x00", "{}", '{"state": 3}', '{"state": "asleep"}'])
def test_a_damaged_status_is_a_failed_run(run: Run, content: str) -> None:
    (run.path / "status.json").write_text(content, encoding="utf-8")
    assert run.state == "failed"
    assert run.can_resume
    assert "damaged" in str(run.status.error)


@pytest.mark.parametrize("changes", [{"pid": "x"}, {"pid": 1, "process": None}, {"process": 7}])
def test_an_active_status_that_no_worker_wrote_is_lost(run: Run, changes: dict[str, Any]) -> None:
    set_status(run, state="training", **changes)
    assert run.state == "lost"


# --- damaged files


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"config": {}}', b"\xff\xfe"])
def test_a_damaged_run_json_is_a_run_error_and_hides_no_other(finished: Run, run: Run, content: bytes) -> None:
    (finished.path / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"run.json is missing or damaged"):
        _ = finished.classes
    with pytest.raises(RunError, match=r"run.json is missing or damaged"):
        _ = finished.config
    assert {found.id for found in list_runs(run.path.parent)} == {finished.id, run.id}
    assert run.classes


def test_a_run_whose_files_were_read_in_another_way_says_so(finished: Run) -> None:
    said = "were read in another way"
    assert not any(said in sentence for sentence in finished.warnings)
    for number in ({}, {"pixels": PIXELS - 1}):
        info = {name: value for name, value in finished.info.model_dump().items() if name != "pixels"} | number
        write_atomic(finished.path / "run.json", json.dumps(info))
        assert sum(said in sentence for sentence in Run(finished.path).warnings) == 1


def test_a_configuration_of_another_version_is_a_run_error(finished: Run) -> None:
    info = json.loads((finished.path / "run.json").read_text())
    info["config"]["epochs"] = -3
    (finished.path / "run.json").write_text(json.dumps(info))
    with pytest.raises(RunError, match=r"no valid configuration: epochs"):
        _ = finished.config


def test_an_unfinished_last_line_of_the_history_is_skipped(finished: Run) -> None:
    rows = finished.history
    assert [row.epoch for row in rows] == [1, 2]
    with (finished.path / "history.jsonl").open("a") as history:
        history.write('{"epoch": 3, "seco')
    assert Run(finished.path).history == rows


@pytest.mark.parametrize("line", [b"{", b"3", b"[]", b"{}", b"\xff", b"\x00\x00\x00", b'{"epoch": 9, "best": true}'])
def test_a_damaged_line_of_the_history_is_a_run_error(finished: Run, line: bytes) -> None:
    first, _, rest = (finished.path / "history.jsonl").read_bytes().partition(b"\n")
    (finished.path / "history.jsonl").write_bytes(line + b"\n" + rest)
    with pytest.raises(RunError, match=r"history.jsonl is damaged in line 1"):
        _ = finished.history
    with pytest.raises(RunError, match=r"damaged in line 1"):
        _ = finished.best
    assert first


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b'file,label\n"a', b"a,b\n1,2\n"])
def test_damaged_tables_are_run_errors(finished: Run, content: bytes | None) -> None:
    for name in ("split.csv", "predictions_test.csv"):
        if content is None:
            (finished.path / name).unlink()
        else:
            (finished.path / name).write_bytes(content)
    with pytest.raises(RunError, match=r"split.csv is"):
        _ = finished.split
    with pytest.raises(RunError, match=r"predictions"):
        finished.predictions("test")


@pytest.mark.parametrize("name", ["progress.json", "metrics_test.json", "found.json"])
def test_damaged_notes_count_as_none(finished: Run, name: str) -> None:
    (finished.path / name).write_bytes(b'{"n": 1')
    assert finished.metrics("test") is None or name != "metrics_test.json"
    assert finished.progress == ProgressNote() or name != "progress.json"
    assert finished.found.space is None or name != "found.json"


def test_predictions_are_read_back_to_the_last_bit(finished: Run) -> None:
    table = finished.predictions("test")
    columns = [f"p_{name}" for name in finished.classes]
    text = (finished.path / "predictions_test.csv").read_text().splitlines()
    header = text[0].split(",")
    for row, line in zip(table.to_dict("records"), text[1:], strict=True):
        cells = dict(zip(header, line.split(","), strict=True))
        assert [row[column] for column in columns] == [float(cells[column]) for column in columns]


# --- what a person may do


def test_rename(run: Run) -> None:
    run.rename("  Ward  7,\tfirst try ")
    assert run.name == "Ward 7, first try"
    assert find_run(run.path.parent, run.id) == run
    for name in ("", "   ", "x" * 81, "a\x00b", "a\u202eb"):
        with pytest.raises(RunError, match="1 to 80 printable"):
            run.rename(name)
    assert run.name == "Ward 7, first try"


def test_an_active_run_is_not_deleted_and_an_ended_one_is_gone(run: Run) -> None:
    with pytest.raises(RunError, match="stop it before"):
        run.delete()
    set_status(run, state="stopped")
    run.delete()
    assert list_runs(run.path.parent) == []
    # Nothing half-deleted is left, only files beside the runs: the queue's numbers, who did what.
    assert [entry for entry in run.path.parent.iterdir() if entry.is_dir()] == []


def test_only_an_active_run_can_be_asked_to_stop(run: Run, finished: Run) -> None:
    run.request_stop()
    assert run.stop_requested
    with pytest.raises(RunError, match="completed"):
        finished.request_stop()
    assert not finished.stop_requested


def test_the_zip_holds_what_evaluates_and_predicts_and_no_more(finished: Run, tmp_path: Path) -> None:
    finished.rename("to be sent")
    (finished.path / "last").mkdir()
    (finished.path / "last" / "state.safetensors").write_bytes(b"large")
    with zipfile.ZipFile(finished.export_zip(tmp_path / "run.zip")) as archive:
        names = {name.removeprefix(f"{finished.id}/") for name in archive.namelist()}
        assert archive.testzip() is None
    assert {"run.json", "split.csv", "history.jsonl", "best.safetensors", "metrics_test.json", "name.txt"} <= names
    assert not any("/" in name or name.startswith(".") for name in names)


# --- finding and listing


def test_a_run_is_found_by_id_beginning_or_path(run: Run) -> None:
    runs_dir = run.path.parent
    assert find_run(runs_dir, run.id) == run
    assert find_run(runs_dir, run.id[:-2]) == run
    assert find_run(runs_dir.parent, str(run.path)) == run
    for wrong in ("", "nothing", "..", "\x00", "x" * 5000, "/"):
        with pytest.raises(RunError, match="no run"):
            find_run(runs_dir, wrong)


def test_an_ambiguous_beginning_names_the_candidates(tiny_dataset: Path, tmp_path: Path) -> None:
    first, second = (new_run(tiny_dataset, tmp_path / "runs") for _ in range(2))
    with pytest.raises(RunError, match="fits 2 runs") as refused:
        find_run(tmp_path / "runs", "2")
    assert first.id in str(refused.value)
    assert second.id in str(refused.value)


def test_no_folder_of_runs_is_no_run(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere") == []


LISTING = """
import sys, time
from pathlib import Path
from cxr_core.runs.run import list_runs
started = time.perf_counter()
rows = [(run.id, run.state, run.config.backbone, len(run.history), run.metrics("test")["accuracy"], run.best.epoch)
        for run in list_runs(Path(sys.argv[1]))]
seconds = time.perf_counter() - started
heavy = [name for name in ("torch", "torchvision", "streamlit", "sklearn") if name in sys.modules]
assert not heavy, heavy
assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
print(len(rows), seconds)
"""


def test_three_hundred_runs_are_listed_fast_and_without_torch(finished: Run) -> None:
    for k in range(299):
        other = finished.path.with_name(f"{finished.id[:-4]}{k:04x}")
        other.mkdir()
        for name in ("run.json", "status.json", "history.jsonl", "metrics_test.json"):
            shutil.copyfile(finished.path / name, other / name)
    command = [sys.executable, "-c", LISTING, str(finished.path.parent)]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    count, seconds = answer.stdout.split()
    assert int(count) == 300
    assert float(seconds) < 3


def test_names_that_begin_like_formulas_come_back_and_do_not_run(tmp_path: Path) -> None:
    names = {"-OPACITY": ["=1+1.png", "'=a.png", "+b;@c.png"], "@NORMAL": ["-a.png", "b.png", "c.png"]}
    for number, (label, files) in enumerate(names.items()):
        for place, file in enumerate(files):
            noise(tmp_path / "data" / label / file, seed=10 * number + place)
    dataset = scan(tmp_path / "data")
    run = create_run(dataset, TrainConfig.create(backbone="small-cnn"), tmp_path / "runs")
    again = run.split.set_index("file")["label"]
    assert set(again.index) == set(dataset.samples["file"]) == {f"{label}/{f}" for label in names for f in names[label]}
    assert {f"{label}/" == file[: len(label) + 1] for file, label in again.items()} == {True}
    rows = (run.path / "split.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) == 6
    for row in csv.reader(rows):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
