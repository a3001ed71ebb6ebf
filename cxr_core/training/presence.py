"""A worker among others: one for a run, seen to be alive, politely killed.

with only_worker(run) as place, terminations_as_interrupts(), heartbeat(run):
    place.check()   # raises Moved where somebody renamed the folder meanwhile
"""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cxr_core.errors import RunError
from cxr_core.runs import files
from cxr_core.runs.liveness import HEARTBEAT_SECONDS, worker_lock
from cxr_core.runs.run import Run, list_runs


class Moved(Exception):
    """The run's folder has another name now: ``run`` is where it lies."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.path)
        self.run = run


@dataclass(frozen=True)
class Place:
    """The folder that a worker works in, known by more than its name."""

    run: Run
    folder: tuple[int, int]

    @classmethod
    def of(cls, run: Run) -> "Place":
        """Where the run lies now."""
        return cls(run, _folder(run.path) or (0, 0))

    @property
    def is_there(self) -> bool:
        """Whether the run still lies where it did."""
        return _folder(self.run.path) == self.folder and (self.run.path / files.RUN).exists()

    def check(self) -> None:
        """Raises Moved where the folder was renamed in its runs folder, RunError where it went elsewhere."""
        if self.is_there:
            return
        parent = self.run.path.parent
        for other in list_runs(parent):
            if _folder(other.path) == self.folder:
                self._sweep()
                raise Moved(other)
        self._sweep()
        raise RunError(
            f"The folder {self.run.path} is gone: it was moved or deleted while the run was worked on. If it was "
            "moved, resume the run where it lies now; it goes on from its last finished state."
        )

    def _sweep(self) -> None:
        """Remove what was written under the old name between the renaming and the look at it."""
        left = self.run.path
        if left.is_dir() and not (left / files.RUN).exists() and _folder(left) != self.folder:
            shutil.rmtree(left, ignore_errors=True)


def _folder(path: Path) -> tuple[int, int] | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino


@contextmanager
def only_worker(run: Run) -> Iterator[Place]:
    """Be the one process that works on the run. Raises RunError where another is."""
    with worker_lock(run.path, f"Run {run.id} is already being worked on by another process."):
        yield Place.of(run)


@contextmanager
def heartbeat(*runs: Run) -> Iterator[None]:
    """Touch each ``status.json`` now and then: where locks do not reach, another host sees that the worker lives."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            for run in runs:
                # Renamed, or a network drive that does not answer for a moment: the worker itself finds out.
                with suppress(OSError):
                    os.utime(run.path / files.STATUS)

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
