"""How often the test split of a run was viewed, and how many runs stand beside each other on it.

::

    add(run)                       # the command line: every evaluation is a viewing
    add(run, viewer)               # a page: one viewing per browser session, however often it is drawn
    sentence(run)                   # "Test results viewed 7 times; ..."
    side_by_side(runs)              # where the scores of several runs are shown together

A test judges fairly what was not chosen by it. Nobody can be kept from looking, so viewings are counted, in a file that
has been called ``looks.json`` from the first. Counting never breaks reading: where the run's folder cannot be written,
nothing is counted.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from filelock import Timeout

from cxr_core.errors import CxrError, DiskError, RunError
from cxr_core.private import private_lock
from cxr_core.runs import files
from cxr_core.runs.records import ViewingsNote, read, written
from cxr_core.runs.run import Run, list_runs
from cxr_core.settings import write_atomic

_PATIENCE_SECONDS = 2
# Viewers that are remembered, the latest: enough to know a browser again that comes back.
_VIEWERS = 200


def add(run: Run, viewer: str | None = None) -> None:
    """Count one viewing of the test split. The same ``viewer`` (any text) counts once; None counts always."""
    if not run.path.is_dir():
        # A lock would lay the folder of a deleted run down again.
        return
    # A token of a browser is nobody else's business: only its digest is kept.
    name = viewer and hashlib.blake2b(f"{run.id} {viewer}".encode(), digest_size=8).hexdigest()
    try:
        with private_lock(run.path / f".{files.VIEWINGS}.lock", timeout=_PATIENCE_SECONDS):
            kept = _read(run)
            if name in kept.viewers:
                return
            viewers = [*kept.viewers, name][-_VIEWERS:] if name else kept.viewers
            write_atomic(run.path / files.VIEWINGS, written(ViewingsNote(test=kept.test + 1, viewers=viewers)))
    except (OSError, DiskError, Timeout):
        # A run on a disk that may only be read or is full, or one that is just being deleted: what is asked for is
        # still shown.
        return


def count(run: Run) -> int:
    """Viewings of the test split so far; 0 where none was counted, or the count is damaged."""
    return _read(run).test


def compared(run: Run) -> int:
    """How many runs beside this one, itself included, have a test score on the same data (by digest)."""
    digest = run.info.data_digest
    return sum(bool(digest) and _tested_on(other) == digest for other in list_runs(run.path.parent))


def sentence(run: Run) -> str:
    """One calm line to stand beside the test's figures."""
    viewings, runs = count(run), compared(run)
    times = {0: "not viewed yet", 1: "viewed once"}.get(viewings, f"viewed {viewings:,} times")
    if runs < 2:
        return f"Test results {times}; no other run on this data set has a test score."
    return f"Test results {times}; {runs:,} runs share this test set. Pick by validation score, not by test score."


def side_by_side(runs: Sequence[Run]) -> str:
    """One calm line for a table of ``runs``: how many of them show a score of the same test; "" where none do.

    Such a table is no viewing of any one of them, but whoever picks the best of its rows has chosen by test.
    """
    names: dict[Any, str] = {}
    tests: Counter[Any] = Counter()
    for run in runs:
        if digest := _tested_on(run):
            tests[digest] += 1
            names[digest] = run.info.dataset_name
    shared = [
        f"{count:,} runs share the test set of {names[digest]}" for digest, count in tests.most_common() if count > 1
    ]
    return f"{'; '.join(shared)}. Pick by validation score, not by test score." if shared else ""


def _tested_on(run: Run) -> Any:
    """The digest of the data set that this run has a test score of, None where it has none or is damaged."""
    try:
        return run.info.data_digest if (run.path / files.metrics("test")).exists() else None
    except CxrError:
        # A damaged run is named on the Runs page; it has no score to choose by.
        return None


def _read(run: Run) -> ViewingsNote:
    nothing = ViewingsNote(test=0, viewers=[])
    try:
        return read(run.path / files.VIEWINGS, ViewingsNote) or nothing
    except (OSError, RunError):
        return nothing
