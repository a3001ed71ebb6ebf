"""Worker processes, real ones: they queue, stop, die, are resumed, and outlive whoever started them."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cxr_core.config import TrainConfig
from cxr_core.errors import DatasetError, RunError
from cxr_core.runs import jobs, liveness
from cxr_core.runs.run import Run, list_runs
from cxr_core.training.worker import work
from tests import ROOT
from tests.runs_support import SMALL, measured, new_run, train, wait_until


@pytest.fixture
def runs_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder of runs; no worker of it outlives the test."""
    folder = tmp_path / "runs"
    yield folder
    for run in list_runs(folder):
        if run.is_active and run.status.pid:
            os.kill(int(run.status.pid or 0), signal.SIGKILL)


def test_killed_in_training_and_resumed_is_the_uninterrupted_run(
    tiny_dataset: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The training is over before a worker that finds the lock held would give up.
    monkeypatch.setattr(liveness, "LOCK_PATIENCE_SECONDS", 0)
    whole = train(tiny_dataset, runs_dir, epochs=40)
    run = new_run(tiny_dataset, runs_dir, epochs=40)
    jobs.start(run)
    wait_until(lambda: len(run.history) >= 3, "three epochs")
    assert run.state == "training"
    with pytest.raises(RunError, match="already being worked on"):
        work(run)
    with pytest.raises(RunError, match="is training: only a stopped, lost or failed one"):
        jobs.resume(run)
    with pytest.raises(RunError, match="stop it before"):
        run.delete()

    os.kill(int(run.status.pid or 0), signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(int(run.status.pid or 0)), "the end of the worker")
    assert run.state == "lost"
    assert len(run.history) < 40

    jobs.resume(run)
    assert run.state == "queued"
    wait_until(lambda: not run.is_active, "the end of the resumed run")
    assert run.state == "completed", run.log
    assert measured(run) == measured(whole)
    assert run.weights_file.read_bytes() == whole.weights_file.read_bytes()
    assert "Traceback" not in run.log


def test_one_at_a_time_in_the_order_they_came(tiny_dataset: Path, runs_dir: Path) -> None:
    first = new_run(tiny_dataset, runs_dir, epochs=10_000)
    jobs.start(first)
    wait_until(lambda: len(first.history) >= 1, "the first run's first epoch")
    second, third = new_run(tiny_dataset, runs_dir, seed=2), new_run(tiny_dataset, runs_dir, seed=3)
    jobs.start(second)
    jobs.start(third)
    wait_until(lambda: bool(second.status.pid and third.status.pid), "two waiting workers")
    assert (first.state, second.state, third.state) == ("training", "queued", "queued")

    jobs.stop(third)
    wait_until(lambda: third.state == "stopped", "the stop of a queued run", seconds=20)
    assert (first.state, second.state) == ("training", "queued")
    assert third.history == []

    jobs.stop(first)
    wait_until(lambda: first.state == "stopped", "the stop of the running one", seconds=20)
    assert first.can_resume
    wait_until(lambda: not second.is_active, "the end of the second")
    assert second.state == "completed", second.log
    assert (second.status.started or 0) >= (first.status.ended or math.inf)
    wait_until(lambda: second.log.splitlines()[-1] == str(second.path), "the folder as the log's last line")


def test_a_polite_kill_is_a_stop(tiny_dataset: Path, runs_dir: Path) -> None:
    run = new_run(tiny_dataset, runs_dir, epochs=10_000)
    jobs.start(run)
    wait_until(lambda: len(run.history) >= 1, "the first epoch")
    os.kill(int(run.status.pid or 0), signal.SIGTERM)
    wait_until(lambda: not run.is_active, "the stop", seconds=20)
    assert run.state == "stopped"


STARTER = """
import sys
from pathlib import Path
from cxr_core.config import TrainConfig
from cxr_core.runs.jobs import start_training
run = start_training(Path(sys.argv[1]), TrainConfig.create(**eval(sys.argv[3])), Path(sys.argv[2]))
assert "torch" not in sys.modules
print(run.path)
"""


def test_the_worker_outlives_who_started_it(tiny_dataset: Path, runs_dir: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(tiny_dataset), str(runs_dir), repr(SMALL)]
    # Started from elsewhere, as from a notebook: the worker finds the package all the same.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
    run = Run(Path(answer.stdout.strip()))
    assert run.is_active
    wait_until(lambda: not run.is_active, "the end of the run")
    assert run.state == "completed", run.log


def test_a_worker_that_fails_says_why_in_the_run(tiny_dataset: Path, runs_dir: Path) -> None:
    # There when it was queued, gone when its turn came.
    weights = runs_dir.parent / "nowhere.safetensors"
    weights.write_bytes(b"x")
    run = new_run(tiny_dataset, runs_dir, backbone="resnet18", weights=str(weights))
    weights.unlink()
    jobs.start(run)
    wait_until(lambda: not run.is_active, "the failure")
    assert run.state == "failed"
    assert f"there is no file {weights}" in str(run.status.error)
    wait_until(lambda: run.log.splitlines()[-1:] != [], "the worker's last words")
    assert run.log.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in run.log


def test_what_is_not_to_be_resumed_is_refused(completed_run: Run, tiny_dataset: Path, runs_dir: Path) -> None:
    with pytest.raises(RunError, match="is completed"):
        jobs.resume(completed_run)
    queued = new_run(tiny_dataset, runs_dir)
    with pytest.raises(RunError, match="is queued"):
        jobs.resume(queued)
    assert completed_run.state == "completed"


def test_no_data_set_no_run(runs_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        jobs.start_training(tmp_path / "nowhere", TrainConfig.create(**SMALL), runs_dir)
    assert list_runs(runs_dir) == []


def test_waiting_ends_with_the_run_or_says_why_not(tiny_dataset: Path, completed_run: Run, tmp_path: Path) -> None:
    assert jobs.wait(completed_run) is completed_run
    run = new_run(tiny_dataset, tmp_path / "runs")
    with pytest.raises(RunError, match="is queued after 0 seconds"):
        jobs.wait(run, seconds=0)
    status = {**run.status.model_dump(), "state": "failed", "error": "The loss is no longer a number."}
    (run.path / "status.json").write_text(json.dumps(status), encoding="utf-8")
    with pytest.raises(RunError, match="is failed: The loss is no longer a number"):
        jobs.wait(run)
