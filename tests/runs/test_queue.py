"""One queue for runs and for the trainings that go with them: first come, first served, and the page says so."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cxr_core.errors import RunError
from cxr_core.runs import controls, jobs
from cxr_core.runs.companions import CONTROLS, folder_of, leave_queue, lined_up, request_stop, unfinished
from cxr_core.runs.liveness import note_launch
from cxr_core.runs.queue import NUMBER, ahead_of, owner_of, queue, runs_dir_of
from cxr_core.runs.run import ACTIVE, Run, list_runs
from cxr_core.runs.titles import in_queue
from cxr_core.training.companion_worker import measure_controls
from tests.pages.support import open_page, texts
from tests.runs_support import at_work, copy_of, new_run, wait_until


@pytest.fixture
def owner(completed_run: Run, isolated: Path) -> Iterator[Run]:
    """A completed run, to measure controls of; no worker of its folder outlives the test."""
    copy = copy_of(completed_run, isolated)
    yield copy
    for run in [*list_runs(copy.path.parent), *made(copy)]:
        pid = run.status.pid
        if run.is_active and pid and pid != os.getpid():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def first(owner: Run, tiny_dataset: Path) -> Run:
    """A training at work, by the lock that this process holds."""
    run = new_run(tiny_dataset, owner.path.parent, seed=7)
    at_work(run)
    set_status(run, state="training", pid=os.getpid())
    return run


def set_status(run: Run, **changes: Any) -> None:
    (run.path / "status.json").write_text(json.dumps({**run.status.model_dump(), **changes}), encoding="utf-8")


def made(owner: Run) -> list[Run]:
    """The folders of the controls, in the order in which they are trained."""
    return [folder_of(owner, CONTROLS, companion.name) for companion in controls.planned(owner)]


def number(run: Run) -> int:
    return int(run.status.number)


def live(run: Run) -> str:
    """What the page that a run is watched on says of it."""
    at = open_page("pages/3_Train.py", run=run.id)
    assert not at.exception
    return texts(at)


def live_controls(owner: Run) -> str:
    """What stands where the controls of a run will be."""
    at = open_page("pages/5_Evaluate.py", timeout=60, run=owner.id)
    at.segmented_control(key="section").set_value("Controls").run()
    assert not at.exception
    return texts(at)


@pytest.mark.parametrize("controls_first", [False, True])
def test_whoever_came_first_trains_first_and_the_page_says_who_that_is(
    owner: Run, first: Run, tiny_dataset: Path, controls_first: bool
) -> None:
    """Real processes of both kinds wait behind a training; neither overtakes the other when that ends."""
    run = new_run(tiny_dataset, owner.path.parent, seed=2) if not controls_first else None
    jobs.start_experiment(owner, CONTROLS)
    if run is None:
        run = new_run(tiny_dataset, owner.path.parent, seed=2)
    run.rename("Night shift")
    jobs.start(run)
    companions = made(owner)
    numbers = [number(one) for one in companions]
    wait_until(lambda: bool(run.status.pid and companions[0].status.pid), "two waiting workers")
    time.sleep(1)  # a turn that is free is taken within half a second
    assert [one.state for one in (first, run, *companions)] == ["training", *["queued"] * 3]
    assert [number(one) for one in companions] == numbers, "the worker keeps the numbers that were given"
    ours = [f"{owner.name}: {name} (queued)" for name in ("Without lungs", "Middle alone")]
    if controls_first:
        assert f"Waits for 3 before it: {first.name} (training), {', '.join(ours)}. One training" in live(run)
        assert f"Waits for 1 before it: {first.name} (training). One training" in live_controls(owner)
    else:
        assert f"Waits for 1 before it: {first.name} (training). One training" in live(run)
        assert f"Waits for 2 before it: {first.name} (training), Night shift (queued)" in live_controls(owner)

    set_status(first, state="stopped")

    def at_end(one: Run) -> bool:
        # The folders of the controls go when both are done.
        return one.state == "completed" or not (one.path / "status.json").exists()

    while not (CONTROLS.file in os.listdir(owner.path) and run.state == "completed"):
        if controls_first:
            assert run.state == "queued" or all(map(at_end, companions))
        else:
            assert all(one.state == "queued" for one in companions) or at_end(run)
        assert run.state in (*ACTIVE, "completed"), run.log
        time.sleep(0.01)
    wait_until(lambda: not any(one.path.exists() for one in companions), "the end of the controls' process")


def test_both_kinds_have_numbers_of_one_row(owner: Run, tiny_dataset: Path) -> None:
    runs_dir = owner.path.parent
    before = new_run(tiny_dataset, runs_dir, seed=2)
    lungs, middle = lined_up(owner, CONTROLS, controls.planned(owner))
    after = new_run(tiny_dataset, runs_dir, seed=3)
    order = [before, lungs, middle, after]
    assert [ahead_of(run) for run in order] == [order[:place] for place in range(4)]
    assert [owner_of(run.path) for run in order] == [None, owner, owner, None]
    assert {runs_dir_of(run.path) for run in order} == {runs_dir}
    assert in_queue(middle) == f"{owner.name}: Middle alone"
    # The counter gone: counted on from all that wait, of either kind.
    set_status(after, state="stopped", number=0)
    (runs_dir / NUMBER).unlink()
    queue(after.path)
    assert number(after) == number(middle) + 1
    # Asked for once more, those that wait keep their places.
    assert lined_up(owner, CONTROLS, controls.planned(owner)) == [lungs, middle]
    assert [ahead_of(run) for run in order] == [order[:place] for place in range(4)]


def test_one_whose_process_has_ended_is_not_waited_for(owner: Run, tiny_dataset: Path) -> None:
    waiting = lined_up(owner, CONTROLS, controls.planned(owner))
    after = new_run(tiny_dataset, owner.path.parent, seed=3)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as child:
        for one in waiting:
            note_launch(one.path, child.pid)
        assert ahead_of(after) == waiting
    assert [one.state for one in waiting] == ["lost", "lost"]
    assert ahead_of(after) == []
    # On another host the heartbeat decides.
    set_status(waiting[1], host=f"not-{socket.gethostname()}")
    assert ahead_of(after) == waiting[1:]
    os.utime(waiting[1].path / "status.json", (1, 1))
    assert ahead_of(after) == []


def test_controls_that_are_stopped_as_they_wait_hold_nobody_up(owner: Run, first: Run, tiny_dataset: Path) -> None:
    jobs.start_experiment(owner, CONTROLS)
    after = new_run(tiny_dataset, owner.path.parent, seed=3)
    assert ahead_of(after) == [first, *made(owner)]
    wait_until(lambda: bool(made(owner)[0].status.pid), "the waiting worker")
    request_stop(owner, CONTROLS)
    wait_until(lambda: ahead_of(after) == [first], "the stop of both")
    assert [one.state for one in made(owner)] == ["stopped", "stopped"]
    assert not any(one.stop_requested for one in made(owner))
    assert [one.history for one in made(owner)] == [[], []]


def test_what_fails_stops_those_behind_it_and_says_why(
    owner: Run, tiny_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("cxr_core.training.stages.keep", broken)
        with pytest.raises(RunError, match="failed unexpectedly"):
            measure_controls(owner)
    assert [one.state for one in made(owner)] == ["failed", "stopped"]
    left = unfinished(owner, CONTROLS)
    assert left is not None
    assert left.state == "failed"
    assert ahead_of(new_run(tiny_dataset, owner.path.parent, seed=3)) == []


def broken(*_: object) -> None:
    raise ValueError("as it happens")


def test_none_is_left_waiting_where_the_others_could_not_be_laid_down(
    owner: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cxr_core.runs import companions

    laid_down = companions.laid_down

    def refused(run: Run, experiment: Any, companion: Any, place: str) -> Run:
        if place.startswith("2"):
            raise RunError("no room")
        return laid_down(run, experiment, companion, place)

    monkeypatch.setattr(companions, "laid_down", refused)
    with pytest.raises(RunError, match="no room"):
        jobs.start_experiment(owner, CONTROLS)
    assert made(owner)[0].state == "stopped"


def test_one_that_another_process_works_on_is_left_to_it(owner: Run) -> None:
    lungs, middle = lined_up(owner, CONTROLS, controls.planned(owner))
    at_work(lungs)
    leave_queue([lungs, middle])
    assert [lungs.state, middle.state] == ["queued", "stopped"]


def test_a_worker_that_cannot_be_started_leaves_none_waiting(owner: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(RunError, match="cannot be started"):
        jobs.start_experiment(owner, CONTROLS)
    assert [one.state for one in made(owner)] == ["failed", "failed"]
