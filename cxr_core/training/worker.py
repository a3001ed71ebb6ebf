"""The worker: takes one run from queued to completed, whatever interrupts it in between.

    work(run)   # what `train` and `resume` call, in this process

It waits for its turn (one training at a time in a runs folder), extracts, trains, evaluates, and writes down where it
is. A stop, a crash or a lost machine leaves a run that can be resumed.
"""

import ctypes
import logging
import os
import platform
import shutil
import socket
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cxr_core.disk import full, why_full
from cxr_core.errors import CxrError, DiskError, RunError
from cxr_core.model.extraction import Interrupted
from cxr_core.model.features import FeatureStore
from cxr_core.model.network import pick_device, space_of
from cxr_core.model.weights import check_weights
from cxr_core.runs import files
from cxr_core.runs.liveness import process_name
from cxr_core.runs.queue import turn
from cxr_core.runs.records import FoundNote, State, Status, written
from cxr_core.runs.run import Run
from cxr_core.settings import write_atomic
from cxr_core.training.presence import Moved, Place, heartbeat, only_worker, terminations_as_interrupts
from cxr_core.training.progress import Progress
from cxr_core.training.stages import Stages, keep_audit

LOGGER = logging.getLogger(__name__)
RESERVE = ".reserve"
RESERVE_BYTES = 1 << 16


def work(run: Run) -> Run:
    """Do what is left of ``run``. Returns when it is completed or stopped; ``run.state`` says which.

    Somebody may rename the folder meanwhile: then it goes on there, from its last finished state. The run is returned
    as it lies in the end. Raises CxrError (and leaves the run "failed" with its text) where a person has to fix
    something.
    """
    with only_worker(run) as place, terminations_as_interrupts():
        if run.state == "completed":
            raise RunError(f"Run {run.id} is completed: there is nothing to resume.")
        while True:
            try:
                _work_at(place)
                return place.run
            except Moved as moved:
                place = Place.of(moved.run)
                LOGGER.info(f"The folder was renamed: going on in {place.run.path}, from the last finished state.")


def _work_at(place: Place) -> None:
    run, worker = place.run, _Worker(place)
    try:
        with heartbeat(run):
            worker.prepare()
            with turn(run, worker.wait):
                worker.go_through()
    except Moved:
        raise
    except (Interrupted, KeyboardInterrupt):
        worker.enter("stopped")
        again = f"audit --run {run.path.parent}" if run.experiment else f"resume {run.path}"
        LOGGER.info(f"Stopped. Go on with: python -m cxr_core {again}")
    except CxrError as error:
        # Whatever it is that is missing: the folder may have been renamed.
        place.check()
        again = " Then resume the run: it goes on from its last saved state." if isinstance(error, DiskError) else ""
        told = run.hide(f"{error}{again}")
        worker.fail(told)
        if told != str(error):
            # What reaches the command line reaches the log.
            raise type(error)(told) from None
        raise
    except Exception as error:
        if reason := why_full(error):
            problem = full(reason, Path(getattr(error, "filename", None) or run.path / files.LOG))
            worker.fail(run.hide(str(problem)))
            raise type(problem)(run.hide(str(problem))) from None
        place.check()
        # The log has where it was; standard error gets the one line of the RunError.
        LOGGER.error(run.hide(traceback.format_exc()).removesuffix("\n"))
        told = run.hide(f"{type(error).__name__}: {error}")
        worker.fail(f"Unexpected {told}. The log has the details.")
        raise RunError(f"Run {run.id} failed unexpectedly: {told}") from error
    else:
        # The state to resume from is three times the size of the weights, and nothing is left to resume.
        shutil.rmtree(run.path / "last", ignore_errors=True)


class _Worker:
    """The stages of one run, and the only writer of its files."""

    def __init__(self, place: Place) -> None:
        self.place, self.run, self.config = place, place.run, place.run.config
        self.progress = Progress(self.run.path / files.PROGRESS)
        before = self.run.status
        self.status = Status(
            state="queued",
            number=before.number,
            pid=os.getpid(),
            process=process_name(os.getpid()),
            host=socket.gethostname(),
            queued=before.queued or time.time(),
            started=None,
            ended=None,
            error=None,
        )
        self.notes = FoundNote()
        # Given up on a full disk, so that there is room to write down that it is full.
        write_atomic(self.run.path / RESERVE, bytes(RESERVE_BYTES))
        self.enter("queued")

    def enter(self, state: State, error: str | None = None) -> None:
        """Write the state down. Raises Moved or RunError where the folder is not there any more."""
        self.place.check()
        if state in ("completed", "stopped", "failed"):
            self._say(ended=time.time())
            (self.run.path / files.STOP).unlink(missing_ok=True)
            (self.run.path / RESERVE).unlink(missing_ok=True)
        self._say(state=state, error=error)
        write_atomic(self.run.path / files.STATUS, written(self.status))

    def _say(self, **said: Any) -> None:
        self.status = self.status.model_copy(update=said)

    def fail(self, reason: str) -> None:
        """Write down why it failed, where there still is a folder to write it to."""
        if self.place.is_there:
            (self.run.path / RESERVE).unlink(missing_ok=True)
            self.enter("failed", error=reason)

    def prepare(self) -> None:
        """What a person would have to fix is found before the run waits for its turn: weights that are not there."""
        config = self.config
        if config.weights == "none":
            return
        store = FeatureStore(space_of(config, self.run.mask))
        if config.trainable == "head" and store.prefix_file.exists():
            return
        check_weights(config.backbone, config.weights, lambda done, total: self.progress("downloading", done, total))

    def wait(self, ahead: list[Run]) -> None:
        """Say that it waits behind these, while nothing speaks against that."""
        if self._asked_to_stop():
            raise Interrupted
        self.progress("queued", 0, 1, ahead=len(ahead))

    def _asked_to_stop(self) -> bool:
        self.place.check()
        return self.run.stop_requested

    def go_through(self) -> None:
        """extracting -> training -> evaluating -> completed"""
        keep_large_blocks()
        self._say(started=time.time())
        self.enter("extracting")
        keep_audit(self.run, lambda done, total: self.progress("auditing", done, total))
        device = pick_device(self.config.device)
        store = FeatureStore(space_of(self.config, self.run.mask))
        stages = Stages(self.run, self.progress, self._asked_to_stop)
        samples, left = stages.extract(store, device)
        self._say(left_out=left.count)
        stages.check(samples, left)
        warnings = [left.sentence] if left.count else []
        self._note(space=asdict(store.space), device=str(device), warnings=warnings)
        stages.keep_prefix(store)
        self.enter("training")
        diverged = stages.train(store, samples, device)
        self._note(warnings=[*warnings, *diverged], diverged=diverged)
        self.enter("evaluating")
        stages.evaluate(samples)
        self.enter("completed")

    def _note(self, **notes: Any) -> None:
        self.notes = self.notes.model_copy(update=notes)
        write_atomic(self.run.path / files.FOUND, written(self.notes, indent=1))


def keep_large_blocks() -> None:
    """Ask glibc to reuse large blocks instead of returning them to the system after each step.

    A wide head's gradient is 100 MB; fetching it afresh from the system costs as much as the step itself.
    """
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        trim_threshold, mmap_threshold = -1, -3
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, 1 << 30)
