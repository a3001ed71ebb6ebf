"""Whether somebody works on a run, and who is next: decided by locks and numbers, whatever the clocks say."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cxr_core.errors import RunError
from cxr_core.runs import jobs, liveness
from cxr_core.runs.files import WORKER_LOCK
from cxr_core.runs.liveness import is_held, lives, note_launch, process_name
from cxr_core.runs.queue import NUMBER, ahead_of
from cxr_core.runs.run import Run, list_runs
from cxr_core.training.worker import work
from tests.runs_support import at_work, measured, new_run, train, wait_until

HOLD = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""
YEARS = 20 * 365 * 86400


@pytest.fixture
def run(tiny_dataset: Path, tmp_path: Path) -> Run:
    """A queued run without a worker."""
    return new_run(tiny_dataset, tmp_path / "runs")


@pytest.fixture
def holder(run: Run) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the run's lock, as its worker does."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(run.path / WORKER_LOCK)], stdout=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def set_status(run: Run, **changes: Any) -> None:
    (run.path / "status.json").write_text(json.dumps({**run.status.model_dump(), **changes}), encoding="utf-8")


# --- the lock


@pytest.mark.parametrize("clock", [1.0, time.time() - YEARS, time.time() + YEARS])
@pytest.mark.parametrize("host", [socket.gethostname(), "another"])
def test_a_held_lock_is_a_live_run_whatever_the_clock(
    run: Run, holder: subprocess.Popen[str], clock: float, host: str
) -> None:
    """The clock jumped, the process number is another's, the heartbeat is years old: it is alive, and stays whole."""
    set_status(run, state="training", pid=1, process="1@2@3", host=host, queued=clock, started=clock)
    os.utime(run.path / "status.json", (clock, clock))
    assert run.state == "training"
    with pytest.raises(RunError, match="stop it before it is deleted"):
        run.delete()
    with pytest.raises(RunError, match="only a stopped, lost or failed one"):
        jobs.resume(run)
    with pytest.raises(RunError, match="already being worked on"):
        work(run)
    assert (run.path / "run.json").exists()


@pytest.mark.parametrize("clock", [1.0, time.time(), time.time() + YEARS])
def test_a_killed_worker_is_lost_whatever_the_clock(run: Run, holder: subprocess.Popen[str], clock: float) -> None:
    set_status(run, state="training", pid=os.getpid(), process=process_name(os.getpid()), queued=clock, started=clock)
    os.utime(run.path / "status.json", (clock, clock))
    assert run.state == "training"
    holder.kill()
    holder.wait()
    assert run.state == "lost"
    run.delete()
    assert not run.path.exists()


