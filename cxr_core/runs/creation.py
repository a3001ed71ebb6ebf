"""A new run: the data set as its fixes leave it, split, audited for leaks, and laid down as a folder, queued.

run = create_run(scan("xrays"), TrainConfig.create(epochs=5), runs_dir())
"""

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxr_core import reach
from cxr_core.activity import record
from cxr_core.audit import leaks
from cxr_core.audit.auditing import twins
from cxr_core.config import NAMED_WEIGHTS, TrainConfig, check_weights_given
from cxr_core.data import Dataset, Pseudonyms, fixes, marks
from cxr_core.data.cautions import cautions
from cxr_core.data.dataset import split
from cxr_core.data.exposure import exposure
from cxr_core.errors import ConfigError, DiskError, LeakError, RunError
from cxr_core.findings import EXCLUSIVE, FINDINGS, column, resolved
from cxr_core.hierarchy import Hierarchy
from cxr_core.images import BORDER
from cxr_core.images.version import PIXELS
from cxr_core.labels import Implied, parse_labels
from cxr_core.paths import given
from cxr_core.private import make_folder
from cxr_core.runs import files
from cxr_core.runs.queue import queue
from cxr_core.runs.records import FORMAT
from cxr_core.runs.run import SPLITS, Run
from cxr_core.settings import write_atomic
from cxr_core.sheets import written

# By which figures the best epoch can be chosen; the first is what auto means.
MONITORS = {
    EXCLUSIVE: ("macro_f1", "balanced_accuracy", "accuracy", "loss"),
    FINDINGS: ("macro_roc_auc", "macro_f1", "loss"),
}
VERSIONED = ("torch", "torchvision", "numpy", "pillow", "scikit-learn", "pandas", "streamlit")


def create_run(
    dataset: Dataset, config: TrainConfig, runs_dir: Path, progress: Callable[[int, int], None] | None = None
) -> Run:
    """Split the data set and lay the run's folder down, queued. No training starts: see :mod:`cxr_core.runs.jobs`.

    The data set is taken as its fixes leave it; where one of them masks the border, the configuration does so too.
    ``progress(done, total)`` counts the pictures that the audit looks at. Raises DatasetError where the split is
    impossible, LeakError where the audit finds pictures of the test in training and ``config.train_anyway`` is not set,
    WeightsError where the weights file is not there, ConfigError where configuration and classes do not fit.
    """
    if config.weights not in NAMED_WEIGHTS:
        # The worker reads them, and reaches further than the page that asks.
        reach.check(given(config.weights))
    check_weights_given(config)
    fixed = fixes.read(runs_dir)
    told = fixes.sentences(dataset, fixed)
    dataset = fixes.applied(dataset, fixed)
    if dataset.border_masked:
        config = config.model_copy(update={"mask_border": True})
    classes = dataset.classes
    implied = parse_labels(config.labels, classes)
    config = _checked(config, dataset, implied)
    copies = twins(dataset, progress)
    together = dataset.samples.assign(twin=[copies.get(file, "") for file in dataset.samples["file"]])
    samples = split(replace(dataset, samples=together), config.val_fraction, config.test_fraction, config.split_seed)
    leaking = [finding.message for finding in leaks(dataset, progress)]
    if leaking and not config.train_anyway:
        raise LeakError(
            f"The audit blocks this training. {' '.join(leaking)} Fix it on the Audit page, or train anyway "
            "(--train-anyway on the command line): every page then says so."
        )
    told += [f"{Run.LEAK} {message}" for message in leaking]
    marked: list[str] = []
    if config.corrections:
        # After the split: which images are in test does not depend on what was marked.
        samples, marked = marks.leave_out(samples, marks.read(runs_dir), "val" in dataset.splits)
    warnings = [
        *_weights_warnings(config),
        *([seen] if (seen := exposure(config, dataset.origin.set)) else []),
        *_border_warnings(config),
        *told,
        # These may name files.
        *([] if config.pseudonyms else dataset.origin.problems),
        *marked,
        *cautions(samples, dataset.path("")),
    ]
    places = {"data": str(dataset.root), "folder": str(dataset.path("")), "dataset_name": dataset.name}
    if config.pseudonyms:
        names = Pseudonyms.here()
        samples = names.samples(samples)
        places = {**dict.fromkeys(places, names.dataset(dataset)), "pseudonyms": names.id}
    created = datetime.now(UTC)
    run_id = new_id(created, config.backbone)
    info = {
        "id": run_id,
        "format": FORMAT,
        "created": created.isoformat(timespec="seconds"),
        "config": config.model_dump(mode="json"),
        "task": dataset.task,
        "classes": classes,
        "implied": implied,
        **places,
        "data_digest": dataset.digest,
        "origin": _origin(dataset, config),
        "counts": {part: _counts(samples[samples["split"] == part], dataset) for part in SPLITS},
        "unreadable": len(dataset.unreadable),
        "warnings": warnings,
        "versions": {package: version(package) for package in VERSIONED},
        "pixels": PIXELS,
    }
    with building(runs_dir, run_id) as folder:
        write_atomic(folder / files.RUN, json.dumps(info, indent=1))
        write_atomic(folder / files.SPLIT, written(samples[_columns(dataset)]))
        queue(folder)
    record(
        "trained", "started", run=run_id, data=places["dataset_name"], runs=runs_dir, counts={"images": len(samples)}
    )
    return Run(runs_dir / run_id)


