"""A run on external data sets: what was measured there is kept in the run, and stands against its own test. No torch.

::

    outcome = keep(run, scan(folder), metrics, table)               # the one writer of external/
    externals(run)                                                  # all that are kept, the latest first
    forget(run, "hospital-1a2b3c4d.json")                           # its figures go; it can be evaluated again
    against(run, externals(run)[0])                                 # internal, external, the drop, its interval

Kept as ``external/<name>-<digest8>.json`` with the predictions beside it (.csv); the JSON is written last, so where it
is the evaluation is whole. The same data set evaluated again takes its place.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.activity import record
from cxr_core.data import Dataset, Pseudonyms
from cxr_core.errors import CxrError, DiskError, RunError
from cxr_core.evaluation import unpaired
from cxr_core.findings import FINDINGS
from cxr_core.labels import indices
from cxr_core.runs import files, records
from cxr_core.runs.decision import Decision
from cxr_core.runs.external_findings import against_findings
from cxr_core.runs.measured import Measured, measure_of, measured
from cxr_core.runs.measured_findings import judged_labels
from cxr_core.runs.overlaps import outside
from cxr_core.runs.records import ExternalNote, FindingMetrics
from cxr_core.runs.run import TEXT_COLUMNS, Run
from cxr_core.settings import Stamp, stamp, write_atomic
from cxr_core.sheets import read, written


@dataclass(frozen=True)
class External:
    """One kept evaluation on an external data set: ``external/NAME-DIGEST.json`` of a run."""

    run: Run
    path: Path

    @cached_property
    def facts(self) -> ExternalNote:
        """What is kept. Raises RunError where it is damaged."""
        try:
            facts = records.read(self.path, ExternalNote)
        except OSError:
            facts = None
        if facts is None:
            raise records.damaged(self.path, ExternalNote)
        return facts

    @property
    def name(self) -> str:
        return self.facts.name

    @cached_property
    def measured(self) -> Measured:
        """Metrics and a row per image, under the thresholds as they stand now. Raises RunError where damaged."""
        metrics, decision = self.facts.metrics, Decision.own(self.run)
        try:
            table = read(self.path.with_suffix(".csv"), TEXT_COLUMNS)
            if len(table) != metrics["n"]:
                raise ValueError
            if self.run.task == FINDINGS:
                return self._findings(metrics, table, decision)
            # Intervals without "few" are older than those of few images.
            if metrics["thresholds"] != decision.thresholds or "few" not in metrics["ci"]:
                again, table = measure_of(self.run, table, decision)
                metrics = {**metrics, **again}
            table[["label", "decision", "patient", "source"]], metrics["ci"]["accuracy"]
            figures = [float(metrics[name]) for name in ("accuracy", "balanced_accuracy", "macro_f1")]
            if not all(0 <= value <= 1 for value in figures) or not set(table["decision"]) <= set(self.run.classes):
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError):
            raise RunError(f"{self.path} is damaged: evaluate that data set again.") from None
        return metrics, table

    def _findings(self, metrics: dict[str, Any], table: pd.DataFrame, decision: Decision) -> Measured:
        """The same of findings. Raises ValueError where what is kept is none."""
        records.of(metrics, FindingMetrics)
        if metrics["thresholds"] != {name: decision.thresholds[name] for name in metrics["classes"]}:
            again, table = measure_of(self.run, table, decision, metrics["absent"])
            metrics = {**metrics, **again}
        _ = table[["label", "decision", "patient", "source"]]
        judged_labels(table, self.run.tree, self.run.config.policy, metrics["absent"])
        return metrics, table


@dataclass(frozen=True)
class Outcome:
    """``kept`` is None where ``note`` says why the data set was evaluated and not kept. ``own``: it is the run's.
    ``overlap``: a sentence on what it is known to share with the run's, as a public set; "" where nothing is known.
    """

    metrics: dict[str, Any]
    table: pd.DataFrame
    kept: External | None
    note: str = ""
    own: bool = False
    overlap: str = ""


def externals(run: Run) -> list[External]:
    """What is kept and whole, the latest first; a damaged one is left out, and can be evaluated again."""
    found = []
    for path in sorted((run.path / files.EXTERNAL).glob("*.json")):
        external = External(run, path)
        try:
            _ = external.measured
        except CxrError:
            continue
        found.append(external)
    return sorted(found, key=lambda external: external.facts.evaluated, reverse=True)


def forget(run: Run, file: str) -> str:
    """Delete a kept evaluation: ``file`` is its file's name, or the data set's where only one has it. A damaged one
    can be forgotten by its file's name. Returns the file's name. Raises RunError where it is not there, or is two.
    """
    paths = sorted((run.path / files.EXTERNAL).glob("*.json"))
    named = {path.name: path for path in paths}
    fitting = [named[file]] if file in named else [kept.path for kept in externals(run) if kept.name == file]
    if len(fitting) != 1:
        known = ", ".join(named) or "none"
        what = f"{file} is the name of {len(fitting)}" if fitting else f"there is none called {file!r}"
        raise RunError(
            f"Run {run.id} keeps figures of the external data sets {known}; {what}. Name one of these files."
        )
    try:
        # The JSON first: without it the evaluation is none.
        fitting[0].unlink(missing_ok=True)
        fitting[0].with_suffix(".csv").unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{fitting[0]} cannot be deleted ({error.strerror}). Check its permissions.") from error
    record("deleted", "figures of another collection", run=run.id, runs=run.path.parent)
    return fitting[0].name


def stamps(run: Run) -> tuple[tuple[str, Stamp], ...]:
    """Which evaluations are kept, and when each was written: changes whenever one of them does."""
    return tuple(sorted((path.name, stamp(path)) for path in (run.path / files.EXTERNAL).glob("*.json")))


def own_reason(run: Run, dataset: Dataset) -> str:
    """Why this data set is the run's own and no external one: one sentence; "" where it is another one."""
    if dataset.digest == run.info.data_digest:
        return f"{dataset.name} is the data set that this run was trained on, so it is no external data set."
    shared, images = _shared(run, dataset.samples), len(dataset.samples)
    if 2 * shared > images:
        return (
            f"{shared:,} of the {images:,} images of {dataset.name} are also in the data set that this run was "
            "trained on, so it is no external data set."
        )
    return ""


