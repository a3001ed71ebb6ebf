"""Worker processes: a training runs in a process of its own, which outlives page, browser and server.

What a button starts is what a person would type: ``python -m cxr_core resume RUN``. It waits for its turn (one
training at a time in a runs folder), so a second one queues.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cxr_core.activity import RECORDED, record
from cxr_core.config import TrainConfig, check_weights_given
from cxr_core.data.dataset import scan
from cxr_core.errors import RunError
from cxr_core.private import open_private
from cxr_core.runs import controls, files, left_out
from cxr_core.runs.companions import CONTROLS, Companion, Experiment, active, check_ready, lined_up
from cxr_core.runs.liveness import note_launch
from cxr_core.runs.queue import queue
from cxr_core.runs.records import written
from cxr_core.runs.run import ACTIVE, Run
from cxr_core.settings import write_atomic

POLL_SECONDS = 0.2
PROJECT = Path(__file__).resolve().parents[2]


def start_training(
    data: Path, config: TrainConfig, runs_dir: Path, progress: Callable[[int, int], None] | None = None
) -> Run:
    """Scan ``data`` (kept from before where unchanged), create the run and start its worker."""
    # Brings the audit: heavier than what only watches runs may be.
    from cxr_core.runs.creation import create_run

    check_weights_given(config)
    run = create_run(scan(data, progress), config, runs_dir, progress)
    start(run)
    return run


def wait(run: Run, seconds: float | None = None) -> Run:
    """Return when the run is completed. Raises RunError where it ends otherwise, or is not at its end in time."""
    end = None if seconds is None else time.monotonic() + seconds
    while (state := run.state) in ACTIVE:
        if end is not None and time.monotonic() > end:
            raise RunError(f"Run {run.id} is {state} after {seconds:g} seconds. It goes on; wait for it again.")
        time.sleep(POLL_SECONDS)
    if state != "completed":
        reason = run.status.error or "its log says more"
        raise RunError(f"Run {run.id} is {state}: {reason}")
    return run


def start(run: Run) -> None:
    """Start the worker of a queued run and return at once."""
    _launch(["resume", str(run.path)], run.path / files.LOG, run, [run])


def start_experiment(run: Run, experiment: Experiment) -> None:
    """Start (or go on) measuring what goes with a completed run, in a process of its own, and return at once."""
    check_ready(run)
    if active(run, experiment) is not None:
        raise RunError(f"The {experiment.title} of run {run.id} are being measured already.")
    if experiment is CONTROLS:
        companions: Sequence[Companion] = controls.planned(run)
    else:
        plan = left_out.planned(run)
        companions = plan.companions
        if not companions:
            raise RunError(plan.message)
    waiting = lined_up(run, experiment, companions)
    record("trained", experiment.name, run=run.id, runs=run.path.parent)
    _launch(["audit", "--run", str(run.path), "--only", experiment.name], run.path / experiment.log, run, waiting)


def _launch(arguments: list[str], log_file: Path, run: Run, waiting: Sequence[Run]) -> None:
    """Start ``python -m cxr_core`` with these arguments, apart from this process, for the trainings that wait for it:
    ``run`` itself, or what goes with it.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", RECORDED: "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    try:
        with open_private(log_file, "ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "cxr_core", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )
    except OSError as error:
        reason = f"Its worker cannot be started ({error.strerror}: {error.filename or sys.executable})."
        for one in waiting:
            failed = one.status.model_copy(update={"state": "failed", "error": reason})
            write_atomic(one.path / files.STATUS, written(failed))
        raise RunError(f"Run {run.id}: {reason} Nothing was lost: resume it when that is fixed.") from None
    for one in waiting:
        note_launch(one.path, worker.pid)
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
    (run.path / files.STOP).unlink(missing_ok=True)
    queue(run.path)
    record("trained", "resumed", run=run.id, runs=run.path.parent)


def stop(run: Run) -> None:
    """Ask the run to stop. A queued run stops at once, a running one within a step or, in short epochs, an epoch."""
    run.request_stop()
    record("trained", "stop asked for", run=run.id, runs=run.path.parent)