def new_id(created: datetime, backbone: str) -> str:
    """``20261125-074815-small-cnn-f3d6``: what a run is called by its folder."""
    return f"{created:%Y%m%d-%H%M%S}-{backbone}-{secrets.token_hex(2)}"


@contextmanager
def building(runs_dir: Path, run_id: str) -> Iterator[Path]:
    """A folder to write a run into: it becomes the run's when all is in it, and is gone where it cannot be written.
    Raises RunError, DiskError.
    """
    folder = runs_dir / f".new-{run_id}"
    try:
        make_folder(folder)
        yield folder
        folder.rename(runs_dir / run_id)
    except DiskError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RunError(
            f"A run cannot be written to {runs_dir} ({error.strerror}). Choose another folder, or free some space."
        ) from None


def _check_hierarchy(config: TrainConfig, classes: list[str], implied: Implied) -> None:
    if implied and config.hierarchy == "conditional":
        try:
            Hierarchy(classes, implied).check_exclusive()
        except ConfigError as error:
            raise ConfigError(f"{error} Or choose hierarchy = flat, or labels = single.") from None


def _columns(dataset: Dataset) -> list[str]:
    """The columns of split.csv."""
    labels = [column(name) for name in dataset.classes] if dataset.task == FINDINGS else []
    return ["file", "label", "patient", "source", "split", "digest", "study", "age", "sex", "view", *labels]


def _origin(dataset: Dataset, config: TrainConfig) -> dict[str, Any]:
    """Where the labels come from; without names of files where the run is to hold none."""
    origin = dataset.origin.as_json()
    return {**origin, "tables": []} if config.pseudonyms else origin


def _counts(samples: pd.DataFrame, dataset: Dataset) -> dict[str, int]:
    """Images of each class, or with each finding."""
    if dataset.task == FINDINGS:
        return {name: int((samples[column(name)] == 1).sum()) for name in dataset.classes}
    counts = samples["label"].value_counts()
    return {name: int(counts.get(name, 0)) for name in dataset.classes}


def _checked(config: TrainConfig, dataset: Dataset, implied: Implied) -> TrainConfig:
    """The configuration with what follows from the data set filled in. Raises ConfigError where they do not fit."""
    if dataset.task == FINDINGS:
        Hierarchy(dataset.classes, implied)
        resolved(np.zeros((0, len(dataset.classes)), np.float32), dataset.classes, config.policy)
    else:
        _check_hierarchy(config, dataset.classes, implied)
    monitors = MONITORS[dataset.task]
    if config.monitor == "auto":
        # What it means stands in the run: another version may mean another thing.
        config = config.model_copy(update={"monitor": monitors[0]})
    if config.monitor not in monitors:
        what = "findings" if dataset.task == FINDINGS else "classes of which an image has one"
        raise ConfigError(f"monitor: expected one of {', '.join(monitors)} for {what}; got {config.monitor}.")
    _check_alpha(config, dataset.classes, bool(implied) or dataset.task == FINDINGS)
    return config


def _check_alpha(config: TrainConfig, classes: list[str], multilabel: bool) -> None:
    if isinstance(config.alpha, str):
        return
    if len(config.alpha) != len(classes):
        raise ConfigError(
            f"alpha: expected {len(classes)} numbers, one for each of {', '.join(classes)}; got {len(config.alpha)}."
        )
    if multilabel and max(config.alpha) >= 1:
        raise ConfigError(
            "alpha: with findings or implied labels each number is the weight of the positives and 1 minus it that of "
            f"the negatives, so it lies between 0 and 1; got {max(config.alpha)}. Use labels = single for free weights."
        )


def _weights_warnings(config: TrainConfig) -> list[str]:
    if config.weights != "none":
        return []
    if config.trainable == "all":
        return ["The network started from random weights: it knows only what it learnt from this data set."]
    return [
        f"The frozen part of {config.backbone} has random weights (weights = none): it never saw an image. "
        "Its scores say what can be learnt from random features, not what this backbone can do."
    ]


def _border_warnings(config: TrainConfig) -> list[str]:
    if not config.mask_border:
        return []
    return [
        f"The network does not see the border: {100 * BORDER:.0f} % of each side of every image is erased, in "
        "training and for every answer."
    ]
