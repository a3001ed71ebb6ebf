"""Measures the controls of a run: trains each as the run was trained, on masked images, and keeps what it reached.

    measure_controls(run)    # what `audit --run` calls, in this process

Stopped or lost, it goes on from the last finished state of the control it was at, as a training does.
"""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
from filelock import FileLock, Timeout

from cxr_core.errors import RunError
from cxr_core.evaluation.measure import measured
from cxr_core.evaluation.metrics import confusion_matrix, summary
from cxr_core.settings import write_atomic
from cxr_core.training import controls
from cxr_core.training.progress import Progress
from cxr_core.training.runs import Run, queued_status
from cxr_core.training.worker import keep_audit, work

_SHUFFLES = 500


def measure_controls(run: Run) -> bool:
    """Train both controls and write ``controls.json``; False where it was stopped before. Kept scores stay.

    Raises RunError where the run has no test result or its controls are being measured already, and what a training
    raises where a person has to mend something.
    """
    if (run.path / controls.FILE).exists():
        return True
    controls.check_ready(run)
    with _only_one(run):
        waiting = _claimed(run)
        with _turn(run, waiting) as ours:
            if not ours:
                return False
            keep_audit(run, lambda done, total: None)
            for control in waiting:
                print(f"Control: {controls.TITLES[control.mask]}", flush=True)
                work(control)
                if control.state != "completed":
                    return False
        write_atomic(run.path / controls.FILE, json.dumps(_kept(run), indent=1))
        for mask in controls.MASKS:
            shutil.rmtree(controls.control_of(run, mask).path)
    return True


def _claimed(run: Run) -> list[Run]:
    """The controls that are still to be done, queued in their order under this process's name."""
    me = psutil.Process()
    waiting = []
    for mask in controls.MASKS:
        if not controls.is_done(run, mask):
            control = controls.laid_down(run, mask)
            mine = {"pid": me.pid, "process_started": me.create_time(), "queued": time.time()}
            write_atomic(control.path / "status.json", json.dumps({**queued_status(), **mine}))
            waiting.append(control)
    return waiting


@contextmanager
def _only_one(run: Run) -> Iterator[None]:
    lock = FileLock(run.path / ".controls.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(f"The controls of run {run.id} are being measured already by another process.") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _turn(run: Run, waiting: list[Run]) -> Iterator[bool]:
    """Wait until no training of this runs folder is at work; False where a person stopped it while it waited."""
    lock = FileLock(run.path.parent / ".turn.lock")
    while True:
        if any(control.stop_requested for control in waiting):
            for control in waiting:
                (control.path / "stop").unlink(missing_ok=True)
                write_atomic(control.path / "status.json", json.dumps({**control.status, "state": "stopped"}))
            yield False
            return
        try:
            lock.acquire(timeout=0.5)
            break
        except Timeout:
            for control in waiting[:1]:
                Progress(control.path / "progress.json")("queued", 0, 1)
    try:
        yield True
    finally:
        lock.release()


def _kept(run: Run) -> dict[str, Any]:
    """What ``controls.json`` holds: macro F1 with its interval of each control, shortcut and source; chance."""
    found: dict[str, Any] = {"chance_macro_f1": _chance(run)}
    for mask in controls.MASKS:
        metrics = controls.control_of(run, mask).metrics("test")
        if metrics is None:
            raise RunError(f"The control {mask} of run {run.id} has no figures. Delete its folder and measure again.")
        kept = {"macro_f1": metrics["macro_f1"], "interval": metrics["ci"]["macro_f1"], "n": metrics["n"]}
        found[mask] = {**kept, "on": "test images", "accuracy": metrics["accuracy"], "confusion": metrics["confusion"]}
    audit = run.audit or {}
    for kind, key, on in (
        ("shortcut", "shortcut", "images, cross-validated"),
        ("source-only", "source_only", "test images"),
    ):
        score = audit.get(key)
        if score and score["macro_f1"] is not None:
            kept = {"macro_f1": score["macro_f1"], "interval": score.get("interval"), "n": score["n"]}
            found[kind] = {**kept, "on": on if score.get("split", "test") == "test" else "images"}
    return found


def _chance(run: Run) -> float:
    """Macro F1 of the run's test decisions dealt out anew among the images: as often each class, at random."""
    _, table = measured(run, "test")
    classes = run.classes
    true, decisions = (table[name].map(classes.index).to_numpy(np.int64) for name in ("label", "decision"))
    random = np.random.default_rng(0)
    dealt = (confusion_matrix(true, random.permutation(decisions), len(classes)) for _ in range(_SHUFFLES))
    return float(np.mean([summary(confusion, classes)["macro_f1"] for confusion in dealt]))
