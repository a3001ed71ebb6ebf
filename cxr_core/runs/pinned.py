"""The run that Predict offers first: its id in ``pinned.txt`` beside the runs.

pin(run)
pinned(runs_dir()).run       # None where none is pinned, or the pinned one is gone: ``note`` says so
unpin(runs_dir())
answers_first(runs_dir())    # the pinned run, else the newest completed one that learnt from X-rays
"""

from dataclasses import dataclass
from pathlib import Path

from cxr_core.data.cautions import DRAWINGS
from cxr_core.errors import RunError
from cxr_core.runs import files
from cxr_core.runs.run import Run, list_runs
from cxr_core.settings import write_atomic

FILE = "pinned.txt"


@dataclass(frozen=True)
class Pinned:
    """``note``: why the run that was pinned is not offered, "" where it is, or none was pinned."""

    run: Run | None
    note: str = ""


def pin(run: Run) -> None:
    """Offer this run first from now on. Raises RunError where it is not completed: it could not predict."""
    if run.state != "completed":
        raise RunError(f"Run {run.id} is {run.state}: expected a completed training to pin.")
    write_atomic(run.path.parent / FILE, f"{run.id}\n")


def unpin(runs_dir: Path) -> None:
    """Go back to offering the newest completed run."""
    (runs_dir / FILE).unlink(missing_ok=True)


def pinned(runs_dir: Path) -> Pinned:
    """The pinned run as things stand now; a deleted or damaged one is not offered."""
    try:
        run_id = (runs_dir / FILE).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return Pinned(None)
    except (OSError, UnicodeDecodeError):
        return Pinned(None, f"{runs_dir / FILE} cannot be read: pin a run again.")
    run = Run(runs_dir / run_id)
    # A name with a separator in it would lead out of the folder.
    if not run_id or run.path.parent != runs_dir or not (run.path / files.RUN).exists():
        return Pinned(None, f"The pinned run {run_id[:80]!r} is gone: pin another one on the Runs page.")
    if run.state != "completed":
        return Pinned(None, f"The pinned run {run.id} is {run.state}, so it cannot predict: pin another one.")
    return Pinned(run)


def answers_first(runs_dir: Path) -> Run | None:
    """The run that answers where nobody chose one: the pinned one, else the newest completed one. One that learnt from
    drawings comes after all that learnt from X-rays. None where there is no completed run.
    """
    if chosen := pinned(runs_dir).run:
        return chosen
    newest = None
    for run in list_runs(runs_dir):
        if run.state == "completed":
            if not _learnt_from_drawings(run):
                return run
            newest = newest or run
    return newest


def _learnt_from_drawings(run: Run) -> bool:
    try:
        return DRAWINGS in run.info.warnings
    except RunError:
        # Damaged: whoever opens it is told so.
        return True
