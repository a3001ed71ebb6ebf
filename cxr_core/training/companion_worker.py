"""Measures what goes with a run: trains its companions one after the other, and keeps what they reached.

    measure_controls(run)    # what `audit --run` calls, in this process
    measure_left_out(run)

Stopped or lost, it goes on from the last finished state of the companion it was at, as a training does.
"""

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from filelock import Timeout

from cxr_core.errors import RunError
from cxr_core.evaluation.chance import chance
from cxr_core.findings import FINDINGS
from cxr_core.labels import indices
from cxr_core.private import private_lock
from cxr_core.runs import Run, controls, files, left_out
from cxr_core.runs.companions import (
    CONTROLS,
    LEFT_OUT,
    Companion,
    Experiment,
    check_ready,
    folder_of,
    leave_queue,
    lined_up,
)
from cxr_core.runs.control_findings import measured_controls
from cxr_core.runs.liveness import note_launch
from cxr_core.runs.measured import Measured, measured
from cxr_core.settings import write_atomic
from cxr_core.sheets import written
from cxr_core.training.presence import heartbeat
from cxr_core.training.stages import keep_audit
from cxr_core.training.worker import work

LOGGER = logging.getLogger(__name__)


def measure_controls(run: Run) -> bool:
    """Train both controls and write ``controls.json``; False where it was stopped before. Kept scores stay.

    Raises RunError where the run has no test result or its controls are being measured already, and what a training
    raises where a person has to fix something.
    """
    if (run.path / CONTROLS.file).exists():
        return True
    check_ready(run)
    return _measured(run, CONTROLS, controls.planned(run), _keep_controls)


def measure_left_out(run: Run) -> bool:
    """Train without each source in turn and write ``left-out.json`` and its table; otherwise as measure_controls.

    Raises RunError also where no source can be left out.
    """
    if (run.path / LEFT_OUT.file).exists():
        return True
    check_ready(run)
    # The run's audit knows the copies, which have to be left out too.
    keep_audit(run, lambda done, total: None)
    plan = left_out.planned(run)
    if not plan.companions:
        raise RunError(plan.message)
    return _measured(run, LEFT_OUT, plan.companions, lambda run: _keep_left_out(run, plan))


def _measured(run: Run, experiment: Experiment, companions: Sequence[Companion], keep: Callable[[Run], None]) -> bool:
    with _only_one(run, experiment):
        waiting = lined_up(run, experiment, companions)
        for made in waiting:
            # Whoever queued it, this process answers for it now.
            note_launch(made.path, os.getpid())
        try:
            with heartbeat(*waiting):
                for made in waiting:
                    LOGGER.info("%s (%s of the %s)", made.info.title, made.info.number, experiment.title)
                    if work(made).state != "completed":
                        return False
        finally:
            leave_queue(waiting)
        keep(run)
        for companion in companions:
            shutil.rmtree(folder_of(run, experiment, companion.name).path)
    return True


@contextmanager
def _only_one(run: Run, experiment: Experiment) -> Iterator[None]:
    lock = private_lock(run.path / f".{experiment.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            f"The {experiment.title} of run {run.id} are being measured already by another process."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _keep_controls(run: Run) -> None:
    """Write ``controls.json``: what each control, shortcut and source reached."""
    trained: dict[str, Measured] = {}
    for companion in controls.planned(run):
        made = folder_of(run, CONTROLS, companion.name)
        metrics = made.metrics("test")
        if metrics is None:
            raise RunError(f"{companion.title} of run {run.id} has no figures. Delete its folder and measure again.")
        trained[companion.name] = metrics, made.predictions("test")
    found = measured_controls(run, trained) if run.task == FINDINGS else _of_classes(run, trained)
    write_atomic(run.path / CONTROLS.file, json.dumps(found, indent=1))


def _of_classes(run: Run, trained: Mapping[str, Measured]) -> dict[str, Any]:
    """Macro F1 with its interval of each control, shortcut and source; chance."""
    found: dict[str, Any] = {"chance_macro_f1": _chance(run)}
    for kind, (metrics, _) in trained.items():
        kept = {"macro_f1": metrics["macro_f1"], "interval": metrics["ci"]["macro_f1"], "n": metrics["n"]}
        found[kind] = {
            **kept,
            "on": "test images",
            "accuracy": metrics["accuracy"],
            "confusion": metrics["confusion"],
        }
    audit = run.audit
    facts = audit.facts if audit else {}
    for kind, key, on in (
        ("shortcut", "shortcut", "images, cross-validated"),
        ("source-only", "source_only", "test images"),
    ):
        score = facts.get(key)
        if score and score["macro_f1"] is not None:
            kept = {"macro_f1": score["macro_f1"], "interval": score.get("interval"), "n": score["n"]}
            found[kind] = {**kept, "on": on if score.get("split", "test") == "test" else "images"}
    return found


def _keep_left_out(run: Run, plan: left_out.Plan) -> None:
    """Write what each training decided on the images of the source that it had not seen, then the file that says so."""
    found = [folder_of(run, LEFT_OUT, companion.name).predictions("test") for companion in plan.companions]
    write_atomic(run.path / files.LEFT_OUT_TABLE, written(pd.concat(found, ignore_index=True)))
    write_atomic(run.path / LEFT_OUT.file, json.dumps(plan.note(), indent=1))


def _chance(run: Run) -> float:
    """Macro F1 of the run's test decisions dealt out anew among the images: as often each class, at random."""
    _, table = measured(run, "test")
    classes = run.classes
    true, decisions = (indices(table[name], classes) for name in ("label", "decision"))
    return float(chance(true, decisions, len(classes), np.random.default_rng(0)).mean())
