"""What a worker says of itself while it works: shown on standard output or error, and kept in the run's log.

    with telling(sys.stdout, run.path / "log.txt"):
        work(run)

The worker itself only logs, to the logger of its module; who runs it decides where that goes.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TextIO

from cxr_core.disk import room_for
from cxr_core.private import open_private

LOGGER = logging.getLogger("cxr_core")


@contextmanager
def telling(screen: TextIO, log: Path | None = None) -> Iterator[None]:
    """Within the block what is logged goes to ``screen``, and to the file ``log`` unless the screen is that file."""
    with ExitStack() as closing:
        handlers: list[logging.Handler] = [_Screen(screen)]
        if log is not None:
            file = open_private(log, "a", encoding="utf-8", errors="backslashreplace")
            closing.callback(_close, file, log)
            if not _goes_to(screen, log):
                handlers.append(_Log(file, log))
        before = LOGGER.level
        LOGGER.setLevel(logging.INFO)
        closing.callback(LOGGER.setLevel, before)
        for handler in handlers:
            LOGGER.addHandler(handler)
            closing.callback(LOGGER.removeHandler, handler)
        yield


def _goes_to(screen: TextIO, log: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(screen.fileno()), log.stat())
    except (OSError, ValueError):
        return False


def _close(file: IO[str], log: Path) -> None:
    with room_for(log):
        file.close()


class _Screen(logging.Handler):
    """Where the reader of the screen has gone, as behind ``| head``, the log alone goes on."""

    def __init__(self, screen: TextIO) -> None:
        super().__init__()
        self.screen: TextIO | None = screen

    def emit(self, record: logging.LogRecord) -> None:
        if self.screen is None:
            return
        try:
            self.screen.write(f"{self.format(record)}\n")
            self.screen.flush()
        except BrokenPipeError:
            self.screen = None


class _Log(logging.Handler):
    """The run's log. A disk that has no room for it ends the work with a DiskError, as for any other file."""

    def __init__(self, file: IO[str], path: Path) -> None:
        super().__init__()
        self.file, self.path = file, path

    def emit(self, record: logging.LogRecord) -> None:
        with room_for(self.path):
            self.file.write(f"{self.format(record)}\n")
            self.file.flush()
