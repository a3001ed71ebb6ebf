"""Viewings of the test split are counted once each, together, and never in the way of reading."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from cxr_core.runs import files, viewings
from cxr_core.runs.run import Run
from tests.pages.support import tiny_dataset, tiny_run


@pytest.fixture
def run(isolated: Path) -> Run:
    return tiny_run(isolated / "runs", tiny_dataset(isolated / "tiny"), "completed")


def test_a_look_of_the_command_line_counts_always_and_a_viewer_once(run: Run) -> None:
    assert viewings.count(run) == 0
    assert "not viewed yet" in viewings.sentence(run)
    viewings.add(run)
    viewings.add(run)
    for _ in range(3):
        viewings.add(run, "a browser")
    viewings.add(run, "another")
    assert viewings.count(run) == 4


def test_no_token_of_a_browser_is_kept(run: Run) -> None:
    viewings.add(run, "secret-token")
    assert "secret-token" not in (run.path / files.VIEWINGS).read_text()


def test_viewers_do_not_pile_up_without_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewings, "_VIEWERS", 3)
    for k in range(5):
        viewings.add(run, str(k))
    kept = json.loads((run.path / files.VIEWINGS).read_text())
    assert (kept["test"], len(kept["viewers"])) == (5, 3)


def test_looks_at_once_are_all_counted(run: Run) -> None:
    threads = [threading.Thread(target=viewings.add, args=(run, f"viewer {k}")) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert viewings.count(run) == 12


def test_where_nothing_can_be_written_nothing_breaks(run: Run) -> None:
    # A folder in the file's place: writing fails as on a disk that may only be read, also for an administrator.
    (run.path / files.VIEWINGS).mkdir()
    viewings.add(run)
    assert viewings.count(run) == 0
    shutil.rmtree(run.path)
    viewings.add(run)
    assert not run.path.exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"test": "many", "viewers": []}', '{"test": 3}', "\xff"])
def test_a_damaged_count_starts_again(run: Run, content: str) -> None:
    (run.path / files.VIEWINGS).write_text(content, encoding="latin-1")
    assert viewings.count(run) == 0
    viewings.add(run)
    assert viewings.count(run) == 1


def test_runs_are_compared_where_they_have_a_score_on_the_same_data(run: Run, isolated: Path) -> None:
    root = Path(run.info.data)
    assert viewings.compared(run) == 1
    assert "no other run" in viewings.sentence(run)
    tiny_run(isolated / "runs", root, "completed")
    tiny_run(isolated / "runs", root, "stopped")
    tiny_run(isolated / "runs", tiny_dataset(isolated / "other", images=9), "completed")
    damaged = isolated / "runs" / "damaged"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    viewings.add(run)
    viewings.add(run)
    assert viewings.sentence(run) == (
        "Test results viewed 2 times; 2 runs share this test set. Pick by validation score, not by test score."
    )


def test_scores_side_by_side_are_counted_by_their_data_set(run: Run, isolated: Path) -> None:
    runs, root = isolated / "runs", Path(run.info.data)
    apart = tiny_run(runs, tiny_dataset(isolated / "other", images=9), "completed")
    waiting = tiny_run(runs, root, "stopped")
    damaged = Run(runs / "damaged")
    damaged.path.mkdir()
    (damaged.path / "run.json").write_text("{")
    assert viewings.side_by_side([]) == ""
    assert viewings.side_by_side([run, apart, waiting, damaged]) == ""
    again = tiny_run(runs, root, "completed")
    assert "2 runs share the test set of tiny." in viewings.side_by_side([run, apart, waiting, damaged, again])
    assert viewings.count(run) == 0
