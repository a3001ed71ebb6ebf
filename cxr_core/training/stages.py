"""What a run goes through, stage by stage: features, training, evaluation. Each leaves its files in the run's folder.

stages = Stages(run, progress, asked_to_stop)
samples, left = stages.extract(store, device)
stages.train(store, samples, device)
stages.evaluate(samples)
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cxr_core.audit import audit
from cxr_core.audit.issues import ordered
from cxr_core.audit.pretraining import pretraining
from cxr_core.data import Pseudonyms, scan
from cxr_core.disk import free_at, room_for, size
from cxr_core.errors import CxrError, DatasetError, DiskError, RunError
from cxr_core.findings import EXCLUSIVE, FINDINGS
from cxr_core.hierarchy import Coherent
from cxr_core.inference import Trained
from cxr_core.inference.embedding import keep_embedding
from cxr_core.inference.evaluate import check_folder, evaluate_samples, named
from cxr_core.labels import indices
from cxr_core.model import INFERENCE_BATCH, FeatureStore, Interrupted, Item, in_batches, keep
from cxr_core.model.network import initial_suffix, load_prefix, save_weights
from cxr_core.model.pooling import standardise
from cxr_core.private import open_private
from cxr_core.runs import Run, files, speeds
from cxr_core.runs.queue import owner_of
from cxr_core.settings import replacing, write_atomic
from cxr_core.sheets import written
from cxr_core.training.divergence import signs
from cxr_core.training.findings import Findings, labelled
from cxr_core.training.objectives import CoherentClasses, Exclusive, Labels, Objective
from cxr_core.training.progress import Progress
from cxr_core.training.trainer import Part, Trainer
from cxr_core.training.unreadable import Missing

LOGGER = logging.getLogger(__name__)


class Stages:
    """The stages of one run. ``asked_to_stop`` is looked at often; a stage that it ends raises Interrupted."""

    def __init__(self, run: Run, progress: Progress, asked_to_stop: Callable[[], bool]) -> None:
        self.run, self.config = run, run.config
        self.progress, self.asked_to_stop = progress, asked_to_stop

    def extract(self, store: FeatureStore, device: torch.device) -> tuple[pd.DataFrame, Missing]:
        """Compute the features that are not kept yet: the images that could be read, and what could not."""
        folder, samples = self.run.folder, self.run.split
        paths = self.run.pictures(samples["file"])
        items = [
            Item(paths[file], digest, view)
            for file, digest, split in zip(samples["file"], samples["digest"], samples["split"], strict=True)
            for view in range(self.config.views if split == "train" else 1)
        ]
        names = {item.name for item in items}
        missing = len(store.missing(list(names)))
        LOGGER.info(f"Features: {len(names) - missing} of {len(names)} are kept, {missing} to compute.")
        self._check_disk(missing * store.row_bytes, store.folder)
        started = time.perf_counter()
        unreadable = keep(
            store,
            items,
            lambda: load_prefix(self.config, store, lambda done, total: self.progress("downloading", done, total)),
            device,
            lambda done, total: self.progress("extracting", done, total),
            self.asked_to_stop,
        )
        if missing:
            rate = missing / (time.perf_counter() - started)
            speeds.record(self.config, "extraction", rate)
            LOGGER.info(f"Features: {missing} computed, {rate:.1f} images per second.")
        check_folder(folder, unreadable)
        lost = {entry.path for entry in unreadable}
        listed = named(unreadable, paths, bool(self.run.pseudonyms))
        write_atomic(self.run.path / files.UNREADABLE, written(pd.DataFrame(listed, columns=["file", "reason"])))
        left = Missing.of(samples, paths, unreadable)
        readable = samples[[paths[file] not in lost for file in samples["file"]]]
        return readable, left

    def check(self, samples: pd.DataFrame, left: Missing) -> None:
        """Say what was left out. Raises DatasetError where too much was to go on."""
        trained = set(samples.loc[samples["split"] == "train", "label"])
        empty = [name for name in self.run.classes if name not in trained]
        if empty and self.run.task == EXCLUSIVE:
            raise DatasetError(f"No readable training image of {', '.join(empty)} is left. Fix or remove the class.")
        if left.problem:
            raise DatasetError(left.problem)
        if left.count:
            LOGGER.warning(f"Note: {left.sentence}")

    def _check_disk(self, needed: int, folder: Path) -> None:
        free = free_at(folder)
        if free is not None and needed > free:
            raise DiskError(
                f"The kept features need {size(needed)} and {folder} has {size(free)} free. Free some space "
                "(python -m cxr_core cache --clear), use fewer views, or set CXR_CACHE to another disk."
            )

    def keep_prefix(self, store: FeatureStore) -> None:
        """Give the run its own copy of the frozen weights (a hard link where the disk allows)."""
        if not store.space.cut or self.run.prefix_file.exists():
            return
        load_prefix(self.config, store)
        source = store.prefix_file
        with replacing(self.run.prefix_file) as temporary:
            try:
                temporary.unlink()
                os.link(source, temporary)
            except OSError:
                shutil.copyfile(source, temporary)

    def _part(self, store: FeatureStore, samples: pd.DataFrame, split: str, views: int) -> Part:
        chosen = samples[samples["split"] == split]
        rows = [store.rows([f"{digest}:{view}" for digest in chosen["digest"]]) for view in range(views)]
        run = self.run
        if run.task == FINDINGS:
            label: Labels = labelled(chosen, run.tree, run.config.policy)
        else:
            label = indices(chosen["label"], run.classes)
        if not len(label):
            raise DatasetError(f"No readable image is left in {split}. Fix the files that unreadable.csv names.")
        return Part(store, np.stack(rows, axis=1), label)

    def train(self, store: FeatureStore, samples: pd.DataFrame, device: torch.device) -> list[str]:
        """Train to the end; what has to stand beside the results."""
        config, run = self.config, self.run
        parts = (self._part(store, samples, "train", config.views), self._part(store, samples, "val", 1))
        objective = self._objective(*parts, device)
        suffix = initial_suffix(config, len(run.classes))
        if config.features == "stages":
            # Of the images as they are: augmented views are for training alone.
            plain = parts[0].rows[:, 0]
            standardise(suffix, lambda: (store.read(part) for part in in_batches(plain, INFERENCE_BATCH)))
        trainer = Trainer(config, objective, *parts, suffix, run.path / files.LAST, device)
        self._rewind_history(trainer.standing.epoch)

        def progress(epoch: int, done: int, total: int) -> None:
            before = (epoch - 1) * total
            self.progress("training", before + done, config.epochs * total, epoch=epoch, epochs=config.epochs)

        with ExitStack() as closing:
            with room_for(run.path / files.HISTORY):
                history = closing.enter_context(open_private(run.path / files.HISTORY, "a", encoding="utf-8"))
            for row in trainer.epochs(self.asked_to_stop, progress):
                line = json.dumps(row) + "\n"
                with room_for(run.path / files.HISTORY, len(line)):
                    history.write(line)
                    history.flush()
                speeds.record(config, "training", row["images_per_second"])
                LOGGER.info(_epoch_line(row, config.epochs))
        if not trainer.finished:
            raise Interrupted
        save_weights(trainer.suffix, run.path / files.LAST_WEIGHTS)
        trainer.suffix.load_state_dict(trainer.best)
        save_weights(trainer.suffix, run.weights_file)
        decision = {**trainer.rule(), "epoch": trainer.standing.best_epoch, "monitor": objective.monitor}
        write_atomic(run.path / files.DECISION, json.dumps(decision, indent=1))
        store.close()
        found = signs(run.history, trainer.standing.best_epoch, trainer.guessing(), run.classes, config.lr)
        for sign in found:
            LOGGER.warning(f"Note: {sign}")
        return found

    def _objective(self, train: Part, val: Part, device: torch.device) -> Objective:
        config, run = self.config, self.run
        if run.task == FINDINGS:
            return Findings(config, run.tree, train.label, val.label, device)
        implied = run.implied
        if isinstance(implied, Coherent):
            return CoherentClasses(config, run.classes, implied, train.label, device)
        return Exclusive(config, run.classes, implied, train.label, device)

    def _rewind_history(self, epochs: int) -> None:
        """Drop what a crash left behind the state: an unfinished line, or epochs that are trained again."""
        file = self.run.path / files.HISTORY
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        write_atomic(file, b"".join(line + b"\n" for line in lines[:epochs]))
        if len(self.run.history) != epochs:
            raise RunError(
                f"{file} lacks epochs: expected {epochs}, got {len(self.run.history)}. Restore it, or delete the "
                "folder last in the run to train from its start."
            )

    def evaluate(self, samples: pd.DataFrame) -> None:
        """Judge validation and test, and keep figures and predictions."""
        trained = Trained.load(self.run)
        if not self.run.experiment:
            # Nobody asks a control which images are near to another.
            keep_embedding(trained, samples)
        for split in ("val", "test"):
            chosen = samples[samples["split"] == split]
            if chosen.empty:
                continue
            metrics, predictions = evaluate_samples(
                trained,
                chosen,
                self.run.folder,
                split,
                lambda done, total: self.progress("evaluating", done, total),
                self.run.pictures(chosen["file"]),
            )
            write_atomic(self.run.path / files.predictions(split), written(predictions))
            write_atomic(self.run.path / files.metrics(split), json.dumps(metrics, indent=1))
            LOGGER.info(f"{split}: {_figures(metrics)}, {metrics['n']} images")


def keep_audit(run: Run, progress: Callable[[int, int], None]) -> None:
    """Keep what the audit says of the images as this run splits them. A companion's audit is that of its run."""
    run = owner_of(run.path) or run
    if run.audit is not None or run.experiment:
        return
    try:
        dataset = scan(run.data)
    except CxrError as error:
        # The files may have gone while kept features are still there.
        LOGGER.warning(run.hide(f"No audit: {error}"))
        return
    given = run.split.set_index("file")["split"]
    names = Pseudonyms.here() if run.pseudonyms else None
    known = dataset.samples["file"].map(names.file) if names else dataset.samples["file"]
    there = known.isin(given.index)
    samples = dataset.samples[there].reset_index(drop=True)
    samples["split"] = known[there].map(given).to_numpy()
    found = audit(replace(dataset, samples=samples, border_masked=run.config.mask_border), progress)
    before = pretraining(run.config, run.info.origin.get("set"))
    found = replace(found, issues=ordered([*found.issues, *before]))
    kept = names.audit(found.as_json()) if names else found.as_json()
    write_atomic(run.path / files.AUDIT, json.dumps(kept))


def _figures(metrics: dict[str, Any]) -> str:
    """The figures of a split in the log."""
    if metrics.get("task") == FINDINGS:
        return f"macro ROC AUC {_number(metrics['macro_roc_auc'])}, macro F1 {_number(metrics['macro_f1'])}"
    return f"macro F1 {metrics['macro_f1']:.3f}, accuracy {metrics['accuracy']:.3f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _epoch_line(row: dict[str, Any], epochs: int) -> str:
    train, val = row["train"], row["val"]
    if "macro_roc_auc" in val:
        areas = f"{_number(train['macro_roc_auc'])} / {_number(val['macro_roc_auc'])}"
        reached = f"macro ROC AUC {areas}  macro F1 {_number(val['macro_f1'])}"
    else:
        reached = f"accuracy {train['accuracy']:.3f} / {val['accuracy']:.3f}  macro F1 {val['macro_f1']:.3f}"
    return (
        f"epoch {row['epoch']}/{epochs}  loss {train['loss']:.4f} / {val['loss']:.4f}  {reached}"
        f"{'  best' if row['best'] else ''}  ({row['seconds']:.1f} s)"
    )
