"""Runs, Evaluate and Predict in every state: no run, queued, running, stopped, failed, lost, completed, damaged.

What Predict does with uploads is in ``test_predict``.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_core.runs.run import Run, list_runs
from cxr_core.ui.run.table import run_table
from tests.pages.support import open_page, sound, texts, tiny_dataset, tiny_run

PAGES = ("pages/4_Runs.py", "pages/5_Evaluate.py", "pages/6_Predict.py")
RESULTS = PAGES[1:]
UNFINISHED = ("queued", "extracting", "training", "evaluating", "stopped", "failed", "lost")


@pytest.fixture
def runs(isolated: Path) -> Path:
    """The empty folder of runs that the pages read."""
    return isolated / "runs"


@pytest.fixture
def make(runs: Path, tmp_path: Path) -> Callable[..., Run]:
    """``make("completed", labels="single")``: a run in that state."""
    root = tiny_dataset(tmp_path / "tiny")
    return lambda state, **given: tiny_run(runs, root, state, **given)


def links(at: AppTest) -> set[str]:
    return {str(link.proto.label) for link in at.get("page_link")}


@pytest.mark.parametrize("page", PAGES)
def test_without_a_run_says_what_to_do(runs: Path, page: str) -> None:
    at = sound(open_page(page))
    assert "There is no run yet." in texts(at)
    assert any("Train" in label for label in links(at))


@pytest.mark.parametrize("state", UNFINISHED)
@pytest.mark.parametrize("page", RESULTS)
def test_results_of_an_unfinished_run(make: Callable[..., Run], page: str, state: str) -> None:
    make("completed")
    run = make(state)
    at = sound(open_page(page, run=run.id))
    assert at.selectbox(key="run").value == run.id
    shown = texts(at)
    expected = {
        "queued": "waits for its turn",
        "stopped": "was stopped: 3 of 4 epochs",
        "failed": "The loss is no longer a number",
        "lost": "process of this run is gone",
    }
    assert expected.get(state, "still going") in shown
    assert ("Watch it" in links(at)) == (state in UNFINISHED[:4])
    assert not at.get("plotly_chart")
    assert not at.get("file_uploader")


@pytest.mark.parametrize("page", RESULTS)
def test_results_open_with_a_completed_run(make: Callable[..., Run], page: str) -> None:
    finished, damaged = make("completed"), make("completed")
    make("training")
    (damaged.path / "run.json").write_text("{", encoding="utf-8")
    assert sound(open_page(page)).selectbox(key="run").value == finished.id


@pytest.mark.parametrize("state", [*UNFINISHED, "completed"])
def test_runs_offers_what_the_state_allows(make: Callable[..., Run], state: str) -> None:
    run = make(state)
    at = sound(open_page(PAGES[0], run=run.id))
    buttons = {button.label for button in at.button}
    assert ("Resume" in buttons) == (state in ("stopped", "failed", "lost"))
    assert ("Stop" in buttons) == (state in UNFINISHED[:4])
    assert ({"Evaluate", "Predict"} <= links(at)) == (state == "completed")
    table = at.dataframe[0].value
    assert len(table) == 1
    assert table["epochs"][0] == f"{0 if state in ('queued', 'extracting') else 3} of 4"
    assert bool(table["test_right"][0]) == (state == "completed")


def test_a_stop_is_asked_once(make: Callable[..., Run]) -> None:
    run = make("training")
    at = open_page(PAGES[0], run=run.id)
    sound(at.button(key=f"stop-{run.id}").click().run())
    assert run.stop_requested
    assert at.button(key=f"stop-{run.id}").disabled


def test_a_run_is_renamed(make: Callable[..., Run]) -> None:
    run = make("completed")
    at = open_page(PAGES[0], run=run.id)
    at.text_input(key=f"name-{run.id}").set_value("  *First*   try  ")
    sound(next(button for button in at.button if button.label == "Save").click().run())
    assert run.name == "*First* try"
    assert "*First* try" in texts(at)


def test_a_name_of_nothing_is_refused(make: Callable[..., Run]) -> None:
    run = make("completed")
    at = open_page(PAGES[0], run=run.id)
    at.text_input(key=f"name-{run.id}").set_value("   ")
    sound(next(button for button in at.button if button.label == "Save").click().run())
    assert "1 to 80 printable characters" in texts(at)
    assert run.name == run.id


def test_a_deletion_is_asked_twice(make: Callable[..., Run], runs: Path) -> None:
    kept, doomed = make("completed"), make("completed")
    at = open_page(PAGES[0], run=doomed.id)
    assert at.button(key=f"delete-{doomed.id}").disabled
    at.checkbox(key=f"sure-{doomed.id}").check().run()
    assert doomed.id in at.checkbox(key=f"sure-{doomed.id}").label.replace("\\", "")
    sound(at.button(key=f"delete-{doomed.id}").click().run())
    assert [run.id for run in list_runs(runs)] == [kept.id]
    assert at.selectbox(key="run").value == kept.id


DAMAGE: dict[str, tuple[str, str]] = {
    "no description": ("run.json", ""),
    "half a description": ("run.json", '{"config": {"backbone": "small-'),
    "a list": ("run.json", "[1, 2]"),
    "no configuration": ("run.json", '{"config": 7, "classes": [], "implied": {}, "data": ""}'),
    "unknown hyperparameter": ("run.json", '{"config": {"colour": 1}, "classes": ["A"], "implied": {}, "data": "x"}'),
    "status": ("status.json", "{"),
    "status of another kind": ("status.json", '{"state": "training", "pid": "x", "host": 3}'),
    "unknown state": ("status.json", '{"state": "dancing"}'),
    "history": ("history.jsonl", "{]\n"),
    "history of another kind": ("history.jsonl", '{"epoch": "x"}\n[]\n'),
    "metrics": ("metrics_test.json", '{"n": 3}'),
    "metrics of other types": ("metrics_test.json", '{"n": "3", "confusion": 4, "classes": "ABC"}'),
    "predictions": ("predictions_test.csv", "file,label\na,b\n"),
    "not a table": ("predictions_test.csv", "\x00\x01"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_run_hides_no_other(make: Callable[..., Run], page: str, damage: str) -> None:
    good, bad = make("completed"), make("completed")
    name, content = DAMAGE[damage]
    (bad.path / name).write_text(content, encoding="utf-8")
    sound(open_page(page, run=bad.id))
    at = sound(open_page(page, run=good.id))
    assert at.selectbox(key="run").value == good.id
    if page == PAGES[0]:
        assert len(at.dataframe[0].value) == 2
        assert at.button(key=f"delete-{good.id}")
    else:
        assert not at.error


def test_a_damaged_run_says_so_and_can_be_deleted(make: Callable[..., Run], runs: Path) -> None:
    bad = make("completed")
    (bad.path / "run.json").write_text("{", encoding="utf-8")
    at = sound(open_page(PAGES[0]))
    assert "missing or damaged" in texts(at)
    at.checkbox(key=f"sure-{bad.id}").check().run()
    sound(at.button(key=f"delete-{bad.id}").click().run())
    assert list_runs(runs) == []


def test_two_hundred_runs_are_a_table_in_a_moment(make: Callable[..., Run], runs: Path) -> None:
    run = make("completed", epochs=20, epochs_done=20)
    for k in range(199):
        shutil.copytree(run.path, runs / f"{run.id}{k:03d}")
    started = time.perf_counter()
    table = run_table(list_runs(runs))
    assert len(table) == 200
    assert not table["problem"].any()
    assert time.perf_counter() - started < 2, "0.3 s on an idle machine"


def test_a_cleared_choice_is_the_first_run_and_an_unknown_one_is_none(make: Callable[..., Run]) -> None:
    run = make("completed")
    at = sound(open_page(PAGES[1], run="no-such-run"))
    assert at.selectbox(key="run").value is None
    sound(at.selectbox(key="run").set_value(run.id).run())
    sound(at.selectbox(key="run").set_value(None).run())
    assert at.selectbox(key="run").value == run.id
