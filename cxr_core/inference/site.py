"""Fit a run to the images of one place: a new temperature and new thresholds; the network stays as it is.

::

    note = fit_site(run, Path("our/xrays"), "St. Anna")     # fitted on one half, judged on the other; nothing is kept
    profiles.keep(run, note)                                # a person may want it all the same
    Predictor.load(profiles.using(run, "St. Anna"))

The images are parted by patient, each class as frequent in both halves as can be. What is kept is what was judged: it
is not fitted again on all images. The run's own images are left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxr_core.activity import actor, record
from cxr_core.data import Dataset, Pseudonyms, scan
from cxr_core.data.stratified import stratified
from cxr_core.data.together import together
from cxr_core.errors import DatasetError
from cxr_core.evaluation import paired
from cxr_core.evaluation.before_after import BeforeAfter, Change, compared, verdict
from cxr_core.evaluation.local import Fitted, Local, LocalClasses, LocalFindings, Rule, fitted, unchanged
from cxr_core.evaluation.thresholds import Rule as By
from cxr_core.figures import counted, of
from cxr_core.findings import FINDINGS, values_of
from cxr_core.inference.evaluate import as_of_run, logits_of_samples
from cxr_core.inference.trained import Trained
from cxr_core.labels import indices
from cxr_core.runs import Decision, Run, profiles
from cxr_core.runs.overlaps import outside
from cxr_core.runs.records import FigureChange, OwnRule, ProfileHalf, ProfileNote

# What is asked for at least: images in all, patients of each class (of a finding: with it, and without it), and how
# many of these each half must have.
IMAGES, PATIENTS, IN_A_HALF = 50, 10, 3

Progress = Callable[[int, int], None]


def fit_site(
    run: Run, data: Path, name: str, seed: int = 0, progress: Progress = lambda done, total: None
) -> ProfileNote:
    """The profile ``name`` of the run for the data set at ``data``, with what it changes there; not kept yet.

    Raises ConfigError for a name that cannot be or is taken, RunError for a run without a finished training,
    DatasetError where the images are too few or of other labels.
    """
    name = profiles.free_name(run, name)
    run = profiles.using(run, "")
    trained = Trained.load(run)
    dataset = scan(data, known_classes=run.classes)
    record("evaluated", "site profile", run=run.id, data=dataset.name, runs=run.path.parent)
    there = _Site.read(trained, dataset, progress)
    return _profile(run, dataset, there, name, seed)


@dataclass(frozen=True)
class _Site:
    """The images that can be fitted on and judged by."""

    images: Local
    samples: pd.DataFrame
    labels: dict[str, NDArray[np.bool_]]
    known: dict[str, NDArray[np.bool_]]
    absent: tuple[str, ...]
    shared: int
    unreadable: int

    @classmethod
    def read(cls, trained: Trained, dataset: Dataset, progress: Progress) -> "_Site":
        run = trained.run
        ours, _, absent = as_of_run(run, dataset)
        own = ours.samples["digest"].isin(set(run.split["digest"])).to_numpy()
        samples = ours.samples[~own].reset_index(drop=True)
        # Before the network reads a single one.
        _check(run, samples, _truth(run, samples, absent), int(own.sum()))
        paths = {file: ours.path(file) for file in samples["file"]}
        samples, logits, unreadable = logits_of_samples(trained, samples, ours.path(""), "all", progress, paths)
        samples = samples.reset_index(drop=True)
        labels, known = _truth(run, samples, absent)
        _check(run, samples, (labels, known), int(own.sum()))
        units = _units(samples)
        if run.task == FINDINGS:
            names = run.classes
            truth, sure = (np.stack([part[name] for name in names], axis=1) for part in (labels, known))
            by = By(run.config.threshold_by, run.config.sensitivity)
            images: Local = LocalFindings(logits, truth, sure, run.tree, by, units)
        else:
            true = indices(samples["label"], run.classes)
            images = LocalClasses(logits, true, run.classes, run.implied, units)
        return cls(images, samples, labels, known, absent, int(own.sum()), len(unreadable))

    @property
    def enough(self) -> list[str]:
        """The labels of which there are enough."""
        return [name for name in self.labels if min(_patients(self, name)) >= PATIENTS]


def _patients(there: _Site, name: str) -> tuple[int, int]:
    return _with_and_without(there.images.units, there.labels[name], there.known[name])


def _with_and_without(units: NDArray[np.intp], truth: NDArray[np.bool_], known: NDArray[np.bool_]) -> tuple[int, int]:
    """How many patients have images with a label, and how many without it."""
    return len(np.unique(units[known & truth])), len(np.unique(units[known & ~truth]))


def _units(samples: pd.DataFrame) -> NDArray[np.intp]:
    """What stays together, numbered: the images of a patient, and those that are one file."""
    marks = [
        [(column, value) for column, value in zip(("patient", "digest"), row, strict=True) if value]
        for row in samples[["patient", "digest"]].fillna("").itertuples(index=False)
    ]
    unit = np.empty(len(samples), dtype=np.intp)
    for number, rows in enumerate(together(marks)):
        unit[rows] = number
    return unit


def _truth(
    run: Run, samples: pd.DataFrame, absent: Sequence[str]
) -> tuple[dict[str, NDArray[np.bool_]], dict[str, NDArray[np.bool_]]]:
    """Of each label whether an image has it, and whether that is known."""
    if run.task != FINDINGS:
        every = np.ones(len(samples), dtype=bool)
        return {name: samples["label"].eq(name).to_numpy() for name in run.classes}, dict.fromkeys(run.classes, every)
    policy = run.config.policy
    unknown = {**dict(policy.blank_of), **dict.fromkeys(absent, "unknown")}
    policy = policy.model_copy(update={"blank_of": tuple(unknown.items())})
    truth, known = run.tree.judged(values_of(samples, run.classes), policy)
    columns = {name: k for k, name in enumerate(run.classes)}
    return {name: truth[:, k] for name, k in columns.items()}, {name: known[:, k] for name, k in columns.items()}


def _check(
    run: Run,
    samples: pd.DataFrame,
    truth: tuple[dict[str, NDArray[np.bool_]], dict[str, NDArray[np.bool_]]],
    shared: int,
) -> None:
    """Raises DatasetError where the images are too few, with what there is and what is needed."""
    labels, known = truth
    units = _units(samples)
    judged = run.findings if run.task == FINDINGS else run.classes
    counts = {name: _with_and_without(units, labels[name], known[name]) for name in judged}
    if run.task == FINDINGS:
        # Where none is known to lack it, a finding cannot be judged either.
        short = {name: min(pair) for name, pair in counts.items() if min(pair) < PATIENTS}
        missing = len(short) == len(judged)
        asked = f"for one finding at least images of {PATIENTS} patients with it and of {PATIENTS} without it"
        listed = ", ".join(f"{name} {pair[0]} with and {pair[1]} without" for name, pair in counts.items())
    else:
        short = {name: pair[0] for name, pair in counts.items() if pair[0] < PATIENTS}
        missing = bool(short)
        asked = f"for each class images of {PATIENTS} patients"
        listed = ", ".join(
            f"{name} {counted(int(labels[name].sum()), 'image')} of {counted(pair[0], 'patient')}"
            for name, pair in counts.items()
        )
    if len(samples) >= IMAGES and not missing:
        return
    left = f" {counted(shared, 'image')} that the run's own data set has too were left out." if shared else ""
    raise DatasetError(
        f"Too few images to fit on: {counted(len(samples), 'image')} ({listed}).{left} At least {IMAGES} "
        f"images are needed, and {asked}: one half fits, the other half judges. Add labelled images."
    )


def _halves(run: Run, there: _Site, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the half that fits and of that which judges. Raises DatasetError where one lacks a class."""
    units, names = there.images.units, list(there.labels)
    truth, known = (np.stack([part[name] for name in names], axis=1) for part in (there.labels, there.known))
    digests = there.samples["digest"].to_numpy(dtype=str)
    # Named by content, so that the order of the rows does not matter.
    first = pd.Series(digests).groupby(units).transform("min").to_list()
    half = stratified(truth.astype(np.float64), known, first, {"fit": 0.5, "judged": 0.5}, seed)
    fit, judged = (np.flatnonzero(half == part) for part in ("fit", "judged"))
    for name in names if run.task != FINDINGS else there.enough:
        fewest = min(
            min(_with_and_without(units[rows], there.labels[name][rows], there.known[name][rows]))
            for rows in (fit, judged)
        )
        if fewest < IN_A_HALF:
            raise DatasetError(
                f"The images cannot be parted by patient so that each half has {IN_A_HALF} patients with {name} and as "
                "many without it: most come from a few patients. Add images of other patients."
            )
    return fit, judged


