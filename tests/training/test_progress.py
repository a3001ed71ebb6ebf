"""progress.json: what it says and how often it is written."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from cxr_core.training.progress import EVERY_SECONDS, Progress


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "progress.json"


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def test_first_and_last_are_always_written(file: Path) -> None:
    progress = Progress(file)
    progress("extracting", 0, 100)
    assert read(file) == {"stage": "extracting", "done": 0, "total": 100, "per_second": None, "seconds_left": None}
    for done in range(1, 100):
        progress("extracting", done, 100)
    assert read(file)["done"] < 100
    progress("extracting", 100, 100)
    assert read(file)["done"] == 100


def test_a_new_stage_is_written_at_once(file: Path) -> None:
    progress = Progress(file)
    progress("extracting", 5, 100)
    progress("training", 1, 50, epoch=1, epochs=3)
    assert read(file)["stage"] == "training"
    assert (read(file)["epoch"], read(file)["epochs"]) == (1, 3)


def test_not_more_than_twice_a_second(file: Path) -> None:
    progress, written = Progress(file), 0
    last: int | None = None
    started = time.monotonic()
    while time.monotonic() - started < 2.2 * EVERY_SECONDS:
        progress("training", 1, 10**9)
        inode = file.stat().st_mtime_ns
        written += inode != last
        last = inode
    assert 2 <= written <= 3


def test_speed_and_time_left_count_from_where_the_stage_began(file: Path) -> None:
    """A resumed training starts at image 900: those were not done in this second."""
    progress = Progress(file)
    progress("training", 900, 1000)
    time.sleep(EVERY_SECONDS + 0.05)
    progress("training", 950, 1000)
    content = read(file)
    assert 0 < content["per_second"] < 100
    assert content["seconds_left"] == pytest.approx(50 / content["per_second"])


def test_a_new_stage_has_its_own_speed(file: Path) -> None:
    progress = Progress(file)
    progress("extracting", 0, 10)
    time.sleep(0.25)
    progress("extracting", 10, 10)
    assert read(file)["seconds_left"] == 0
    progress("training", 10, 10)
    assert read(file)["per_second"] is None
