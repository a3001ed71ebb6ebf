"""A run on disk: a folder that page, worker and command line read alike.

    run = find_run(runs_dir(), "20261122")      # or made by cxr_core.runs.creation
    run.state            # "queued" ... "completed"; "lost" when its process is gone
    run.history          # an ``Epoch`` per finished epoch

``Run`` holds nothing but the path; every property reads the disk. One writer per file: the launcher creates
``run.json``, ``split.csv`` and the first ``status.json``; from then on only the worker writes, and a page may touch
``stop`` and write ``name.txt``. No torch here: a page that lists runs opens fast.
"""

import os
import secrets
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from cxr_core import sheets
from cxr_core.activity import record
from cxr_core.audit import Audit
from cxr_core.audit.kinds import KINDS, WARNS
from cxr_core.config import TrainConfig
from cxr_core.errors import ConfigError, RunError
from cxr_core.findings import EXCLUSIVE, FINDINGS, column, learnt
from cxr_core.hierarchy import Coherent, Hierarchy
from cxr_core.images import Mask
from cxr_core.images.masking import without_border
from cxr_core.images.version import PIXELS
from cxr_core.paths import shown
from cxr_core.private import file_mode
from cxr_core.runs import files, records
from cxr_core.runs.liveness import alive, worker_lock
from cxr_core.runs.records import (
    FORMAT,
    Epoch,
    FindingMetrics,
    FoundNote,
    ImportedNote,
    Metrics,
    ProgressNote,
    RunInfo,
    Shape,
    Status,
)
from cxr_core.settings import Stamp, from_json, stamp, starter_offered, write_atomic

ACTIVE = ("queued", "extracting", "training", "evaluating")
RESUMABLE = ("stopped", "lost", "failed")
SPLITS = ("train", "val", "test")
# The run that comes with the software: see starter.
STARTER = "starter"
# A class may be called 1, and a digest may look like a number.
TEXT_COLUMNS = (
    *("file", "label", "patient", "source", "split", "digest", "decision", "reason"),
    *("study", "sex", "view"),
)


