"""A worker among others: one for a run, one training at a time in a runs folder, seen to be alive, politely killed.

with only_worker(run), terminations_as_interrupts(), turn(run, progress), heartbeat(run):
    ...
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from filelock import Timeout

from cxr_core.errors import RunError
from cxr_core.model.extraction import Interrupted
from cxr_core.private import private_lock
from cxr_core.training.progress import Progress
from cxr_core.training.runs import Run, list_runs

HEARTBEAT_SECONDS = 15


@contextmanager
def only_worker(run: Run) -> Iterator[None]:
    lock = private_lock(run.path / ".worker.lock")
    try:
        with lock.acquire(timeout=0):
            yield
    except Timeout:
        raise RunError(f"Run {run.id} is already being worked on by another process.") from None


@contextmanager
def turn(run: Run, progress: Progress) -> Iterator[None]:
    """Wait until no other run of this folder is at work and no earlier one waits."""
    lock = private_lock(run.path.parent / ".turn.lock")
    queued = run.status["queued"]
    while True:
        if run.stop_requested:
            raise Interrupted
        others = [other for other in list_runs(run.path.parent) if other.id != run.id and other.is_active]
        ahead = [other for other in others if other.state != "queued" or other.status["queued"] < queued]
        if not ahead:
            try:
                lock.acquire(timeout=0)
                break
            except Timeout:
                pass
        progress("queued", 0, 1, ahead=len(ahead))
        time.sleep(0.5)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def heartbeat(run: Run) -> Iterator[None]:
    """Touch ``status.json`` now and then: a reader on another host sees that the worker lives."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            os.utime(run.path / "status.json")

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def terminations_as_interrupts() -> Iterator[None]:
    """A polite kill stops the run as Ctrl-C does, so that it can be resumed."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
