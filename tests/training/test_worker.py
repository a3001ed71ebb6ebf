"""The worker, in this process: from queued to completed, stopped anywhere, on files that change under it."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from cxr_core.caches import clear as clear_kept
from cxr_core.errors import CxrError, DatasetError, RunError
from cxr_core.inference.trained import Trained
from cxr_core.model.features import kept_spaces
from cxr_core.model.network import initial_suffix, load_prefix, space_of
from cxr_core.runs.jobs import queue_again
from cxr_core.runs.run import Run
from cxr_core.training.worker import work
from tests.runs_support import FROZEN, POOLED, measured, new_run, noise, train, wait_until


class StopWhen:
    """Asks ``run`` to stop as soon as ``condition`` holds, from a thread beside the block."""

    def __init__(self, condition: Callable[[], bool], run: Run) -> None:
        self.thread = threading.Thread(target=self._watch, args=(condition, run), daemon=True)

    @staticmethod
    def _watch(condition: Callable[[], bool], run: Run) -> None:
        wait_until(condition, "the moment to stop")
        (run.path / "stop").touch()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.thread.join()


@pytest.fixture
def copied(tiny_dataset: Path, tmp_path: Path) -> Path:
    """A copy of the drawn data set, to be changed."""
    return Path(shutil.copytree(tiny_dataset, tmp_path / "data set"))


# --- a whole run


def test_a_completed_run_holds_all_it_should(completed_run: Run) -> None:
    run = completed_run
    assert run.state == "completed"
    assert [row.epoch for row in run.history] == [1, 2]
    assert run.progress.stage == "evaluating"
    assert run.progress.done == run.progress.total
    queued, started, ended = run.status.queued, run.status.started, run.status.ended
    assert ended
    assert started
    assert queued
    assert ended >= started >= queued
    assert run.unreadable.empty
    files = {file.name for file in run.path.iterdir()}
    assert {"best.safetensors", "last.safetensors", "decision.json", "metrics_val.json", "metrics_test.json"} <= files
    assert not {"last", "stop"} & files
    for split in ("val", "test"):
        metrics = run.metrics(split)
        assert metrics is not None
        assert metrics["n"] == (run.split["split"] == split).sum() == len(run.predictions(split))


def test_the_history_is_that_of_the_seed(completed_run: Run, tiny_dataset: Path, tmp_path: Path) -> None:
    again = train(tiny_dataset, tmp_path / "runs", seed=completed_run.config.seed)
    other = train(tiny_dataset, tmp_path / "runs", seed=1)
    assert measured(again) == measured(completed_run)
    assert again.weights_file.read_bytes() == completed_run.weights_file.read_bytes()
    assert measured(other) != measured(completed_run)
    assert "Features: 36 of 36 are kept, 0 to compute." not in completed_run.log


def test_the_frozen_part_stays_and_lies_in_the_run(frozen_run: Run) -> None:
    from cxr_core.model.features import FeatureStore

    config = frozen_run.config
    before = load_prefix(config, FeatureStore(space_of(config))).state_dict()
    after = load_file(frozen_run.prefix_file)
    assert set(before) == set(after)
    assert all(torch.equal(before[name], value) for name, value in after.items())
    start = initial_suffix(config, 3).state_dict()
    assert any(not torch.equal(start[name], value) for name, value in load_file(frozen_run.weights_file).items())


def test_pooled_features_are_standardised_on_the_training_images(pooled_run: Run) -> None:
    """On those alone, and the constants lie in the run."""
    split, found = pooled_run.split, load_file(pooled_run.weights_file)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CXR_CACHE", str(pooled_run.path.parent.parent / "cache"))
        store = Trained.load(pooled_run).store()
    rows = store.read(store.rows([f"{digest}:0" for digest in split.loc[split["split"] == "train", "digest"]]))
    wide = rows.astype(np.float64)
    assert wide.shape == ((split["split"] == "train").sum(), 464)
    np.testing.assert_allclose(found["standard.mean"], wide.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["standard.std"], wide.std(axis=0), rtol=1e-4, atol=1e-6)
    assert found["head.1.weight"].shape == (3, 464)


def test_other_hyperparameters_compute_no_feature_again(tiny_dataset: Path, tmp_path: Path) -> None:
    train(tiny_dataset, tmp_path / "runs", **FROZEN)
    (kept,) = kept_spaces()
    assert kept.rows == 36
    train(tiny_dataset, tmp_path / "runs", **{**FROZEN, "lr": 0.1, "gamma": 0, "hidden": (8,), "batch_size": 3})
    assert kept_spaces() == [kept]


# --- the best epoch


def test_the_best_epoch_is_kept_and_used_though_it_is_not_the_last(tmp_path: Path) -> None:
    """Training says dark is A and bright is B, validation says the opposite: every epoch makes it worse."""
    for k in range(8):
        for split, dark, bright in (("train", "A", "B"), ("val", "B", "A"), ("test", "A", "B")):
            noise(tmp_path / "data" / split / dark / f"{k}.png", 100 + k, high=90)
            noise(tmp_path / "data" / split / bright / f"{k}.png", 200 + k, low=160)
    run = train(
        tmp_path / "data", tmp_path / "runs", epochs=5, image_size=32, monitor="loss", dropout=0, train_anyway=True
    )
    best, last = load_file(run.weights_file), load_file(run.path / "last.safetensors")
    epoch = json.loads((run.path / "decision.json").read_text())["epoch"]
    assert epoch == min(run.history, key=lambda row: row.val.loss or 0.0).epoch < 5
    assert run.best == run.history[epoch - 1]
    assert any(not torch.equal(best[name], last[name]) for name in best)
    used = Trained.load(run).suffix.state_dict()
    assert all(torch.equal(used[name], value) for name, value in best.items())
    metrics = run.metrics("val")
    assert metrics is not None
    assert metrics["confusion"] == run.history[epoch - 1].val.confusion


def test_patience_ends_a_run_early_and_completes_it(tiny_dataset: Path, tmp_path: Path) -> None:
    # A learning rate too small to change a weight; only the batch norm's averages move.
    run = train(tiny_dataset, tmp_path / "runs", **{**FROZEN, "lr": 1e-30, "epochs": 50, "patience": 2})
    assert run.state == "completed"
    assert [row.best for row in run.history] == [True, False, False]


# --- stop and resume


@pytest.mark.parametrize(
    "config",
    [
        {"optimizer": "adamw"},
        {"optimizer": "sgd", "views": 2},
        {"trainable": "last-block"},
        {**POOLED, "mask_border": True},
    ],
)
def test_stopped_in_training_and_resumed_is_the_uninterrupted_run(
    tiny_dataset: Path, tmp_path: Path, config: dict[str, Any]
) -> None:
    if "trainable" in config:
        config = {**FROZEN, **config}
    whole = train(tiny_dataset, tmp_path / "runs", **{**config, "epochs": 6})
    run = new_run(tiny_dataset, tmp_path / "runs", **{**config, "epochs": 6})
    with StopWhen(lambda: run.progress.stage == "training", run):
        work(run)
    assert run.state == "stopped"
    assert not run.stop_requested
    assert len(run.history) < 6
    queue_again(run)
    work(run)
    assert run.state == "completed"
    assert measured(run) == measured(whole)
    assert run.weights_file.read_bytes() == whole.weights_file.read_bytes()
    assert run.metrics("test") == {**(whole.metrics("test") or {}), "warnings": run.warnings}


def test_stopped_while_extracting_computes_only_the_rest(tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs", **{**FROZEN, "views": 12})
    with StopWhen(lambda: run.progress.stage == "extracting", run):
        work(run)
    assert run.state == "stopped"
    assert run.history == []
    (before,) = kept_spaces()
    counts = run.split["split"].value_counts()
    total = 12 * counts["train"] + counts["val"] + counts["test"]
    assert 0 < before.rows < total
    queue_again(run)
    work(run)
    assert run.state == "completed"
    (after,) = kept_spaces()
    assert after.rows == total
    whole = train(tiny_dataset, tmp_path / "runs", **{**FROZEN, "views": 12})
    assert measured(run) == measured(whole)


def test_stopped_while_queued_never_starts(tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs")
    run.request_stop()
    work(run)
    assert run.state == "stopped"
    assert kept_spaces() == []
    queue_again(run)
    work(run)
    assert run.state == "completed"


def test_a_run_interrupted_while_evaluating_goes_on_there(completed_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / completed_run.id
    shutil.copytree(completed_run.path, folder)
    run = Run(folder)
    # As if killed in evaluation, with the state to resume from still there: trained to its end before.
    weights = run.weights_file.read_bytes()
    for file in run.path.glob("metrics_*.json"):
        file.unlink()
    status = {**run.status.model_dump(), "state": "evaluating", "pid": 2**22 + 1}
    (run.path / "status.json").write_text(json.dumps(status))
    assert run.state == "lost"
    queue_again(run)
    work(run)
    assert run.state == "completed"
    assert measured(run) == measured(completed_run)
    assert run.weights_file.read_bytes() == weights
    assert run.metrics("test") == completed_run.metrics("test")


def test_a_completed_run_is_not_worked_on_again(completed_run: Run) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in completed_run.path.iterdir() if file.name[0] != "."}
    with pytest.raises(RunError, match="completed: there is nothing to resume"):
        work(completed_run)
    assert before == {
        file.name: file.stat().st_mtime_ns for file in completed_run.path.iterdir() if file.name[0] != "."
    }


def test_one_worker_per_run(tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs")
    with FileLock(run.path / ".worker.lock"), pytest.raises(RunError, match="already being worked on"):
        work(run)
    assert run.state == "queued"
    assert not (run.path / "history.jsonl").exists()


def test_kept_features_lost_in_between_are_computed_again(tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs", epochs=6)
    with StopWhen(lambda: len(run.history) >= 1, run):
        work(run)
    clear_kept()
    queue_again(run)
    work(run)
    assert measured(run) == measured(train(tiny_dataset, tmp_path / "runs", epochs=6))


# --- what a person has to fix


def failed(run: Run, message: str, kind: type[CxrError] = CxrError) -> str:
    """Works on ``run``, which fails with ``message``; the error that its status then gives."""
    with pytest.raises(kind, match=message):
        work(run)
    assert run.state == "failed"
    assert run.can_resume
    return str(run.status.error)


def test_a_diverging_training_fails_with_the_way_on(tiny_dataset: Path, tmp_path: Path) -> None:
    config = {**FROZEN, "hidden": (64, 64, 64), "lr": 10, "alpha": "900000,900000,900000", "labels": "single"}
    run = new_run(tiny_dataset, tmp_path / "runs", **{**config, "epochs": 60, "dropout": 0})
    error = failed(run, "diverged", RunError)
    assert "Lower the learning rate (now 10)" in error


def test_a_batch_too_small_for_batch_norm_says_so(tiny_dataset: Path, tmp_path: Path) -> None:
    config = {**FROZEN, "trainable": "last-block", "image_size": 32, "batch_size": 1}
    error = failed(new_run(tiny_dataset, tmp_path / "runs", **config), "batch of 1 at 32 px", RunError)
    assert "Raise image_size" in error


def test_an_unreadable_image_is_named_and_left_out(copied: Path, tmp_path: Path) -> None:
    run = new_run(copied, tmp_path / "runs")
    table = run.split
    victim = table[table["split"] == "train"]["file"].iloc[0]
    (copied / victim).unlink()
    changed = table[table["split"] == "test"]["file"].iloc[0]
    noise(copied / changed, seed=7)
    work(run)
    assert run.state == "completed"
    left_out = run.unreadable
    assert set(left_out["file"]) == {str(copied / victim), str(copied / changed)}
    assert left_out.set_index("file")["reason"][str(copied / changed)].endswith("Scan it again and train anew.")
    assert any(warning.startswith("2 images could not be decoded") for warning in run.warnings)
    metrics = run.metrics("test")
    assert metrics is not None
    assert metrics["n"] == (table["split"] == "test").sum() - 1
    assert changed not in set(run.predictions("test")["file"])
    assert any("2 images could not be decoded" in warning for warning in metrics["warnings"])


def test_each_image_left_out_is_named_once_whatever_the_views(copied: Path, tmp_path: Path) -> None:
    run = new_run(copied, tmp_path / "runs", views=3)
    table = run.split
    (copied / table[table["split"] == "train"]["file"].iloc[0]).unlink()
    work(run)
    assert len(run.unreadable) == 1
    assert any(warning.startswith("1 image could not be decoded and was left out") for warning in run.warnings)


def test_copies_of_an_image_that_changed_are_all_left_out(copied: Path, tmp_path: Path) -> None:
    original = next((copied / "train" / "NORMAL").iterdir())
    double = original.with_name(f"zz-copy{original.suffix}")
    shutil.copyfile(original, double)
    run = new_run(copied, tmp_path / "runs")
    double.unlink()
    work(run)
    assert run.state == "completed"
    assert str(double) in set(run.unreadable["file"])


def test_a_class_without_a_readable_training_image(copied: Path, tmp_path: Path) -> None:
    run = new_run(copied, tmp_path / "runs")
    table = run.split
    for file in table[(table["split"] != "test") & (table["label"] == "NORMAL")]["file"]:
        (copied / file).write_bytes(b"not an image")
    failed(run, "No readable training image of NORMAL", DatasetError)


def test_a_data_set_that_vanished_is_named_and_comes_back(copied: Path, tmp_path: Path) -> None:
    run = new_run(copied, tmp_path / "runs")
    copied.rename(tmp_path / "elsewhere")
    error = failed(run, "is not there any more", DatasetError)
    assert str(copied) in error
    (tmp_path / "elsewhere").rename(copied)
    queue_again(run)
    work(run)
    assert run.state == "completed"


def test_with_all_features_kept_the_files_are_not_needed(copied: Path, tmp_path: Path) -> None:
    train(copied, tmp_path / "runs")
    run = new_run(copied, tmp_path / "runs", seed=3)
    copied.rename(tmp_path / "elsewhere")
    work(run)
    assert run.state == "completed"


def test_a_damaged_state_is_refused_and_its_folder_removed_starts_anew(tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs", epochs=6)
    with StopWhen(lambda: len(run.history) >= 1, run):
        work(run)
    (run.path / "last" / "state.safetensors").write_bytes(b"\x00" * 64)
    queue_again(run)
    failed(run, r"cannot be resumed from .*Delete the folder last", RunError)
    shutil.rmtree(run.path / "last")
    queue_again(run)
    work(run)
    assert measured(run) == measured(train(tiny_dataset, tmp_path / "runs", epochs=6))


def test_a_history_that_lost_epochs_is_refused(tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs", epochs=6)
    with StopWhen(lambda: len(run.history) >= 1, run):
        work(run)
    (run.path / "history.jsonl").write_text("")
    queue_again(run)
    failed(run, "lacks epochs", RunError)


def test_a_half_written_line_is_dropped_on_resume(tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs", epochs=4)
    with StopWhen(lambda: len(run.history) >= 1, run):
        work(run)
    with (run.path / "history.jsonl").open("a") as history:
        history.write('{"epoch": 2, "sec')
    queue_again(run)
    work(run)
    assert [row.epoch for row in run.history] == [1, 2, 3, 4]


def test_weights_that_are_not_there_fail_the_run(tiny_dataset: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"\x00" * 64)
    run = new_run(tiny_dataset, tmp_path / "runs", **{**FROZEN, "weights": str(weights)})
    failed(run, "cannot be read as weights")
    weights.unlink()
    queue_again(run)
    failed(run, "there is no file")
