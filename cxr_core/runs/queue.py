"""The order in which trainings of a runs folder come: by number, as in a waiting room. No clock has a say.

queue(folder)                # the run there waits, with the next number
ahead_of(run)                # those that come before it
with turn(run, look): ...    # wait until there are none

Runs wait here, and the trainings that lie inside the folder of a run and go with it: first come, first served.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from cxr_core.errors import RunError
from cxr_core.private import private_lock
from cxr_core.runs import files
from cxr_core.runs.liveness import process_name
from cxr_core.runs.records import Status, written
from cxr_core.runs.run import ACTIVE, Run, list_runs
from cxr_core.settings import write_atomic

NUMBER = ".queue"
TURN_LOCK = ".turn.lock"
_PATIENCE_SECONDS = 10
_POLL_SECONDS = 0.5


def queue(folder: Path) -> None:
    """Let the training in ``folder`` wait for its worker, behind all that wait in its runs folder.

    The calling process answers for it until a worker was started.
    """
    (folder / files.LAUNCHED).unlink(missing_ok=True)
    write_atomic(folder / files.STATUS, written(queued_status(_next_number(runs_dir_of(folder)))))


def queued_status(number: int) -> Status:
    """The status of a run that waits for its worker."""
    return Status(
        state="queued",
        number=number,
        process=process_name(os.getpid()),
        host=socket.gethostname(),
        queued=time.time(),
        pid=None,
        error=None,
    )


def owner_of(folder: Path) -> Run | None:
    """The run that a training goes with, in whose folder it lies; None for a run of its own."""
    return Run(folder.parent) if (folder.parent / files.RUN).exists() else None


def runs_dir_of(folder: Path) -> Path:
    """The runs folder whose queue the training in ``folder`` waits in."""
    owner = owner_of(folder)
    return owner.path.parent if owner else folder.parent


def ahead_of(run: Run) -> list[Run]:
    """Trainings of the same runs folder that are at work, and behind them those that wait with a lower number."""
    mine = place_of(run)
    others = [(other, other.state) for other in _trainings(runs_dir_of(run.path)) if other.path != run.path]
    waiting = [other for other, state in others if state == "queued" and place_of(other) < mine]
    at_work = [other for other, state in others if state in ACTIVE and state != "queued"]
    return [*at_work, *sorted(waiting, key=place_of)]


def place_of(run: Run) -> tuple[int, str]:
    """What trainings are sorted by as they wait."""
    return run.status.number, str(run.path)


@contextmanager
def turn(run: Run, look: Callable[[list[Run]], None]) -> Iterator[None]:
    """Wait until no other training of this runs folder is at work and no earlier one waits; none begins in the block.

    Each time that it looks who is ahead it tells ``look``; what that raises ends the waiting.
    """
    lock = private_lock(runs_dir_of(run.path) / TURN_LOCK)
    while True:
        ahead = ahead_of(run)
        look(ahead)
        if not ahead:
            try:
                lock.acquire(timeout=0)
                break
            except Timeout:
                pass
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _trainings(runs_dir: Path) -> Iterator[Run]:
    for run in list_runs(runs_dir):
        yield run
        yield from (Run(file.parent) for file in run.path.glob(f"*/{files.RUN}"))


def _next_number(runs_dir: Path) -> int:
    file = runs_dir / NUMBER
    try:
        with private_lock(runs_dir / f"{NUMBER}.lock", timeout=_PATIENCE_SECONDS):
            try:
                last = int(file.read_text(encoding="ascii"))
            except (FileNotFoundError, ValueError):
                last = max((place_of(run)[0] for run in _trainings(runs_dir)), default=0)
            write_atomic(file, str(last + 1))
            return last + 1
    except Timeout:
        raise RunError(f"The queue of {runs_dir} is held by another process. Try again in a moment.") from None