def _profile(run: Run, dataset: Dataset, there: _Site, name: str, seed: int) -> ProfileNote:
    decision = Decision.load(run)
    now = Rule(decision.temperature, decision.thresholds)
    fit, judged = _halves(run, there, seed)
    found = fitted(there.images.part(fit), now, there.enough, seed)
    changes = _judged(run, there, judged, now, found.rule)
    aim = "macro_f1" if run.task != FINDINGS or run.config.threshold_by == "f1" else "balanced_accuracy"
    said = verdict(changes, aim)
    who, samples, overlap = actor(), there.samples, outside(run, dataset.origin.set)
    empty = int(samples["patient"].fillna("").eq("").sum())
    return ProfileNote(
        name=name,
        dataset_name=Pseudonyms.here().dataset(dataset) if run.pseudonyms else dataset.name,
        data_digest=dataset.digest,
        fitted=datetime.now(UTC).isoformat(timespec="seconds"),
        by=who.user,
        via=who.via,
        seed=seed,
        images=len(samples),
        patients=len(np.unique(there.images.units)),
        unknown_patients=empty,
        shared=there.shared,
        unreadable=there.unreadable,
        fit=_half(there, fit),
        judged=_half(there, judged),
        temperature=found.rule.temperature,
        thresholds=dict(found.rule.thresholds),
        kept=list(found.kept),
        own=OwnRule(temperature=now.temperature, thresholds=dict(now.thresholds)),
        overall={figure: _note(change) for figure, change in changes.overall.items()},
        per_class={
            label: {figure: _note(change) for figure, change in figures.items()}
            for label, figures in changes.per_class.items()
        },
        few=changes.few,
        notes=[
            *unchanged(there.images, now, found.rule),
            *_notes(run, there, found, changes, empty),
            *([overlap] if overlap else []),
        ],
        better=said.better,
        sentence=said.sentence,
    )