def test_a_run_that_begins_while_it_is_deleted_stays(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = at_work(run)
    monkeypatch.setattr(Run, "is_active", False)  # as the look a moment before found it
    with pytest.raises(RunError, match="is at work"):
        run.delete()
    assert (run.path / "run.json").exists()
    lock.release()
    run.delete()
    assert not run.path.exists()


def test_looking_holds_nothing_and_many_look_at_once(run: Run) -> None:
    lock = run.path / WORKER_LOCK
    assert is_held(lock) is False
    assert not lock.exists()
    held = at_work(run)
    assert is_held(lock) is True
    held.release()
    stop = threading.Event()
    seen: list[bool | None] = []

    def look() -> None:
        while not stop.is_set():
            seen.append(is_held(lock))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        with liveness.worker_lock(run.path, "held by a reader"):
            pass
    stop.set()
    for thread in threads:
        thread.join()
    free = [is_held(lock) for _ in range(5)]
    assert free == [False] * 5
    assert len(seen) > 20


def test_a_copy_of_a_run_at_work_is_nobodys(run: Run, holder: subprocess.Popen[str]) -> None:
    set_status(run, state="training", pid=holder.pid, process=process_name(holder.pid))
    copy = Run(Path(shutil.copytree(run.path, run.path.with_name("20200101-000000-copy"))))
    assert (run.state, copy.state) == ("training", "lost")


# --- another host, no locks


def test_on_another_host_the_heartbeat_decides(run: Run) -> None:
    set_status(run, state="training", host=f"not-{socket.gethostname()}", pid=1)
    assert run.state == "training"
    os.utime(run.path / "status.json", (1, 1))
    assert run.state == "lost"
    # A clock that ran ahead there, or was set back here, does not keep a run alive for ever.
    ahead = time.time() + YEARS
    os.utime(run.path / "status.json", (ahead, ahead))
    assert run.state == "lost"


def test_the_heartbeats_age_is_taken_from_the_disks_clock(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    set_status(run, state="training", host="another", pid=1)
    monkeypatch.setattr(time, "time", lambda: 1.0)
    assert run.state == "training"
    monkeypatch.setattr(time, "time", lambda: float(2**33))
    assert run.state == "training"


def test_on_a_disk_without_locks_the_process_decides(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "is_held", lambda lock: None)
    set_status(run, state="training", pid=os.getpid(), process=process_name(os.getpid()))
    assert run.state == "training"
    set_status(run, process=f"{os.getpid()}@1@of-another-start")  # the number was given to another process since
    assert run.state == "lost"


def test_a_process_has_one_name_and_an_ended_one_none(monkeypatch: pytest.MonkeyPatch) -> None:
    name = process_name(os.getpid())
    monkeypatch.setattr(time, "time", lambda: 1.0)
    assert name is not None
    assert process_name(os.getpid()) == name
    assert lives(name)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as child:
        other = process_name(child.pid)
        assert other is not None
        assert other != name
        assert child.stdin is not None
        child.stdin.close()
        # Ended, and nobody has taken its exit status: a zombie.
        wait_until(lambda: not lives(other), "the end of the child")
    for wrong in (None, 7, "", "x@1", "-1@0", "99999999999999@1@a", "\u0664@1"):
        assert not lives(wrong)


# --- queued


@pytest.mark.parametrize("queued", [time.time() + YEARS, 1.0, "soon", None])
def test_queued_stays_queued_while_its_process_lives_whatever_the_clock(run: Run, queued: Any) -> None:
    set_status(run, queued=queued)
    assert run.state == "queued"
    set_status(run, process="1@2@3")
    assert run.state == "lost"
    assert run.can_resume


def test_queued_with_a_worker_that_died_before_it_began_is_resumed(run: Run) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as child:
        note_launch(run.path, child.pid)
        assert run.state == "queued"
        with pytest.raises(RunError, match="is queued: only a stopped, lost or failed one"):
            jobs.queue_again(run)
    assert run.state == "lost"
    jobs.queue_again(run)
    assert run.state == "queued"
    assert work(run).state == "completed"


def test_a_worker_that_cannot_be_started_is_a_failed_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(RunError, match=r"cannot be started .*nowhere/python.* resume it when"):
        jobs.start(run)
    assert run.state == "failed"
    assert run.can_resume


def test_who_came_first_is_first_whatever_the_clock(
    tiny_dataset: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1.0)
    second = new_run(tiny_dataset, run.path.parent, seed=2)
    monkeypatch.setattr(time, "time", lambda: 2e10)
    third = new_run(tiny_dataset, run.path.parent, seed=3)
    assert [len(ahead_of(one)) for one in (run, second, third)] == [0, 1, 2]
    # The counter gone or damaged: counted on from the runs.
    (run.path.parent / NUMBER).write_text("many")
    jobs.queue_again(_stopped(run))
    assert [len(ahead_of(one)) for one in (second, third, run)] == [0, 1, 2]
    assert {other.id for other in ahead_of(run)} == {second.id, third.id}


def _stopped(run: Run) -> Run:
    set_status(run, state="stopped")
    return run


# --- the folder renamed, moved or deleted while it trains


def test_a_folder_renamed_while_it_trains_goes_on_there(tiny_dataset: Path, tmp_path: Path) -> None:
    whole = train(tiny_dataset, tmp_path / "runs", epochs=8)
    run = new_run(tiny_dataset, tmp_path / "runs", epochs=8)
    renamed = Run(run.path.with_name("20990101-000000-my-run"))

    def rename() -> None:
        wait_until(lambda: len(run.history) >= 2, "two epochs")
        run.path.rename(renamed.path)

    beside = threading.Thread(target=rename)
    beside.start()
    ended = work(run)
    beside.join()
    assert ended == renamed
    assert renamed.state == "completed"
    assert not run.path.exists()
    assert measured(renamed) == measured(whole)
    assert renamed.weights_file.read_bytes() == whole.weights_file.read_bytes()
    assert {found.id for found in list_runs(tmp_path / "runs")} == {whole.id, renamed.id}


@pytest.mark.parametrize("deleted", [False, True])
def test_a_folder_moved_away_or_deleted_while_it_trains_is_said(
    tiny_dataset: Path, tmp_path: Path, deleted: bool
) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs", epochs=10_000)
    elsewhere = Run(tmp_path / "other runs" / "moved")
    elsewhere.path.parent.mkdir()

    def away() -> None:
        wait_until(lambda: len(run.history) >= 2, "two epochs")
        run.path.rename(elsewhere.path)
        if deleted:
            shutil.rmtree(elsewhere.path)

    beside = threading.Thread(target=away)
    beside.start()
    with pytest.raises(RunError, match=r"is gone: it was moved or deleted"):
        work(run)
    beside.join()
    assert not run.path.exists()
    if not deleted:
        assert elsewhere.state == "lost"
        jobs.queue_again(elsewhere)
        assert elsewhere.state == "queued"
