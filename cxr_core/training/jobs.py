"""Worker processes: a training runs in a process of its own, which outlives page, browser and server.

What a button starts is what a person would type: ``python -m cxr_core resume RUN``. It waits for its turn (one
training at a time in a runs folder), so a second one queues.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from cxr_core.data.dataset import scan
from cxr_core.errors import RunError
from cxr_core.settings import write_atomic
from cxr_core.training import controls
from cxr_core.training.config import TrainConfig
from cxr_core.training.runs import Run, create_run, queued_status

PROJECT = Path(__file__).resolve().parents[2]


def start_training(
    data: Path, config: TrainConfig, runs_dir: Path, progress: Callable[[int, int], None] | None = None
) -> Run:
    """Scan ``data`` (kept from before where unchanged), create the run and start its worker."""
    run = create_run(scan(data, progress), config, runs_dir, progress)
    start(run)
    return run


def start(run: Run) -> None:
    """Start the worker of a queued run and return at once."""
    _launch(["resume", str(run.path)], run.path / "log.txt")


def start_controls(run: Run) -> None:
    """Start (or go on) measuring the controls of a completed run, in a process of its own, and return at once."""
    controls.check_ready(run)
    if controls.active(run) is not None:
        raise RunError(f"The controls of run {run.id} are being measured already.")
    controls.laid_down(
        run, next((mask for mask in controls.MASKS if not controls.is_done(run, mask)), controls.MASKS[-1])
    )
    _launch(["audit", "--run", str(run.path)], run.path / controls.LOG)


def _launch(arguments: list[str], log_file: Path) -> None:
    """Start ``python -m cxr_core`` with these arguments, apart from this process."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    with log_file.open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "cxr_core", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    # Somebody has to take the exit status, or the ended worker stays behind as a zombie.
    threading.Thread(target=worker.wait, name=f"wait-{worker.pid}", daemon=True).start()


def resume(run: Run) -> None:
    """Queue a stopped, lost or failed run again; it goes on from its last finished state."""
    queue_again(run)
    start(run)


def queue_again(run: Run) -> None:
    """Put a stopped, lost or failed run at the end of the queue. Raises RunError for any other."""
    if not run.can_resume:
        raise RunError(f"Run {run.id} is {run.state}: only a stopped, lost or failed one can be resumed.")
    (run.path / "stop").unlink(missing_ok=True)
    write_atomic(run.path / "status.json", json.dumps(queued_status()))


def stop(run: Run) -> None:
    """Ask the run to stop. A queued run stops at once, a running one within a step or, in short epochs, an epoch."""
    run.request_stop()