def _judged(run: Run, there: _Site, rows: NDArray[np.intp], now: Rule, then: Rule) -> BeforeAfter:
    part = there.images.part(rows)
    names = run.findings if run.task == FINDINGS else run.classes
    groups = [str(unit) for unit in part.units]
    changes = compared(names, part.answers(now), part.answers(then), groups)
    if isinstance(part, LocalClasses):
        # Widened where a class has few patients: see ``evaluation.rare``.
        pair = paired(part.true, part.decided(then), part.decided(now), len(names), groups)
        for figure in ("macro_f1", "balanced_accuracy"):
            changes.overall[figure] = replace(changes.overall[figure], ci=pair[f"{figure}_ci"])
    return changes


def _half(there: _Site, rows: NDArray[np.intp]) -> ProfileHalf:
    return ProfileHalf(images=len(rows), patients=len(np.unique(there.images.units[rows])))


def _note(change: Change) -> FigureChange:
    return FigureChange(**asdict(change))


def _notes(run: Run, there: _Site, found: Fitted, changes: BeforeAfter, empty: int) -> list[str]:
    """What makes the figures less sure, a sentence each."""
    told = []
    if empty:
        told.append(
            f"The patient is not known for {of(empty, len(there.samples))} images: each counts as a patient, and "
            "images of one patient may lie in both halves."
        )
    short = [name for name in found.kept if name not in there.enough]
    if short:
        told.append(
            f"Fewer than {PATIENTS} patients with it or without it: {', '.join(short)}. There the threshold is the "
            "run's own, moved with the temperature."
        )
    stays = [name for name in found.kept if name in there.enough]
    if stays:
        told.append(
            f"Another threshold did not help in cross-validation: {', '.join(stays)}. There it is the run's own, moved "
            "with the temperature."
        )
    if changes.few:
        listed = ", ".join(f"{name} ({count})" for name, count in changes.few.items())
        told.append(f"Fewer than ten patients with it or without it on the half that judged: {listed}.")
    return told