@dataclass(frozen=True)
class Run:
    """One training: its folder. Properties read the disk each time and raise RunError where a file is damaged.

    ``profile``: by which of its site profiles it decides (:mod:`cxr_core.runs.profiles`), "" by its own rule.
    """

    path: Path
    profile: str = ""
    # How the warning begins that a run on a leak carries.
    LEAK: ClassVar[str] = "Trained although the audit found a leak."

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def name(self) -> str:
        """The name a person gave, else the id."""
        try:
            return (self.path / files.NAME).read_text(encoding="utf-8").strip() or self.id
        except (OSError, UnicodeDecodeError):
            # None was given, or somebody damaged it.
            return self.id

    @cached_property
    def info(self) -> RunInfo:
        """``run.json``, written once."""
        file = self.path / files.RUN
        document = _read_json(file)
        number = document.get("format") if isinstance(document, dict) else None
        if isinstance(number, int) and number > FORMAT:
            raise RunError(
                f"{file} is of format {number}, which a later version of this software wrote: this one reads up to "
                f"{FORMAT}. Update the software."
            )
        try:
            return records.of(document, RunInfo)
        except ValueError:
            raise records.damaged(file, RunInfo, "missing or damaged") from None

    @property
    def config(self) -> TrainConfig:
        try:
            # Runs without the field are older than the choice, and their labels flat.
            return TrainConfig.create(**{"hierarchy": "flat", **self.info.config})
        except ConfigError as error:
            raise RunError(f"{self.path / files.RUN} holds no valid configuration: {error}") from None

    @property
    def classes(self) -> list[str]:
        return list(self.info.classes)

    @property
    def task(self) -> str:
        """``exclusive``: an image has one class; ``findings``: any number of them."""
        return self.info.task

    @property
    def findings(self) -> list[str]:
        """The labels that are learnt and have an answer of their own: all but what means none of them."""
        return [self.classes[k] for k in learnt(self.classes)]

    @property
    def tree(self) -> Hierarchy:
        """The names of the labels and what each implies."""
        implied = self.implied
        return implied.tree if isinstance(implied, Coherent) else Hierarchy(self.classes, implied)

    @cached_property
    def implied(self) -> dict[str, tuple[str, ...]]:
        """What each label implies, as :mod:`cxr_core.labels` reads it: coherent where it was learnt so, and always of
        findings.
        """
        implied = {name: tuple(generals) for name, generals in self.info.implied.items()}
        if self.task == EXCLUSIVE and (not implied or self.config.hierarchy == "flat"):
            return implied
        try:
            return Coherent(self.classes, implied)
        except ConfigError:
            raise records.damaged(self.path / files.RUN, RunInfo) from None

    @property
    def pseudonyms(self) -> str:
        """The name of the key where hashes stand for names (:mod:`cxr_core.data.pseudonyms`), "" where names do."""
        return self.info.pseudonyms

    @property
    def data(self) -> Path:
        """Where the data set lies that the run was trained on: a folder or a table."""
        return self._place("data")

    @property
    def folder(self) -> Path:
        """The folder that the names of its files begin at."""
        return self._place("folder")

    @property
    def imported(self) -> ImportedNote | None:
        """Where the run comes from that was not trained here, and whose images are not here; None for any other."""
        return self.info.imported

    def _place(self, which: str) -> Path:
        if self.imported and not self.info.folder:
            # A folder that is not there: an empty path would be the working folder.
            return self.path / "images"
        if self.pseudonyms:
            from cxr_core.data.pseudonyms import place

            there = place(self.info.data)
            if there is not None:
                return there[which == "folder"]
        return Path(self.info.folder if which == "folder" else self.info.data)

    def picture(self, file: str) -> Path:
        """Where an image of the run lies. Raises ImageError where a hash stands for it and it cannot be found."""
        if not self.pseudonyms:
            return self.folder / file
        from cxr_core.data.pseudonyms import find

        return find(self.pseudonyms, self.info.data, file)

    def pictures(self, files: Iterable[str]) -> dict[str, Path]:
        """Where these images lie; one that cannot be found gets a path where nothing is."""
        if not self.pseudonyms:
            return {file: self.folder / file for file in files}
        from cxr_core.data.pseudonyms import find_all

        files = list(files)
        found, nowhere = find_all(self.pseudonyms, self.info.data, files), self.folder
        return {file: found.get(file, nowhere / file) for file in files}

    def hide(self, text: str) -> str:
        """``text`` without the names of files, where the run is to hold none."""
        if not self.pseudonyms:
            return text
        from cxr_core.data.pseudonyms import hide

        return hide(text, self.info.data, self.pseudonyms)

    @property
    def mask(self) -> Mask:
        """What is erased from every image before the network sees it: by a control, and the border where that is."""
        return without_border(self.info.mask) if self.config.mask_border else self.info.mask

    @property
    def experiment(self) -> str:
        """The experiment that this run was trained for, in the folder of another; "" for a run of its own."""
        return self.info.experiment

    @property
    def warnings(self) -> list[str]:
        """What stands beside every result of this run."""
        return [*self.info.warnings, *self.found.warnings, *self._audited(), *self._reread()]

    def _reread(self) -> list[str]:
        """That this software makes other pixels of some files than when the run was trained."""
        if self.info.pixels == PIXELS:
            return []
        return [
            "Trained when DICOM files and pictures of more than 8 bits were read in another way: of such a file the "
            "network may see other brightness now than it learnt from. Other files are read as before."
        ]

    def _audited(self) -> list[str]:
        """What the audit warns of and no other sentence says: a shortcut, labels that contradict each other."""
        audit = self.audit
        issues = audit.issues if audit else []
        beside = [issue for issue in issues if issue.kind in KINDS and KINDS[issue.kind].beside]
        return [issue.message for issue in beside if issue.severity == WARNS]

    @property
    def leak(self) -> str:
        """The warning of a run that was trained although train and test share pictures, "" for any other."""
        return next((text for text in self.info.warnings if text.startswith(self.LEAK)), "")

    @property
    def diverged(self) -> list[str]:
        """What is wrong with the training itself, a sentence each: see divergence. They are among the warnings too."""
        return list(self.found.diverged)

    @property
    def status(self) -> Status:
        """``status.json``; a missing or damaged one is that of a run that failed for it."""
        status = _lenient(self.path / files.STATUS, Status)
        return status or Status(state="failed", error=f"{files.STATUS} is missing or damaged")

    @property
    def state(self) -> str:
        """The stored state, or ``lost`` where it says active and no living process stands behind it: see liveness."""
        status = self.status
        if status.state not in ACTIVE or alive(self.path, status):
            return status.state
        # The worker may have ended well between the two looks.
        again = self.status.state
        return "lost" if again in ACTIVE else again

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def can_resume(self) -> bool:
        return self.state in RESUMABLE

    @property
    def stop_requested(self) -> bool:
        return (self.path / files.STOP).exists()

    @property
    def progress(self) -> ProgressNote:
        """``progress.json``; before there is one, and where it is damaged, that nothing has begun."""
        return _lenient(self.path / files.PROGRESS, ProgressNote) or ProgressNote()

    @property
    def history(self) -> list[Epoch]:
        """What each finished epoch measured, in order; an unfinished last line is skipped."""
        file = self.path / files.HISTORY
        try:
            lines = file.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        rows = []
        for number, line in enumerate(lines, start=1):
            try:
                row = records.of(from_json(line), Epoch)
                if row.epoch != number:
                    raise ValueError
            except ValueError:
                raise RunError(
                    f"{file} is damaged in line {number}: expected what epoch {number} measured. "
                    "Restore the file, or train again."
                ) from None
            rows.append(row)
        return rows

    @property
    def best(self) -> Epoch | None:
        """The history row of the best validation epoch so far."""
        return next((row for row in reversed(self.history) if row.best), None)

    def images_of(self, split: str) -> int:
        """Images of a split. Findings are counted from the table of the split: an image has several, or none."""
        if self.task == FINDINGS:
            return _images(self.path / files.SPLIT, stamp(self.path / files.SPLIT)).get(split, 0)
        return sum(self.info.counts[split].values())

    @property
    def split(self) -> pd.DataFrame:
        """A row per image: file, label, patient, source, split, digest; of findings each one's labels (``y_NAME``)."""
        columns = ("file", "label", "patient", "source", "split", "digest")
        labels = map(column, self.classes) if self.task == FINDINGS else ()
        return _read_table(self.path / files.SPLIT, *columns, *labels)

    @property
    def audit(self) -> Audit | None:
        """What the audit said of the data set as this run splits it (``audit.json``); None before, or where somebody
        edited it into something else.
        """
        try:
            return Audit.from_json(_read_json(self.path / files.AUDIT))
        except ValueError:
            return None

    @property
    def unreadable(self) -> pd.DataFrame:
        """Images left out because they could not be decoded: file, reason."""
        path = self.path / files.UNREADABLE
        return _read_table(path, "file", "reason") if path.exists() else pd.DataFrame(columns=["file", "reason"])

    @property
    def found(self) -> FoundNote:
        """What the worker noted on its way (``found.json``): nothing before, and where it is damaged."""
        return _lenient(self.path / files.FOUND, FoundNote) or FoundNote()

    def metrics(self, split: str) -> dict[str, Any] | None:
        """The evaluation on ``split``, or None where there is none yet (or a damaged one: it can be made again)."""
        metrics: dict[str, Any] = _read_json(self.path / files.metrics(split))
        try:
            records.of(metrics, FindingMetrics if self.task == FINDINGS else Metrics)
        except ValueError:
            return None
        return metrics

    def predictions(self, split: str) -> pd.DataFrame:
        """A row per image of ``split``: file, label, decision, ``p_CLASS`` per class. Raises RunError before."""
        path = self.path / files.predictions(split)
        if not path.exists():
            raise RunError(f"Run {self.id} has no predictions for {split} yet: it is {self.state}.")
        return read_predictions(path, self.classes)

    @property
    def log(self) -> str:
        try:
            return (self.path / files.LOG).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    @property
    def weights_file(self) -> Path:
        """Weights of the best validation epoch (safetensors)."""
        return self.path / files.WEIGHTS

    @property
    def prefix_file(self) -> Path:
        """Weights of the frozen part (safetensors)."""
        return self.path / files.PREFIX

    def request_stop(self) -> None:
        """Ask the worker to stop: it keeps what it has, and the run can be resumed."""
        if not self.is_active:
            raise RunError(f"Run {self.id} is {self.state}: only a queued or running one can be stopped.")
        (self.path / files.STOP).touch(file_mode())

    def rename(self, name: str) -> None:
        """Give the run a name of 1 to 80 printable characters; its id stays."""
        name = " ".join(name.split())
        if not 1 <= len(name) <= 80 or not name.isprintable():
            raise RunError(f"A name has 1 to 80 printable characters; got {len(name)}: {name[:80]!r}.")
        write_atomic(self.path / files.NAME, name + "\n")

    def delete(self) -> None:
        """Remove the folder. Raises RunError while the run is active."""
        if self.id == STARTER and starter_offered():
            raise RunError("The starter model comes with the software and would come back. CXR_STARTER=no hides it.")
        if self.is_active:
            raise RunError(f"Run {self.id} is {self.state}: stop it before it is deleted.")
        if any(Run(file.parent).is_active for file in self.path.glob(f"*/{files.RUN}")):
            raise RunError(f"Trainings that go with run {self.id} are at work: stop them before it is deleted.")
        # Renamed first: a listing never meets a half-deleted run.
        doomed = self.path.with_name(f".deleted-{self.id}-{secrets.token_hex(2)}")
        with ExitStack() as locks:
            # A worker may have begun since the look above. Where none ever did, a full disk has no room for its lock.
            if (self.path / files.WORKER_LOCK).exists():
                locks.enter_context(worker_lock(self.path, f"Run {self.id} is at work: stop it before it is deleted."))
            if os.name == "nt":
                locks.close()
            self.path.rename(doomed)
        record("deleted", "run", run=self.id, runs=self.path.parent)
        shutil.rmtree(doomed)

    def export_zip(self, target: Path) -> Path:
        """Write the run (without the state it resumes from) to ``target``: enough to evaluate and predict elsewhere."""
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            kept = [file for folder in (files.EXTERNAL, files.PROFILES) for file in (self.path / folder).glob("*")]
            for file in sorted([*self.path.iterdir(), *kept]):
                if file.is_file() and not file.name.startswith(".") and file.name != files.STOP:
                    archive.write(file, f"{self.id}/{file.relative_to(self.path).as_posix()}")
        return target


