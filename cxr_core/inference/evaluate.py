"""Evaluate a trained run: on a split of its own data set, or on an external one.

    metrics, predictions = evaluate_split(run, "test")
    metrics, predictions = evaluate_folder(run, Path("other/hospital"))
    outcome = evaluate_external(run, Path("other/hospital"))       # and kept in the run

Both read kept features where they are kept and compute the others; both give the decisions that Predict would give.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxr_core.data import Dataset, Pseudonyms, scan
from cxr_core.data.pseudonyms import hidden
from cxr_core.errors import DatasetError, RunError
from cxr_core.findings import EXCLUSIVE, FINDINGS, column, is_device, means_none, values_of
from cxr_core.inference.trained import Trained
from cxr_core.matching import Match, matched
from cxr_core.model import INFERENCE_BATCH, Item, Unreadable, in_batches, keep
from cxr_core.runs import Run, external
from cxr_core.runs.external import Outcome
from cxr_core.runs.measured import Measured, measure_of

Progress = Callable[[int, int], None]


def evaluate_split(run: Run, split: str, progress: Progress = lambda done, total: None) -> Measured:
    """Metrics and predictions of the run on ``split`` (train, val or test) of the data set it was trained on.

    Raises RunError where the split is empty or the run is unfinished, DatasetError where its images are gone.
    """
    samples = run.split
    chosen = samples[samples["split"] == split]
    if chosen.empty and run.imported:
        raise RunError(
            f"Run {run.id} ({run.imported.name}) came without images, so there are no figures of it yet: evaluate it "
            "on a data set, with evaluate RUN --data DIR or on the Evaluate page."
        )
    if chosen.empty:
        raise RunError(f"Run {run.id} has no images in {split}: expected one of train, val, test with images.")
    return evaluate_samples(Trained.load(run), chosen, run.folder, split, progress, run.pictures(chosen["file"]))


def evaluate_folder(
    run: Run, data: Path, split: str = "test", progress: Progress = lambda done, total: None
) -> Measured:
    """Metrics and predictions of the run on another data set.

    Where the data set is split, its ``split`` is taken; where it is not, all of it ("all"). A class of the run may be
    absent; a class that the run does not know is a DatasetError. A run of findings is judged by those that both have
    (``matched`` in the metrics; ``absent`` are those of the run alone, ``unmatched`` those of the data set alone).
    """
    return _evaluated(run, scan(data, known_classes=run.classes), split, progress)


def _evaluated(run: Run, dataset: Dataset, split: str, progress: Progress) -> Measured:
    data, names = dataset.root, dataset.classes
    dataset, matches, absent = as_of_run(run, dataset)
    samples = dataset.samples
    given = [name for name in dataset.splits if name]
    if given:
        samples = samples[samples["split"] == split]
        if samples.empty:
            raise DatasetError(f"{data} has no split {split}: it has {', '.join(given)}. Choose one of these.")
    if run.pseudonyms:
        dataset = hidden(replace(dataset, samples=samples), Pseudonyms.here())
        samples = dataset.samples
    paths = {file: dataset.path(file) for file in samples["file"]}
    part, trained = split if given else "all", Trained.load(run)
    if run.task != FINDINGS:
        return evaluate_samples(trained, samples, dataset.path(""), part, progress, paths)
    metrics, table = evaluate_samples(trained, samples, dataset.path(""), part, progress, paths, absent)
    theirs = {match.theirs for match in matches}
    told = {
        "matched": [match._asdict() for match in matches],
        "absent": list(absent),
        "unmatched": [name for name in names if name not in theirs and not means_none(name)],
    }
    return {**metrics, **told}, table


def as_of_run(run: Run, dataset: Dataset) -> tuple[Dataset, list[Match], tuple[str, ...]]:
    """Another data set with its labels as the run has them; of findings which were matched, and which it has not.

    Raises DatasetError where it has other labels than the run can be judged by.
    """
    data = dataset.root
    if dataset.task != run.task:
        kinds = {EXCLUSIVE: "classes of which an image has one", FINDINGS: "findings, any number an image"}
        raise DatasetError(
            f"{data} has {kinds[dataset.task]}; the run {run.id} knows {kinds[run.task]}. Choose a data set of these."
        )
    matches: list[Match] = []
    if run.task == FINDINGS:
        matches, renamed = _renamed(run, dataset.samples, dataset.classes)
        if not matches:
            raise DatasetError(
                f"{data} and the run {run.id} have no finding in common: it has {', '.join(dataset.classes)}; the run "
                f"knows {', '.join(run.classes)}. Name a finding alike in its table."
            )
        dataset = replace(dataset, samples=renamed)
    unknown = sorted(set(dataset.classes) - set(run.classes))
    if unknown:
        raise DatasetError(
            f"{data} has the class {', '.join(unknown)}; the run {run.id} knows {', '.join(run.classes)}. "
            "Rename or remove the folder of the unknown class."
        )
    both = {match.ours for match in matches}
    absent = tuple(name for name in run.findings if name not in both) if run.task == FINDINGS else ()
    return dataset, matches, absent


def _renamed(run: Run, samples: pd.DataFrame, names: Sequence[str]) -> tuple[list[Match], pd.DataFrame]:
    """Which findings of an external data set are the run's, and its samples with the run's labels: blank where it has
    none. That none of its findings is there makes those that both have absent, and says nothing of the others.
    """
    matches = matched(run.classes, names)
    values = values_of(samples, names)
    nothing = (values[:, [k for k, name in enumerate(names) if means_none(name)]] == 1).any(axis=1)
    labels = {column(name): np.full(len(samples), np.nan, np.float32) for name in run.classes}
    for match in matches:
        label = values[:, list(names).index(match.theirs)].copy()
        if not is_device(match.theirs):
            label[nothing & np.isnan(label)] = 0
        labels[column(match.ours)] = label
    rest = samples.drop(columns=[column(name) for name in names])
    return matches, pd.concat([rest, pd.DataFrame(labels, index=samples.index)], axis=1)


def evaluate_external(
    run: Run, data: Path, split: str = "test", progress: Progress = lambda done, total: None
) -> Outcome:
    """Evaluate the run on the data set at ``data`` and keep it, unless it is the run's own or cannot be written.

    Raises as :func:`evaluate_folder` does.
    """
    dataset = scan(data, known_classes=run.classes)
    return external.keep(run, dataset, *_evaluated(run, dataset, split, progress))


def check_folder(folder: Path, unreadable: Sequence[Unreadable]) -> None:
    """Raises DatasetError where images could not be read because the whole data set is gone."""
    if unreadable and not folder.is_dir():
        raise DatasetError(
            f"The data set {folder} is not there any more: {len(unreadable)} images are still to be read from it. Put "
            "it back (or connect its disk) and start again."
        )


def named(unreadable: Sequence[Unreadable], paths: Mapping[str, Path], pseudonyms: bool) -> list[dict[str, str]]:
    """What could not be read, as a run keeps it: file (its path, or the hash that stands for it) and reason."""
    if not pseudonyms:
        return [{"file": str(entry.path), "reason": entry.reason} for entry in unreadable]
    names = {path: file for file, path in paths.items()}
    return [
        {"file": names[entry.path], "reason": entry.reason.replace(entry.path.name, names[entry.path])}
        for entry in unreadable
    ]


def logits_of_samples(
    trained: Trained, samples: pd.DataFrame, folder: Path, split: str, progress: Progress, paths: Mapping[str, Path]
) -> tuple[pd.DataFrame, NDArray[np.float64], list[Unreadable]]:
    """The images that can be read, what the network itself says of them (N, K), and the others.

    Raises DatasetError where none can be read.
    """
    store = trained.store()
    items = [Item(paths[file], digest) for file, digest in zip(samples["file"], samples["digest"], strict=True)]
    unreadable = keep(store, items, lambda: trained.prefix, trained.device, progress)
    check_folder(folder, unreadable)
    lost = {entry.path for entry in unreadable}
    readable = [item.path not in lost for item in items]
    samples = samples[readable]
    if samples.empty:
        reason = unreadable[0].reason if unreadable else "there is none"
        raise DatasetError(f"None of the {len(items)} images of {split} can be read: {reason}")
    rows = store.rows([item.name for item, good in zip(items, readable, strict=True) if good])
    batches = (store.read(part) for part in in_batches(rows, INFERENCE_BATCH))
    logits = trained.logits(batches, lambda done: progress(done, len(rows)))
    store.close()
    return samples, logits, unreadable


def evaluate_samples(
    trained: Trained,
    samples: pd.DataFrame,
    folder: Path,
    split: str,
    progress: Progress = lambda done, total: None,
    paths: Mapping[str, Path] | None = None,
    absent: Sequence[str] = (),
) -> Measured:
    """Metrics of a trained run on ``samples``, and a row per image with its probabilities and decision.

    ``paths``: where each file lies; without it below ``folder``. ``absent``: findings that the labels do not tell of.
    The metrics are those of ``measure_of`` (:mod:`cxr_core.runs.measured`), with split, warnings and unreadable files.
    """
    paths = paths or {file: folder / file for file in samples["file"]}
    samples, logits, unreadable = logits_of_samples(trained, samples, folder, split, progress, paths)
    probabilities = trained.calibrated(logits)
    columns = ["file", "digest", "patient", "source", "label"]
    if trained.run.task == FINDINGS:
        columns += [*("study", "age", "sex", "view"), *map(column, trained.classes)]
    shown = {f"p_{name}": probabilities[:, k] for k, name in enumerate(trained.classes)}
    table = pd.concat([samples[columns].reset_index(drop=True), pd.DataFrame(shown)], axis=1)
    figures, table = measure_of(trained.run, table, trained.decision, absent)
    metrics = {
        "split": split,
        **figures,
        "warnings": trained.run.warnings,
        "unreadable": named(unreadable, paths, bool(trained.run.pseudonyms)),
    }
    return metrics, table
