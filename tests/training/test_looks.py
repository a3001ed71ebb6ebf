"""Looks at the test split are counted once each, together, and never in the way of reading."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from cxr_core.training import looks
from cxr_core.training.runs import Run
from tests.pages_support import tiny_dataset, tiny_run


@pytest.fixture
def run(isolated: Path) -> Run:
    return tiny_run(isolated / "runs", tiny_dataset(isolated / "tiny"), "completed")


def test_a_look_of_the_command_line_counts_always_and_a_viewer_once(run: Run) -> None:
    assert looks.count(run) == 0
    assert "was not looked at yet" in looks.sentence(run)
    looks.look(run)
    looks.look(run)
    for _ in range(3):
        looks.look(run, "a browser")
    looks.look(run, "another")
    assert looks.count(run) == 4


def test_no_token_of_a_browser_is_kept(run: Run) -> None:
    looks.look(run, "secret-token")
    assert "secret-token" not in (run.path / looks.FILE).read_text()


def test_viewers_do_not_pile_up_without_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "_VIEWERS", 3)
    for k in range(5):
        looks.look(run, str(k))
    kept = json.loads((run.path / looks.FILE).read_text())
    assert (kept["test"], len(kept["viewers"])) == (5, 3)


def test_looks_at_once_are_all_counted(run: Run) -> None:
    threads = [threading.Thread(target=looks.look, args=(run, f"viewer {k}")) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert looks.count(run) == 12


def test_where_nothing_can_be_written_nothing_breaks(run: Run) -> None:
    # A folder in the file's place: writing fails as on a disk that may only be read, also for an administrator.
    (run.path / looks.FILE).mkdir()
    looks.look(run)
    assert looks.count(run) == 0
    shutil.rmtree(run.path)
    looks.look(run)
    assert not run.path.exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"test": "many", "viewers": []}', '{"test": 3}', "\xff"])
def test_a_damaged_count_starts_again(run: Run, content: str) -> None:
    (run.path / looks.FILE).write_text(content, encoding="latin-1")
    assert looks.count(run) == 0
    looks.look(run)
    assert looks.count(run) == 1


def test_runs_are_compared_where_they_have_a_score_on_the_same_data(run: Run, isolated: Path) -> None:
    root = Path(run.info["data"])
    assert looks.compared(run) == 1
    assert "no other run" in looks.sentence(run)
    tiny_run(isolated / "runs", root, "completed")
    tiny_run(isolated / "runs", root, "stopped")
    tiny_run(isolated / "runs", tiny_dataset(isolated / "other", images=9), "completed")
    damaged = isolated / "runs" / "damaged"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    looks.look(run)
    looks.look(run)
    assert looks.sentence(run) == (
        "The test split was looked at 2 times; 2 runs on this data set have been compared on it: choosing among them "
        "by test is choosing by test."
    )


def test_scores_side_by_side_are_counted_by_their_data_set(run: Run, isolated: Path) -> None:
    runs, root = isolated / "runs", Path(run.info["data"])
    apart = tiny_run(runs, tiny_dataset(isolated / "other", images=9), "completed")
    waiting = tiny_run(runs, root, "stopped")
    damaged = Run(runs / "damaged")
    damaged.path.mkdir()
    (damaged.path / "run.json").write_text("{")
    assert looks.side_by_side([]) == ""
    assert looks.side_by_side([run, apart, waiting, damaged]) == ""
    again = tiny_run(runs, root, "completed")
    assert "a score of the same test: 2 on tiny." in looks.side_by_side([run, apart, waiting, damaged, again])
    assert looks.count(run) == 0
