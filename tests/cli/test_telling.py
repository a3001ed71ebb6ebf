"""What a worker says is on the screen and in the run's log, once each, whatever becomes of either."""

import errno
import io
import logging
import sys
from pathlib import Path

import pytest

from cxr_core.cli.telling import telling
from cxr_core.errors import DiskError
from tests.runs_support import new_run

WORKER = logging.getLogger("cxr_core.training.worker")


class Gone(io.StringIO):
    """A pipe whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


class Full(io.StringIO):
    """A file on a disk without room."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_it_is_shown_and_kept_word_for_word(tmp_path: Path) -> None:
    screen, log = io.StringIO(), tmp_path / "log.txt"
    log.write_text("before\n")
    mode = log.stat().st_mode
    with telling(screen, log):
        WORKER.info("100 % of Röntgen {} %s")
        WORKER.warning("Note: careful")
        WORKER.error("Traceback:\n  of lines")
        logging.getLogger("another").error("not ours")
        assert log.read_text(encoding="utf-8").count("\n") == 5, "there as soon as it is said"
    WORKER.error("after")
    said = "100 % of Röntgen {} %s\nNote: careful\nTraceback:\n  of lines\n"
    assert screen.getvalue() == said
    assert log.read_text(encoding="utf-8") == f"before\n{said}"
    assert log.stat().st_mode == mode, "a log that is there keeps its mode"


def test_a_new_log_is_for_this_account_alone(tmp_path: Path) -> None:
    with telling(io.StringIO(), tmp_path / "log.txt"):
        pass
    assert sys.platform == "win32" or (tmp_path / "log.txt").stat().st_mode & 0o077 == 0


def test_a_screen_that_is_the_log_gets_it_once(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with log.open("a", encoding="utf-8") as screen, telling(screen, log):
        WORKER.info("a line")
    assert log.read_text() == "a line\n"


def test_where_the_reader_has_gone_the_log_goes_on(tmp_path: Path) -> None:
    with telling(Gone(), tmp_path / "log.txt"):
        WORKER.info("one")
        WORKER.info("two")
    assert (tmp_path / "log.txt").read_text() == "one\ntwo\n"


def test_a_name_that_is_no_text_is_written_escaped(tmp_path: Path) -> None:
    with telling(io.StringIO(), tmp_path / "log.txt"):
        WORKER.info("a\udcff.png")
    assert (tmp_path / "log.txt").read_text() == "a\\udcff.png\n"


def test_a_disk_without_room_for_the_log_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxr_core.cli.telling.open_private", lambda path, mode, **given: Full())
    with telling(io.StringIO(), tmp_path / "log.txt"), pytest.raises(DiskError, match=r"log\.txt cannot be written"):
        WORKER.info("a line")
    assert not logging.getLogger("cxr_core").handlers


def test_the_log_of_a_run_that_fails_has_the_traceback_and_standard_error_a_line(
    tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cxr_core.__main__ import main

    def broken(*_: object) -> None:
        raise ValueError("as it happens")

    run = new_run(tiny_dataset, tmp_path / "runs")
    monkeypatch.setattr("cxr_core.training.stages.keep", broken)
    assert main(["resume", str(run.path)]) == 1
    shown = capsys.readouterr()
    assert shown.err == f"error: Run {run.id} failed unexpectedly: ValueError: as it happens\n"
    assert shown.out == run.log
    assert run.log.startswith("Features: 0 of 36 are kept")
    assert "\nTraceback (most recent call last):\n" in run.log
    assert run.log.endswith("\nValueError: as it happens\n")
    assert run.status.error == "Unexpected ValueError: as it happens. The log has the details."
