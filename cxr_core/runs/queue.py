"""The order in which trainings of a runs folder come: by number, as in a waiting room. No clock has a say.

queue(folder)            # the run there waits, with the next number
ahead_of(run)            # those that come before it
"""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from filelock import Timeout

from cxr_core.errors import RunError
from cxr_core.private import private_lock
from cxr_core.runs.liveness import LAUNCHED, process_name
from cxr_core.runs.run import Run, list_runs
from cxr_core.settings import write_atomic

NUMBER = ".queue"
_PATIENCE_SECONDS = 10


def queue(folder: Path, runs_dir: Path | None = None) -> None:
    """Let the run in ``folder`` wait for its worker, behind all that wait in ``runs_dir`` (or where it lies).

    The calling process answers for it until a worker was started.
    """
    (folder / LAUNCHED).unlink(missing_ok=True)
    write_atomic(folder / "status.json", json.dumps(queued_status(_next_number(runs_dir or folder.parent))))


def queued_status(number: int) -> dict[str, Any]:
    """The status of a run that waits for its worker."""
    return {
        "state": "queued",
        "number": number,
        "pid": None,
        "process": process_name(os.getpid()),
        "host": socket.gethostname(),
        "queued": time.time(),
        "error": None,
    }


def ahead_of(run: Run) -> list[Run]:
    """Runs of the same folder that are at work, or wait with a lower number."""
    mine = _place(run)
    others = [other for other in list_runs(run.path.parent) if other.id != run.id and other.is_active]
    return [other for other in others if other.state != "queued" or _place(other) < mine]


def _place(run: Run) -> tuple[int, str]:
    number = run.status.get("number")
    return (number if isinstance(number, int) else 0), run.id


def _next_number(runs_dir: Path) -> int:
    file = runs_dir / NUMBER
    try:
        with private_lock(runs_dir / f"{NUMBER}.lock", timeout=_PATIENCE_SECONDS):
            try:
                last = int(file.read_text(encoding="ascii"))
            except (FileNotFoundError, ValueError):
                last = max((_place(run)[0] for run in list_runs(runs_dir)), default=0)
            write_atomic(file, str(last + 1))
            return last + 1
    except Timeout:
        raise RunError(f"The queue of {runs_dir} is held by another process. Try again in a moment.") from None
