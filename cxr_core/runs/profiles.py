"""Site profiles of a run: another temperature and other thresholds for the images of one place, kept with what they
changed there.

::

    keep(run, note)                       # profiles/NAME.json, the one writer
    profiles(run), names(run)             # the latest first; those that are whole
    there = using(run, "St. Anna")        # the same run, deciding by its profile: Decision.load(there)
    forget(run, "St. Anna")

How one is fitted and judged is told in :mod:`cxr_core.inference.site`. The run's own rule and figures stay.
"""

import re
from dataclasses import replace
from pathlib import Path

from cxr_core.activity import record
from cxr_core.errors import ConfigError, RunError
from cxr_core.findings import FINDINGS
from cxr_core.hierarchy import Coherent
from cxr_core.runs import files, records
from cxr_core.runs.records import ProfileNote
from cxr_core.runs.run import Run
from cxr_core.settings import Stamp, stamp, write_atomic

MAX_NAME = 60
_NAME = re.compile(r"[^\W_](?:[\w .-]*[\w])?")


def checked_name(name: str) -> str:
    """The name of a profile, which is that of a file. Raises ConfigError for one that cannot be."""
    name = " ".join(name.split())
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise ConfigError(
            f"The name of a profile: expected 1 to {MAX_NAME} letters, digits, spaces, dots, hyphens or underscores, "
            f"from a letter or digit to a letter or digit; got {name[:MAX_NAME]!r}."
        )
    return name


def free_name(run: Run, name: str) -> str:
    """The same of a new profile. Raises ConfigError also where the run has one so called."""
    name = checked_name(name)
    if name.casefold() in (path.stem.casefold() for path in _paths(run)):
        raise ConfigError(f"Run {run.id} has a profile {name} already. Choose another name, or forget that one first.")
    return name


def keep(run: Run, note: ProfileNote) -> ProfileNote:
    """Keep a profile. Raises ConfigError for a name that is taken or cannot be, RunError where nothing can be
    written.
    """
    free_name(run, note.name)
    path = _path(run, note.name)
    try:
        write_atomic(path, records.written(note, indent=1))
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror}). Check the permissions of {run.path}.") from error
    record(
        "fixed",
        "site profile kept",
        run=run.id,
        data=note.dataset_name,
        runs=run.path.parent,
        counts={"images": note.images},
    )
    return note


def read(run: Run, name: str) -> ProfileNote:
    """The profile of this name. Raises RunError where there is none, or it is damaged, or of another run."""
    path = _path(run, checked_name(name))
    note = _read(run, path)
    if note is None:
        known = ", ".join(names(run)) or "none"
        raise RunError(f"Run {run.id} has no profile {name!r}: it has {known}. Fit one, or choose one of these.")
    return note


def profiles(run: Run) -> list[ProfileNote]:
    """All that are whole, the latest first. A damaged one is left out, and told of where somebody asks for it."""
    found = []
    for path in _paths(run):
        try:
            note = _read(run, path)
        except RunError:
            continue
        if note is not None:
            found.append(note)
    return sorted(found, key=lambda note: note.fitted, reverse=True)


def damaged(run: Run) -> list[str]:
    """Those that cannot be read: one sentence each."""
    told = []
    for path in _paths(run):
        try:
            _read(run, path)
        except RunError as error:
            told.append(str(error))
    return told


def names(run: Run) -> list[str]:
    return [note.name for note in profiles(run)]


def using(run: Run, name: str) -> Run:
    """The run as it decides by this profile; by its own rule where ``name`` is "". Raises as ``read``."""
    if not name:
        return replace(run, profile="")
    return replace(run, profile=read(run, name).name)


def forget(run: Run, name: str) -> str:
    """Delete a profile, a damaged one too. Returns its name. Raises RunError where it is not there."""
    path = _path(run, checked_name(name))
    try:
        path.unlink()
    except FileNotFoundError:
        known = ", ".join(file.stem for file in _paths(run)) or "none"
        raise RunError(f"Run {run.id} has no profile {name!r}: it has {known}.") from None
    except OSError as error:
        raise RunError(f"{path} cannot be deleted ({error.strerror}). Check its permissions.") from error
    record("deleted", "site profile", run=run.id, runs=run.path.parent)
    return path.stem


def stamp_of(run: Run) -> Stamp:
    """Changes whenever the profile does that the run is used by."""
    return stamp(_path(run, run.profile)) if run.profile else (0, 0)


def needed(run: Run) -> list[str]:
    """The labels that cannot be decided without a threshold. Coherent and single ones can."""
    if run.task == FINDINGS:
        return run.findings
    return run.classes if run.implied and not isinstance(run.implied, Coherent) else []


def _paths(run: Run) -> list[Path]:
    return sorted((run.path / files.PROFILES).glob("*.json"))


def _path(run: Run, name: str) -> Path:
    return run.path / files.PROFILES / f"{name}.json"


def _read(run: Run, path: Path) -> ProfileNote | None:
    try:
        note = records.read(path, ProfileNote)
    except OSError:
        raise records.damaged(path, ProfileNote) from None
    if note is None:
        return None
    known = set(run.classes)
    fits = set(needed(run)) <= set(note.thresholds) <= known and set(note.per_class) <= known
    if note.name != path.stem or not fits:
        raise records.damaged(path, ProfileNote, "damaged, or of another run")
    return note
