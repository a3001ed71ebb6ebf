"""Small real runs for the tests: made, trained in this process, compared, waited for.

run = train(tiny_dataset, tmp_path / "runs", epochs=3)
assert measured(run) == measured(other)
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from cxr_core import demo
from cxr_core.config import TrainConfig
from cxr_core.data.dataset import scan
from cxr_core.runs.creation import create_run
from cxr_core.runs.files import WORKER_LOCK
from cxr_core.runs.run import Run

CLASSES = ("COVID19", "NORMAL", "PNEUMONIA")
SMALL: dict[str, Any] = {"backbone": "small-cnn", "epochs": 2, "image_size": 64, "batch_size": 8, "device": "cpu"}
# Random weights, frozen: what is tested is the mechanism, not what such features are worth.
FROZEN: dict[str, Any] = {**SMALL, "backbone": "resnet18", "weights": "none", "hidden": (16,), "lr": 0.01}

POOLED: dict[str, Any] = {
    **SMALL,
    "backbone": "efficientnet_lite0",
    "features": "stages",
    "hidden": (),
    "optimizer": "adamw",
    "lr": 0.01,
}


def lettered_dataset(root: Path, images: int) -> Path:
    """A drawn data set whose images of COVID19, and they alone, have two white letters L in a corner."""
    demo.draw(root, images=images, seed=1)
    for file in root.glob("*/*/*.png"):
        picture = np.array(Image.open(file).convert("L"))
        height, width = picture.shape
        picture[: height // 6, : width // 5] = 20
        if file.parent.name == "COVID19":
            bottom, stroke = height // 12, width // 60
            for left in (width // 20, width // 9):
                picture[bottom - height // 20 : bottom, left : left + stroke] = 255
                picture[bottom - height // 60 : bottom, left : left + 3 * stroke] = 255
        Image.fromarray(picture).save(file)
    return root


def new_run(root: Path, runs_dir: Path, **config: Any) -> Run:
    """A queued run on the data set at ``root``: ``SMALL`` with ``config`` over it."""
    return create_run(scan(root), TrainConfig.create(**{**SMALL, **config}), runs_dir)


def train(root: Path, runs_dir: Path, **config: Any) -> Run:
    """The same, worked on in this process until it ends."""
    from cxr_core.training.worker import work

    run = new_run(root, runs_dir, **config)
    work(run)
    return run


_held: list[FileLock] = []


def at_work(run: Run) -> FileLock:
    """Holds the run as a worker does, in this process: until the lock is released, or the process ends."""
    lock = FileLock(run.path / WORKER_LOCK)
    lock.acquire(timeout=0)
    _held.append(lock)
    return lock


def copy_of(run: Run, folder: Path) -> Run:
    """A copy of a run below ``folder``/runs, to be written to."""
    return Run(Path(shutil.copytree(run.path, folder / "runs" / run.id)))


def measured_copy(run: Run, folder: Path, measure: Callable[[Run], bool]) -> Run:
    """A copy of a run with a cache of its own, and what ``measure`` trains beside it."""
    copy = copy_of(run, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", str(folder / "cache"))
        assert measure(copy)
    return copy


def measured(run: Run) -> list[dict[str, Any]]:
    """The run's history without the times, which differ from one training to the next."""
    return [row.model_dump(exclude={"seconds", "images_per_second"}) for row in run.history]


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
    """Look at ``condition`` again and again; AssertionError that says ``what`` did not happen in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


def noise(file: Path, seed: int, low: int = 0, high: int = 256) -> Path:
    """A grey PNG of 40 x 40 random pixels, ``low`` to ``high``."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(low, high, (40, 40), dtype=np.uint8)
    Image.fromarray(pixels).save(file)
    return file