def list_runs(runs_dir: Path) -> list[Run]:
    """All runs below ``runs_dir``, newest first, the starter model last. A folder without ``run.json`` is not a run."""
    if not runs_dir.is_dir():
        return []
    folders = [entry for entry in os.scandir(runs_dir) if entry.is_dir() and not entry.name.startswith(".")]
    found = [Run(Path(entry.path)) for entry in folders if os.path.exists(os.path.join(entry.path, files.RUN))]
    return sorted(found, key=lambda run: (run.id != STARTER, run.id), reverse=True)


def find_run(runs_dir: Path, run_id: str) -> Run:
    """The run with this id (or unambiguous beginning of one), or at this path. Raises RunError otherwise."""
    if os.path.isfile(os.path.join(run_id, files.RUN)):
        return Run(Path(run_id).resolve())
    matching = [run for run in list_runs(runs_dir) if run.id.startswith(run_id) and run_id]
    exact = [run for run in matching if run.id == run_id]
    if len(exact or matching) == 1:
        return (exact or matching)[0]
    if matching:
        raise RunError(f"{run_id!r} fits {len(matching)} runs: {', '.join(run.id for run in matching[:4])}. Type more.")
    raise RunError(f"There is no run {shown(run_id)!r} in {runs_dir}. `python -m cxr_core runs` lists them.")


