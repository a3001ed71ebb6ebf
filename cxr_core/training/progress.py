"""How far a run is, written for whoever watches: ``progress.json``, replaced at most twice a second."""

import time
from pathlib import Path
from typing import Any

from cxr_core.runs.records import ProgressNote, written
from cxr_core.settings import write_atomic

EVERY_SECONDS = 0.5


class Progress:
    """Writes where a stage stands, with its speed and the time left."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stage = ""
        self._started = 0.0
        self._written = 0.0

    def __call__(self, stage: str, done: int, total: int, **more: Any) -> None:
        """``done`` of ``total`` images (or bytes, or epochs: the stage says) are through."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._started, self._first, self._written = stage, now, done, 0.0
        if now - self._written < EVERY_SECONDS and done < total:
            return
        self._written = now
        seconds = now - self._started
        per_second = (done - self._first) / seconds if seconds > 0.2 and done > self._first else None
        left = (total - done) / per_second if per_second else None
        note = ProgressNote(stage=stage, done=done, total=total, per_second=per_second, seconds_left=left, **more)
        write_atomic(self.path, written(note))
