"""A full disk is one sentence with the file and what it needs, at every writer; what was there before stays."""

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cxr_core import demo
from cxr_core.data import changes, kept
from cxr_core.data.dataset import scan
from cxr_core.data.folder import Entry
from cxr_core.disk import free_at, room_for, size, why_full
from cxr_core.errors import CxrError, DiskError
from cxr_core.images.limits import ImageInfo
from cxr_core.model.features import FeatureStore, Space
from cxr_core.model.network import save_weights
from cxr_core.runs.jobs import queue_again
from cxr_core.runs.run import Run, list_runs
from cxr_core.settings import write_atomic
from cxr_core.training.progress import Progress
from cxr_core.training.worker import RESERVE, work
from tests import ROOT
from tests.runs_support import measured, new_run, train

FULL = Path("/dev/full")
# Files beyond the limit cannot be written: the system answers EFBIG where a full disk answers ENOSPC.
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from cxr_core.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


def test_a_size_is_never_rounded_to_nothing() -> None:
    shown = {0: "0 bytes", 1: "1 bytes", 512: "512 bytes", 999: "999 bytes", 1000: "1.0 kB", 45_000_000: "45.0 MB"}
    shown |= {528_000_000: "528 MB", 999_499: "999 kB", 999_500: "1.0 MB", 3_200_000_000: "3.2 GB", 10**13: "10.0 TB"}
    assert {count: size(count) for count in shown} == shown


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_what_the_system_says_of_a_full_disk_is_known(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as plain:
        FULL.write_bytes(b"x" * 100)
    assert why_full(plain.value) == "the disk is full"
    with pytest.raises(DiskError) as told, room_for(tmp_path / "a" / "weights.bin", 1500):
        FULL.write_bytes(b"x" * 100)
    message = str(told.value)
    assert str(tmp_path / "a" / "weights.bin") in message
    assert "the disk is full (1.5 kB needed, " in message
    assert "Errno" not in message


def test_safetensors_errors_of_a_full_disk_are_known(tmp_path: Path) -> None:
    def too_large() -> None:
        save_file({"a": torch.zeros(10_000)}, tmp_path / "a.safetensors")

    error = limited(too_large, 4096)
    assert type(error).__name__ == "SafetensorError"
    assert why_full(error) == "the system does not allow a file of this size"
    assert why_full(ValueError("os error 28")) is None
    assert why_full(PermissionError(errno.EACCES, "no")) is None


def limited(write: Callable[[], object], limit: int = 4096) -> BaseException:
    """What ``write`` raises where no file may be larger than ``limit`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        write()
    except Exception as error:
        return error
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    raise AssertionError("it was written")


# --- every writer


SPACE = Space("small-cnn", "none", 1, 64, (64, 64), "float16")


def write_features(folder: Path) -> None:
    store = FeatureStore(SPACE, folder)
    store.append(["a:0"], np.zeros((1, 64, 64), np.float16))


def change_table(folder: Path) -> None:
    with changes.changing(folder / "marks.csv"):
        write_atomic(folder / "marks.csv", "x" * 10_000)


def scan_many(folder: Path) -> None:
    found = kept.KeptScan(folder)
    for k in range(100):
        entry = Entry(folder / f"{k}.png", 1, 1)
        found.put(entry, ("0" * 32, ImageInfo(1, 1, "L", "PNG", 8)))
    found.save()


WRITERS: dict[str, Callable[[Path], object]] = {
    "a file": lambda folder: write_atomic(folder / "report.html", b"x" * 10_000),
    "weights": lambda folder: save_weights(nn.Linear(100, 100), folder / "best.safetensors"),
    "features": write_features,
    "progress": lambda folder: Progress(folder / "progress.json")("extracting", 1, 1, note="x" * 10_000),
    "marks": change_table,
    "scan": scan_many,
    "drawings": lambda folder: demo.draw(folder / "drawn", images=12, seed=0),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_says_which_file_and_what_it_needs(tmp_path: Path, writer: str) -> None:
    error = limited(lambda: WRITERS[writer](tmp_path))
    message = str(error)
    assert isinstance(error, CxrError), message
    assert str(tmp_path) in message
    assert "cannot be written: the system does not allow a file of this size (" in message
    assert " free)" in message
    assert "Errno" not in message
    assert "\n" not in message
    # Half a file is never left.
    assert not [
        file for file in tmp_path.rglob(".*") if file.suffix != ".lock" and file.is_file() and file.name != ".lock"
    ]


def test_what_was_there_before_stays(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a.txt", "before")
    assert isinstance(limited(lambda: write_atomic(tmp_path / "a.txt", "x" * 10_000)), DiskError)
    assert (tmp_path / "a.txt").read_text() == "before"
    store = FeatureStore(SPACE, tmp_path)
    row = np.arange(4096, dtype=np.float16).reshape(1, 64, 64)
    store.append(["a:0"], row)
    error = limited(lambda: store.append(["b:0"], row), store.row_bytes + 100)
    assert "The 1 rows kept before stay" in str(error)
    # Cut in the middle of a row, and a line of the index too.
    with (store.folder / "index.txt").open("a") as index:
        index.write("b:")
    again = FeatureStore(SPACE, tmp_path)
    assert again.names == {"a:0"}
    again.append(["b:0"], row + 1)
    np.testing.assert_array_equal(FeatureStore(SPACE, tmp_path).read(np.array([0, 1])), np.concatenate([row, row + 1]))


def test_a_run_that_cannot_be_laid_down_leaves_nothing(tiny_dataset: Path, tmp_path: Path) -> None:
    scan(tiny_dataset)
    (tmp_path / "runs").mkdir()
    error = limited(lambda: new_run(tiny_dataset, tmp_path / "runs"), 300)
    assert isinstance(error, CxrError)
    assert list_runs(tmp_path / "runs") == []
    assert not [entry for entry in (tmp_path / "runs").iterdir() if entry.is_dir()]


# --- a training


@pytest.mark.parametrize(
    ("limit", "file"), [(70_000, "rows.bin"), (400_000, "state.safetensors"), (66_000, "prefix.safetensors")]
)
def test_a_training_on_a_full_disk_fails_with_a_sentence_and_resumes_to_the_same(
    tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, file: str
) -> None:
    config: dict[str, Any] = (
        {"backbone": "resnet18", "weights": "none", "hidden": (16,)} if file.startswith("prefix") else {}
    )
    if file == "state.safetensors":
        # Rows of images are small; the state is twice the weights and more.
        config = {"image_size": 32}
    run = new_run(tiny_dataset, tmp_path / "runs", epochs=3, **config)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), "resume", str(run.path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.startswith("error: ")
    assert file in done.stderr
    assert "the system does not allow a file of this size" in done.stderr
    assert run.state == "failed"
    assert str(run.status.error) in done.stderr
    assert "Then resume the run" in str(run.status.error)
    assert not (run.path / RESERVE).exists()
    queue_again(run)
    assert work(run).state == "completed"
    monkeypatch.setenv("CXR_CACHE", str(tmp_path / "other cache"))
    whole = train(tiny_dataset, tmp_path / "runs", epochs=3, **config)
    assert measured(run) == measured(whole)
    assert run.weights_file.read_bytes() == whole.weights_file.read_bytes()


def test_the_space_that_features_need_is_told_in_a_size_that_one_can_read(
    tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs")
    monkeypatch.setattr("cxr_core.training.stages.free_at", lambda folder: 4096)
    with pytest.raises(DiskError, match=r"need 147 kB and .* has 4\.1 kB free"):
        work(run)
    assert run.state == "failed"
    assert Run(run.path).status.error != ""
    assert json.loads((run.path / "status.json").read_text())["state"] == "failed"


def test_what_is_free_is_asked_where_the_file_would_be(tmp_path: Path) -> None:
    there = free_at(tmp_path / "not" / "yet" / "there")
    assert there is not None
    assert there > 0
