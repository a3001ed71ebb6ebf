"""What a run is called where a person reads it: the name that was given to it, with the id where that says too little.

title(run)                   # alone: "Night shift (20261122-101500-vgg16-1f3a)"; the id where it has no name
titles(runs)[run.id]         # among others: "Night shift", with the id only where two have one name
in_queue(run)                # one that waits or trains: "Night shift", "Night shift: Without lungs"
"""

from collections import Counter
from collections.abc import Iterable

from cxr_core.errors import RunError
from cxr_core.runs.queue import owner_of
from cxr_core.runs.run import Run


def title(run: Run) -> str:
    """Name and id: for a report, which is read away from the list of runs."""
    return run.id if run.name == run.id else f"{run.name} ({run.id})"


def in_queue(run: Run) -> str:
    """The name of a run; of a training that goes with a run, that run and what it is."""
    owner = owner_of(run.path)
    if owner is None:
        return run.name
    try:
        return f"{owner.name}: {run.info.title}"
    except (RunError, KeyError):
        # Its description is damaged: the name of its folder has to do.
        return f"{owner.name}: {run.id}"


def titles(runs: Iterable[Run]) -> dict[str, str]:
    """Id -> name, no two alike."""
    names = {run.id: run.name for run in runs}
    often = Counter(names.values())
    # A name may also be another run's id.
    return {
        run_id: name if name == run_id or (often[name] == 1 and name not in names) else f"{name} ({run_id})"
        for run_id, name in names.items()
    }
