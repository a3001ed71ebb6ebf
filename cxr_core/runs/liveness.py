"""Whether somebody works on a run: asked of the lock that its worker holds, not of a clock.

    alive(run.path, run.status)

From the worker's first line to its last the run's ``.worker.lock`` is held, and the system drops it when the process
ends, however it ends. So, in this order:

1. The lock is held: alive, whoever holds it, on this host or (where a network drive passes locks on) on another.
2. The status is of another host: a lock that is not seen says nothing there. The heartbeat decides, ``status.json``
   touched every 15 seconds, its age taken from the clock of the disk, which wrote both times that are compared.
3. The lock is free: a run at work has lost its worker. A queued one may wait for a worker that is still starting: the
   process that was launched for it, or before that the one that queued it, must live.
4. The disk knows no locks: the process that the status names must live.

A process is named by its number and by when it started, counted from the machine's start, which no clock moves.
"""

import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from filelock import Timeout

from cxr_core.errors import RunError
from cxr_core.private import private_lock
from cxr_core.runs import files
from cxr_core.runs.records import LaunchNote, Status, read, written
from cxr_core.settings import write_atomic

if sys.platform != "win32":
    import fcntl

HEARTBEAT_SECONDS = 15
# Eight beats that did not come.
HEARTBEAT_LIMIT_SECONDS = 120
# Whoever looks whether a lock is held keeps a worker from taking it for that moment.
LOCK_PATIENCE_SECONDS = 2


def alive(folder: Path, status: Status) -> bool:
    """Whether a process stands behind the active ``status`` of the run in ``folder``."""
    held = is_held(folder / files.WORKER_LOCK)
    if held:
        return True
    if status.host != socket.gethostname():
        return abs(_age(folder / files.STATUS)) < HEARTBEAT_LIMIT_SECONDS
    if held is False and status.state != "queued":
        return False
    launched = _launched(folder) if status.pid is None else None
    return lives(launched if launched is not None else status.process)


def is_held(lock: Path) -> bool | None:
    """Whether a process holds this lock; None where the disk cannot tell. Waits for nothing and changes nothing."""
    if sys.platform == "win32":
        return _is_held_here(lock)
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        # Shared: two who look at the same time do not take each other for a worker.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False


def _is_held_here(lock: Path) -> bool | None:
    if not lock.exists():
        return False
    try:
        with private_lock(lock, timeout=0):
            return False
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return None


@contextmanager
def worker_lock(folder: Path, message: str) -> Iterator[None]:
    """Hold the run in ``folder`` as its worker does. Raises RunError with ``message`` where another process does."""
    lock = private_lock(folder / files.WORKER_LOCK)
    try:
        lock.acquire(timeout=LOCK_PATIENCE_SECONDS)
    except Timeout:
        raise RunError(message) from None
    except OSError as error:
        raise RunError(
            f"{folder / files.WORKER_LOCK} cannot be locked ({error.strerror}). Fix its permissions."
        ) from None
    try:
        yield
    finally:
        lock.release()


def process_name(pid: int) -> str | None:
    """A name that no other process gets until the machine starts again; None for one that has ended, or a zombie."""
    try:
        # Behind the command, which may hold anything: state, parent, ..., and as 20th when it started, in ticks.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return None if fields[0] in "ZX" else f"{pid}@{fields[19]}@{boot}"
    except (OSError, IndexError):
        pass
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{pid}@{process.create_time():.0f}"
    except (psutil.Error, ValueError):
        return None


def lives(name: Any) -> bool:
    """Whether the process of this name is still there."""
    number = str(name).partition("@")[0]
    return number.isascii() and number.isdigit() and len(number) < 12 and process_name(int(number)) == name


def note_launch(folder: Path, pid: int) -> None:
    """Write down which process was started for the run in ``folder``: until it holds the lock, it answers for it."""
    # It may have done all of its work by now, and the run may have been deleted.
    with suppress(FileNotFoundError):
        if (folder / files.RUN).exists():
            write_atomic(folder / files.LAUNCHED, written(LaunchNote(process=process_name(pid))))


def _launched(folder: Path) -> str | None:
    """The process that was started for the run; "" for one that has ended at once, None where none was started."""
    try:
        note = read(folder / files.LAUNCHED, LaunchNote)
    except (OSError, RunError):
        return None
    return (note.process or "") if note else None


def _age(file: Path) -> float:
    """Seconds since the file was written, by the clock of the disk that it is on; infinite where there is none."""
    try:
        written = file.stat().st_mtime
    except OSError:
        return float("inf")
    try:
        with tempfile.TemporaryFile(dir=file.parent) as now:
            return os.fstat(now.fileno()).st_mtime - written
    except OSError:
        # A folder that may only be read: this machine's clock has to do.
        return time.time() - written
