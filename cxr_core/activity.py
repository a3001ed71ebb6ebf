"""Who did what: ``activity.jsonl`` beside the runs, a line for each action, only ever added to.

    record("trained", "started", run=run.id, data="xrays", counts={"images": 852})
    record("deleted", "run", run=run.id)

Not to be taken for the audit, which judges a data set. A line is a JSON object (docs/serving.md):

    time     UTC, ISO 8601              user     who has logged in, else the account on this machine, else "-"
    via      page, command line, python action   one of ACTIONS
    what     which of its kind          run      a run's id           data   a data set's name
    counts   how many images, and the like

No name of an image and no text that a person typed gets in. A line that cannot be written is said where the action was
asked for; it does not stop the action, which may have been done already.
"""

import getpass
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from cxr_core.private import make_folder, opened
from cxr_core.settings import runs_dir

FILE = "activity.jsonl"
Action = Literal["opened", "trained", "evaluated", "predicted", "fixed", "exported", "deleted"]
ACTIONS: tuple[Action, ...] = get_args(Action)
OUTCOMES = ("answered", "withheld", "unreadable")
NOBODY = "-"
MAX_NAME = 200
# Set for the workers that a page or a person starts: what they do was recorded when they were started.
RECORDED = "CXR_RECORDED"


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where: ``via`` is page, command line or python."""

    user: str
    via: str


# A line is written at once; a page of it may still be seen before the next.
_LOOKS, _LOOK_SECONDS = 10, 0.02
_via: ContextVar[str] = ContextVar("via", default="python")
_pages: "list[tuple[Callable[[], Actor | None], Callable[[str], bool]]]" = []


def record(
    action: Action,
    what: str = "",
    *,
    run: str | None = None,
    data: str | None = None,
    runs: Path | None = None,
    by: Actor | None = None,
    counts: Mapping[str, int] | None = None,
) -> None:
    """Add a line, in the folder ``runs`` (default: the usual one). ``by``: whoever acts now, unless given."""
    if os.environ.get(RECORDED):
        return
    by = by or actor()
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "user": by.user[:MAX_NAME],
        "via": by.via,
        "action": action,
        "what": what,
        "run": run,
        "data": data[:MAX_NAME] if data else None,
        "counts": {**(counts or {})},
    }
    file = (runs or runs_dir()) / FILE
    try:
        _append(file, json.dumps(entry))
    except OSError as error:
        _warn(f"{file} cannot be written ({error.strerror or error}): what was done now ({action}) is not in it.")


def record_opened(data: str, images: int, unreadable: int, runs: Path) -> None:
    """Add a line on a data set that was opened."""
    record("opened", data=data, runs=runs, counts={"images": images, "unreadable": unreadable})


def record_predicted(outcomes: Iterable[str], run: str, runs: Path) -> None:
    """Add a line on images that a run has read, with how many came out how. Nothing where there are none."""
    counts = Counter(outcomes)
    if counts:
        came: dict[str, int] = {outcome: counts[outcome] for outcome in OUTCOMES}
        record("predicted", run=run, runs=runs, counts={"images": counts.total(), **came})


def problem(runs: Path | None = None) -> str | None:
    """Why nothing can be recorded, before anything is done; None where it can."""
    file = (runs or runs_dir()) / FILE
    place = next(path for path in (file, *file.parents) if path.exists())
    if (place == file or place.is_dir()) and not file.is_dir() and os.access(place, os.W_OK):
        return None
    return f"Who does what cannot be recorded: {file} cannot be written."


def actor() -> Actor:
    """Who acts now: the visitor of a page, else the account that runs this process."""
    for ask, _ in _pages:
        if (found := ask()) is not None:
            return found
    return Actor(account(), _via.get())


def account() -> str:
    """The account on this machine; ``-`` where it has no name, as in some containers."""
    try:
        return getpass.getuser() or NOBODY
    except (OSError, KeyError):
        return NOBODY


def from_pages(ask: Callable[[], Actor | None], warn: Callable[[str], bool]) -> None:
    """How pages say who acts, and show a warning; both answer None or False where no page is at work."""
    _pages[:] = [(ask, warn)]


@contextmanager
def from_command_line() -> Iterator[None]:
    """What is recorded in this block was asked for on the command line."""
    token = _via.set("command line")
    try:
        yield
    finally:
        _via.reset(token)


def _append(file: Path, line: str) -> None:
    """One write to the end of the file, so that lines of several processes do not mix. Raises OSError."""
    make_folder(file.parent)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = opened(file, flags)
    try:
        # After a line that was cut short, as by a full disk, this one still begins anew.
        content = (b"\n" if _is_cut(descriptor) else b"") + line.encode("ascii") + b"\n"
        if os.write(descriptor, content) != len(content):
            raise OSError(0, "only a part was written")
    finally:
        os.close(descriptor)


def _is_cut(descriptor: int) -> bool:
    """Whether the last line has no end, and nobody is writing it: another process's write may be seen half done."""
    for _ in range(_LOOKS):
        size = os.fstat(descriptor).st_size
        if size == 0 or (os.lseek(descriptor, -1, os.SEEK_END) >= 0 and os.read(descriptor, 1) == b"\n"):
            return False
        time.sleep(_LOOK_SECONDS)
        if os.fstat(descriptor).st_size == size:
            return True
    return True


def _warn(sentence: str) -> None:
    if not any(warn(sentence) for _, warn in _pages):
        print(f"warning: {sentence}", file=sys.stderr, flush=True)
