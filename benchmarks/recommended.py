"""``python -m benchmarks.recommended --data DIR [--repeats N] [--only NUMBER ...]``: what chose *Recommended*.

Cross-validation by patient on the images of the train split alone: what the data set holds back for the test is never
read. Each fold is held out once; the rest is divided and trained as a training divides it (its own validation split,
best epoch, temperature, thresholds), and decides on the fold by the rule of that training. Features are computed once
and kept (CXR_CACHE). Prints Markdown: macro F1 of all held-out decisions (mean of the repeats, lowest and highest), and
for the class given with --class its recall, precision and ROC AUC.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from cxr_core.config import TrainConfig
from cxr_core.data import scan
from cxr_core.data.splits import assign
from cxr_core.data.together import together
from cxr_core.errors import CxrError
from cxr_core.evaluation import confusion_matrix, summary
from cxr_core.hierarchy import Coherent
from cxr_core.labels import Implied, decide, indices, parse_labels
from cxr_core.model import INFERENCE_BATCH, FeatureStore, Item, in_batches, infer, keep, space_of
from cxr_core.model.network import initial_suffix, load_prefix
from cxr_core.model.pooling import standardise
from cxr_core.training.objectives import CoherentClasses, Exclusive
from cxr_core.training.trainer import Part, Trainer

CPU = torch.device("cpu")
LITE0: dict[str, Any] = {"backbone": "efficientnet_lite0", "features": "stages"}
LINEAR: dict[str, Any] = {
    **LITE0,
    "hidden": (),
    "dropout": 0.0,
    "optimizer": "adamw",
    "lr": 0.001,
    "weight_decay": 0.01,
    "batch_size": 32,
    "epochs": 30,
}
HIDDEN: dict[str, Any] = {"hidden": (64,), "dropout": 0.5}
VARIANTS: dict[str, dict[str, Any]] = {
    "defaults, last features": {"backbone": "efficientnet_lite0"},
    "defaults, stages": LITE0,
    "linear": LINEAR,
    "linear, last features": {**LINEAR, "features": "last"},
    "linear, balanced": {**LINEAR, "alpha": "balanced"},
    "linear, single": {**LINEAR, "labels": "single"},
    "linear, single, balanced": {**LINEAR, "labels": "single", "alpha": "balanced"},
    "linear, flat": {**LINEAR, "hierarchy": "flat"},
    "linear, flat, balanced": {**LINEAR, "hierarchy": "flat", "alpha": "balanced"},
    "defaults, stages, single": {**LITE0, "labels": "single"},
    "defaults, stages, single, balanced": {**LITE0, "labels": "single", "alpha": "balanced"},
    "linear, single, cross entropy": {**LINEAR, "labels": "single", "gamma": 0.0},
    "linear, single, decay 0.3": {**LINEAR, "labels": "single", "weight_decay": 0.3},
    "linear, single, dropout 0.3": {**LINEAR, "labels": "single", "dropout": 0.3},
    "linear, single, rate 0.003": {**LINEAR, "labels": "single", "lr": 0.003},
    "hidden 64": {**LINEAR, **HIDDEN},
    "hidden 64, single": {**LINEAR, **HIDDEN, "labels": "single"},
    "hidden 64, single, balanced": {**LINEAR, **HIDDEN, "labels": "single", "alpha": "balanced"},
    "hidden 256, single": {**LINEAR, **HIDDEN, "hidden": (256,), "labels": "single"},
    "hidden 256": {**LINEAR, **HIDDEN, "hidden": (256,)},
}


@dataclass(frozen=True)
class Reached:
    """What one variant reached in one repeat, over all images, each judged by the training that had not seen it."""

    macro_f1: float
    recall: float
    precision: float
    area: float
    seconds: float


def main() -> int:
    """Measure every variant; print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommended", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a data set")
    parser.add_argument("--folds", type=int, default=5, help="default 5")
    parser.add_argument("--repeats", type=int, default=3, help="each divides the images anew (default 3)")
    parser.add_argument(
        "--class", dest="label", default="COVID19", help="the class that is looked at (default COVID19)"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NUMBER", help="some variants, counted from 1")
    options = parser.parse_args()
    # Small products: a second thread costs more than it brings.
    torch.set_num_threads(1)
    try:
        samples = _trained_on(options.data)
        print(f"{len(samples)} images of the train split, {options.folds} folds, {options.repeats} repeats\n")
        print(f"| | macro F1 | {options.label}: recall | precision | ROC AUC | seconds |")
        print("| --- | --- | --- | --- | --- | --- |", flush=True)
        for number, (name, given) in enumerate(VARIANTS.items(), 1):
            if not options.only or str(number) in options.only:
                config = TrainConfig.create(**given)
                store = _store(config, options.data, samples)
                found = [
                    _repeat(config, store, samples, options.label, options.folds, k) for k in range(options.repeats)
                ]
                print(_row(name, found), flush=True)
    except CxrError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _row(name: str, found: list[Reached]) -> str:
    f1 = [one.macro_f1 for one in found]
    mean = (f"{np.mean([getattr(one, key) for one in found]):.3f}" for key in ("recall", "precision", "area"))
    seconds = np.mean([one.seconds for one in found])
    return f"| {name} | {np.mean(f1):.3f} ({min(f1):.3f} to {max(f1):.3f}) | {' | '.join(mean)} | {seconds:.0f} |"


def _trained_on(data: Path) -> pd.DataFrame:
    """The images of the train split (of all, where there is none), with the group that each belongs to."""
    samples = scan(data).samples
    samples = samples[samples["split"].isin(["", "train"])].reset_index(drop=True)
    marks = [[(key, row[key]) for key in ("patient", "digest") if row[key]] for _, row in samples.iterrows()]
    samples["group"] = 0
    for number, rows in enumerate(together(marks)):
        samples.loc[rows, "group"] = number
    return samples


def _store(config: TrainConfig, data: Path, samples: pd.DataFrame) -> FeatureStore:
    store = FeatureStore(space_of(config))
    items = [Item(data / file, digest) for file, digest in zip(samples["file"], samples["digest"], strict=True)]
    keep(store, items, lambda: load_prefix(config, store), CPU)
    return store


def _folds(samples: pd.DataFrame, folds: int, repeat: int) -> Iterator[tuple[pd.DataFrame, NDArray[np.intp]]]:
    """Training and validation images of each fold, as a training divides them, and the places of the held-out ones."""
    division = StratifiedGroupKFold(folds, shuffle=True, random_state=repeat)
    for learnt, held in division.split(samples, samples["label"], samples["group"]):
        rest = samples.iloc[learnt].assign(split="train")
        yield assign(rest, 0.15, 0.0, repeat), held


def _repeat(
    config: TrainConfig, store: FeatureStore, samples: pd.DataFrame, label: str, folds: int, repeat: int
) -> Reached:
    started = time.perf_counter()
    config = config.model_copy(update={"seed": repeat})
    classes = sorted(samples["label"].unique())
    named = parse_labels(config.labels, classes)
    implied = Coherent(classes, named) if named and config.hierarchy == "conditional" else named
    true = indices(samples["label"], classes)
    decision, probability = np.zeros(len(samples), dtype=np.intp), np.zeros((len(samples), len(classes)))
    for divided, held in _folds(samples, folds, repeat):
        rule, logits, objective = _trained(config, store, divided, samples.iloc[held], classes, implied)
        probability[held] = objective.probabilities(logits, rule["temperature"])
        decision[held] = decide(probability[held], classes, implied, rule["thresholds"])
    confusion = confusion_matrix(true, decision, len(classes))
    place = classes.index(label)
    hits, called = confusion[place, place], confusion[:, place].sum()
    return Reached(
        float(summary(confusion, classes)["macro_f1"]),
        float(hits / confusion[place].sum()),
        float(hits / max(called, 1)),
        float(roc_auc_score(true == place, probability[:, place])),
        time.perf_counter() - started,
    )


def _trained(
    config: TrainConfig,
    store: FeatureStore,
    divided: pd.DataFrame,
    held: pd.DataFrame,
    classes: list[str],
    implied: Implied,
) -> tuple[dict[str, Any], NDArray[np.float64], Exclusive]:
    """The rule of one training and its logits of the held-out images."""

    def part(rows: pd.DataFrame) -> Part:
        return Part(
            store, store.rows([f"{digest}:0" for digest in rows["digest"]])[:, None], indices(rows["label"], classes)
        )

    train, val = (part(divided[divided["split"] == split]) for split in ("train", "val"))
    suffix = initial_suffix(config, len(classes))
    if config.features == "stages":
        standardise(suffix, lambda: (store.read(rows) for rows in in_batches(train.rows[:, 0], INFERENCE_BATCH)))
    objective = (
        CoherentClasses(config, classes, implied, train.label, CPU)
        if isinstance(implied, Coherent)
        else Exclusive(config, classes, implied, train.label, CPU)
    )
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(config, objective, train, val, suffix, Path(scratch), CPU)
        for _ in trainer.epochs(lambda: False):
            pass
    trainer.suffix.load_state_dict(trainer.best)
    rule = trainer.rule()
    batches = (store.read(rows) for rows in in_batches(part(held).rows[:, 0], INFERENCE_BATCH))
    return rule, infer(suffix, batches, CPU).double().numpy(), objective


if __name__ == "__main__":
    sys.exit(main())