def _lenient(path: Path, shape: type[Shape]) -> Shape | None:
    """What a file holds that can be done without; None where it is not there, or damaged."""
    try:
        return records.read(path, shape)
    except RunError:
        return None


def _read_json(path: Path) -> Any:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


@lru_cache(maxsize=64)
def _images(path: Path, changed: Stamp) -> dict[str, int]:
    """Images by split, of one column alone: a table of runs asks for each of them whenever it is drawn."""
    try:
        parts = pd.read_csv(path, usecols=["split"], dtype=str, keep_default_na=False)["split"]
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise RunError(f"{path} is missing or damaged ({reason}): expected a table. Train again.") from None
    return {str(name): int(count) for name, count in parts.value_counts().items()}


def read_predictions(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    """A row per image: file, label, decision, ``p_CLASS`` per class. Raises RunError where it is missing or damaged."""
    return _read_table(path, "file", "label", "decision", *(f"p_{name}" for name in classes))


def _read_table(path: Path, *columns: str) -> pd.DataFrame:
    try:
        table = sheets.read(path, TEXT_COLUMNS)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise RunError(f"{path} is missing or damaged ({reason}): expected a table. Train again.") from None
    if absent := [name for name in columns if name not in table]:
        raise RunError(f"{path} is damaged: expected a table with the column {absent[0]}. Train again.")
    return table