def keep(run: Run, dataset: Dataset, metrics: dict[str, Any], table: pd.DataFrame) -> Outcome:
    """Keep what was measured on ``dataset``, unless it is the run's own or cannot be written."""
    record(
        "evaluated",
        "other collection",
        run=run.id,
        data=dataset.name,
        runs=run.path.parent,
        counts={"images": metrics["n"]},
    )
    note = own_reason(run, dataset)
    if note:
        return Outcome(metrics, table, None, f"{note} The figures are not kept as external.", own=True)
    part = "" if metrics["split"] in ("test", "all") else f"-{metrics['split']}"
    overlap = outside(run, dataset.origin.set)
    if run.profile:
        note = f"Figures by the site profile {run.profile} are not kept: those of an external test are the run's own."
        return Outcome(metrics, table, None, note, overlap=overlap)
    called = Pseudonyms.here().dataset(dataset) if run.pseudonyms else dataset.name
    name = re.sub(r"[^\w-]+", "-", called).strip("-")[:60] or "data"
    path = run.path / files.EXTERNAL / f"{name}-{dataset.digest[:8]}{part}.json"
    facts = ExternalNote(
        name=called,
        data=called if run.pseudonyms else str(dataset.root),
        data_digest=dataset.digest,
        split=metrics["split"],
        evaluated=datetime.now(UTC).isoformat(timespec="milliseconds"),
        shared=_shared(run, table),
        set=dataset.origin.set,
        overlap=overlap,
        metrics=metrics,
    )
    try:
        write_atomic(path.with_suffix(".csv"), written(table))
        write_atomic(path, records.written(facts, indent=1))
    except DiskError as error:
        return Outcome(metrics, table, None, f"The figures could not be kept: {error}", overlap=overlap)
    except OSError as error:
        note = f"The figures could not be kept in {path.parent} ({error.strerror})."
        return Outcome(metrics, table, None, note, overlap=overlap)
    return Outcome(metrics, table, External(run, path), overlap=overlap)


def against(run: Run, external: External) -> dict[str, Any]:
    """The run's test against this external data set: ``intervals.unpaired``, a the test and b the other, with "labels".

    Only the classes that both have are counted, in ``labels``: the images of another class are left out. Of findings
    ``external_findings.against_findings``. Raises RunError where the run has no test figures, or no class is in both.
    """
    if run.imported and run.metrics("test") is None:
        raise RunError(f"{run.imported.name} has no test of its own to compare {external.name} with.")
    if run.task == FINDINGS:
        return against_findings(run, measured(run, "test"), external.measured, external.name)
    tables = [measured(run, "test")[1], external.measured[1]]
    labels = [name for name in run.classes if all((table["label"] == name).any() for table in tables)]
    if not labels:
        raise RunError(f"{external.name} and the run's test have no class in common, so they cannot be compared.")
    parts = []
    for table in tables:
        part = table[table["label"].isin(labels)]
        true, decisions = (indices(part[column], run.classes) for column in ("label", "decision"))
        parts.append((true, decisions, part["patient"].fillna("").tolist()))
    counted = [run.classes.index(name) for name in labels]
    return {**unpaired(parts[0], parts[1], len(run.classes), counted), "labels": labels}


def _shared(run: Run, samples: pd.DataFrame) -> int:
    return int(samples["digest"].isin(set(run.split["digest"])).sum())
