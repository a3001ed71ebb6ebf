"""How much of a run's heat maps on its test split lies in the lungs, kept with the run (``lung-heat.json``).

    keep(run, note)
    read(run)           # None before it was measured, and where thresholds were changed since

Measured by :mod:`cxr_core.inference.where`; here no torch.
"""

from cxr_core.errors import RunError
from cxr_core.runs import files, records
from cxr_core.runs.decision import Decision
from cxr_core.runs.records import LungHeatNote
from cxr_core.runs.run import Run
from cxr_core.settings import write_atomic


def keep(run: Run, note: LungHeatNote) -> LungHeatNote:
    """Raises RunError where it cannot be written."""
    path = run.path / files.LUNG_HEAT
    try:
        write_atomic(path, records.written(note, indent=1))
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror}). Check the permissions of {run.path}.") from error
    return note


def read(run: Run) -> LungHeatNote | None:
    """What was measured under the thresholds as they stand. Raises RunError where the file is damaged."""
    note = records.read(run.path / files.LUNG_HEAT, LungHeatNote)
    return note if note and note.thresholds == Decision.load(run).thresholds else None
