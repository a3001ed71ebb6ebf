"""The worker: takes one run from queued to completed, whatever interrupts it in between.

    work(run)   # what `train` and `resume` call, in this process

It waits for its turn (one training at a time in a runs folder), extracts, trains, evaluates, and writes down where it
is. A stop, a crash or a lost machine leaves a run that can be resumed.
"""

import ctypes
import json
import os
import platform
import shutil
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cxr_core.audit.audit import audit
from cxr_core.data.dataset import scan
from cxr_core.data.pseudonyms import Pseudonyms
from cxr_core.disk import free_at, full, room_for, size, why_full
from cxr_core.errors import CxrError, DatasetError, DiskError, RunError
from cxr_core.inference.embedding import keep_embedding
from cxr_core.inference.evaluate import check_folder, evaluate_samples, named
from cxr_core.inference.trained import Trained
from cxr_core.labels import indices
from cxr_core.model.extraction import Interrupted, Item, keep
from cxr_core.model.features import FeatureStore
from cxr_core.model.network import initial_suffix, load_prefix, pick_device, save_weights, space_of
from cxr_core.model.weights import check_weights
from cxr_core.private import open_private
from cxr_core.runs import speeds
from cxr_core.runs.liveness import process_name
from cxr_core.runs.queue import owner_of, turn
from cxr_core.runs.run import Run
from cxr_core.settings import replacing, write_atomic
from cxr_core.sheets import written
from cxr_core.training.divergence import signs
from cxr_core.training.presence import Moved, Place, heartbeat, only_worker, terminations_as_interrupts
from cxr_core.training.progress import Progress
from cxr_core.training.trainer import Part, Trainer
from cxr_core.training.unreadable import Missing

RESERVE = ".reserve"
RESERVE_BYTES = 1 << 16


def work(run: Run) -> Run:
    """Do what is left of ``run``. Returns when it is completed or stopped; ``run.state`` says which.

    Somebody may rename the folder meanwhile: then it goes on there, from its last finished state. The run is returned
    as it lies in the end. Raises CxrError (and leaves the run "failed" with its text) where a person has to mend
    something.
    """
    with only_worker(run) as place, terminations_as_interrupts():
        if run.state == "completed":
            raise RunError(f"Run {run.id} is completed: there is nothing to resume.")
        while True:
            try:
                _work_at(place)
                return place.run
            except Moved as moved:
                place = Place.of(moved.run)
                print(
                    f"The folder was renamed: going on in {place.run.path}, from the last finished state.", flush=True
                )


def _work_at(place: Place) -> None:
    run, worker = place.run, _Worker(place)
    try:
        with heartbeat(run):
            worker.prepare()
            with turn(run, worker.wait):
                worker.go_through()
    except Moved:
        raise
    except (Interrupted, KeyboardInterrupt):
        worker.enter("stopped")
        again = f"audit --run {run.path.parent}" if run.experiment else f"resume {run.path}"
        print(f"Stopped. Go on with: python -m cxr_core {again}", flush=True)
    except CxrError as error:
        # Whatever it is that is missing: the folder may have been renamed.
        place.check()
        again = " Then resume the run: it goes on from its last saved state." if isinstance(error, DiskError) else ""
        told = run.hide(f"{error}{again}")
        worker.fail(told)
        if told != str(error):
            # What reaches the command line reaches the log.
            raise type(error)(told) from None
        raise
    except Exception as error:
        if reason := why_full(error):
            problem = full(reason, Path(getattr(error, "filename", None) or run.path / "log.txt"))
            worker.fail(run.hide(str(problem)))
            raise type(problem)(run.hide(str(problem))) from None
        place.check()
        # To standard output, which is also the run's log: standard error gets the one line of the RunError.
        print(run.hide(traceback.format_exc()), end="", flush=True)
        told = run.hide(f"{type(error).__name__}: {error}")
        worker.fail(f"Unexpected {told}. The log has the details.")
        raise RunError(f"Run {run.id} failed unexpectedly: {told}") from error
    else:
        # The state to resume from is three times the size of the weights, and nothing is left to resume.
        shutil.rmtree(run.path / "last", ignore_errors=True)


class _Worker:
    """The stages of one run, and the only writer of its files."""

    def __init__(self, place: Place) -> None:
        self.place, self.run, self.config = place, place.run, place.run.config
        self.progress = Progress(self.run.path / "progress.json")
        before = self.run.status
        self.status: dict[str, Any] = {
            "number": before.get("number", 0),
            "pid": os.getpid(),
            "process": process_name(os.getpid()),
            "host": socket.gethostname(),
            "queued": before.get("queued", time.time()),
            "started": None,
            "ended": None,
            "error": None,
        }
        self.notes: dict[str, Any] = {}
        # Given up on a full disk, so that there is room to write down that it is full.
        write_atomic(self.run.path / RESERVE, bytes(RESERVE_BYTES))
        self.enter("queued")

    def enter(self, state: str, error: str | None = None) -> None:
        """Write the state down. Raises Moved or RunError where the folder is not there any more."""
        self.place.check()
        if state in ("completed", "stopped", "failed"):
            self.status["ended"] = time.time()
            (self.run.path / "stop").unlink(missing_ok=True)
            (self.run.path / RESERVE).unlink(missing_ok=True)
        self.status |= {"state": state, "error": error}
        write_atomic(self.run.path / "status.json", json.dumps(self.status))

    def fail(self, reason: str) -> None:
        """Write down why it failed, where there still is a folder to write it to."""
        if self.place.is_there:
            (self.run.path / RESERVE).unlink(missing_ok=True)
            self.enter("failed", error=reason)

    def prepare(self) -> None:
        """What a person would have to mend is found before the run waits for its turn: weights that are not there."""
        config = self.config
        if config.weights == "none":
            return
        store = FeatureStore(space_of(config, self.run.mask))
        if config.trainable == "head" and (store.folder / "prefix.safetensors").exists():
            return
        check_weights(config.backbone, config.weights, lambda done, total: self.progress("downloading", done, total))

    def wait(self, ahead: list[Run]) -> None:
        """Say that it waits behind these, while nothing speaks against that."""
        if self._asked_to_stop():
            raise Interrupted
        self.progress("queued", 0, 1, ahead=len(ahead))

    def _asked_to_stop(self) -> bool:
        self.place.check()
        return self.run.stop_requested

    def go_through(self) -> None:
        """extracting -> training -> evaluating -> completed"""
        keep_large_blocks()
        self.status["started"] = time.time()
        self.enter("extracting")
        keep_audit(self.run, lambda done, total: self.progress("auditing", done, total))
        device = pick_device(self.config.device)
        store = FeatureStore(space_of(self.config, self.run.mask))
        samples, left = self._extract(store, device)
        warnings = [left.sentence] if left.count else []
        self._note(space=asdict(store.space), device=str(device), warnings=warnings)
        self._keep_prefix(store)
        self.enter("training")
        diverged = self._train(store, samples, device)
        self._note(warnings=[*warnings, *diverged], diverged=diverged)
        self.enter("evaluating")
        self._evaluate(samples)
        self.enter("completed")

    def _extract(self, store: FeatureStore, device: torch.device) -> tuple[pd.DataFrame, Missing]:
        folder, samples = self.run.folder, self.run.split
        paths = self.run.pictures(samples["file"])
        items = [
            Item(paths[file], digest, view)
            for file, digest, split in zip(samples["file"], samples["digest"], samples["split"], strict=True)
            for view in range(self.config.views if split == "train" else 1)
        ]
        names = {item.name for item in items}
        missing = len(store.missing(list(names)))
        print(f"Features: {len(names) - missing} of {len(names)} are kept, {missing} to compute.", flush=True)
        self._check_disk(missing * store.row_bytes, store.folder)
        started = time.perf_counter()
        unreadable = keep(
            store,
            items,
            lambda: load_prefix(self.config, store, lambda done, total: self.progress("downloading", done, total)),
            device,
            lambda done, total: self.progress("extracting", done, total),
            self._asked_to_stop,
        )
        if missing:
            rate = missing / (time.perf_counter() - started)
            speeds.record(self.config, "extraction", rate)
            print(f"Features: {missing} computed, {rate:.1f} images per second.", flush=True)
        check_folder(folder, unreadable)
        lost = {entry.path for entry in unreadable}
        listed = named(unreadable, paths, bool(self.run.pseudonyms))
        write_atomic(self.run.path / "unreadable.csv", written(pd.DataFrame(listed, columns=["file", "reason"])))
        left = Missing.of(samples, paths, unreadable)
        self.status["left_out"] = left.count
        readable = samples[[paths[file] not in lost for file in samples["file"]]]
        self._check_classes(readable)
        if left.problem:
            raise DatasetError(left.problem)
        if left.count:
            print(f"Note: {left.sentence}", flush=True)
        return readable, left

    def _check_disk(self, needed: int, folder: Path) -> None:
        free = free_at(folder)
        if free is not None and needed > free:
            raise DiskError(
                f"The kept features need {size(needed)} and {folder} has {size(free)} free. Free some space "
                "(python -m cxr_core cache --clear), use fewer views, or set CXR_CACHE to another disk."
            )

    def _check_classes(self, samples: pd.DataFrame) -> None:
        trained = set(samples.loc[samples["split"] == "train", "label"])
        empty = [name for name in self.run.classes if name not in trained]
        if empty:
            raise DatasetError(f"No readable training image of {', '.join(empty)} is left. Mend or remove the class.")

    def _keep_prefix(self, store: FeatureStore) -> None:
        """Give the run its own copy of the frozen weights (a hard link where the disk allows)."""
        if not store.space.cut or self.run.prefix_file.exists():
            return
        load_prefix(self.config, store)
        source = store.folder / "prefix.safetensors"
        with replacing(self.run.prefix_file) as temporary:
            try:
                temporary.unlink()
                os.link(source, temporary)
            except OSError:
                shutil.copyfile(source, temporary)

    def _part(self, store: FeatureStore, samples: pd.DataFrame, split: str, views: int) -> Part:
        chosen = samples[samples["split"] == split]
        rows = [store.rows([f"{digest}:{view}" for digest in chosen["digest"]]) for view in range(views)]
        label = indices(chosen["label"], self.run.classes)
        if not len(label):
            raise DatasetError(f"No readable image is left in {split}. Mend the files that unreadable.csv names.")
        return Part(store, np.stack(rows, axis=1), label)

    def _train(self, store: FeatureStore, samples: pd.DataFrame, device: torch.device) -> list[str]:
        """Train to the end; what has to stand beside the results."""
        config, run = self.config, self.run
        trainer = Trainer(
            config,
            run.classes,
            run.implied,
            self._part(store, samples, "train", config.views),
            self._part(store, samples, "val", 1),
            initial_suffix(config, len(run.classes)),
            run.path / "last",
            device,
        )
        self._rewind_history(trainer.standing.epoch)

        def progress(epoch: int, done: int, total: int) -> None:
            before = (epoch - 1) * total
            self.progress("training", before + done, config.epochs * total, epoch=epoch, epochs=config.epochs)

        with ExitStack() as closing:
            with room_for(run.path / "history.jsonl"):
                history = closing.enter_context(open_private(run.path / "history.jsonl", "a", encoding="utf-8"))
            for row in trainer.epochs(self._asked_to_stop, progress):
                line = json.dumps(row) + "\n"
                with room_for(run.path / "history.jsonl", len(line)):
                    history.write(line)
                    history.flush()
                speeds.record(config, "training", row["images_per_second"])
                print(_epoch_line(row, config.epochs), flush=True)
        if not trainer.finished:
            raise Interrupted
        save_weights(trainer.suffix, run.path / "last.safetensors")
        trainer.suffix.load_state_dict(trainer.best)
        save_weights(trainer.suffix, run.weights_file)
        decision = {**trainer.rule(), "epoch": trainer.standing.best_epoch, "monitor": config.monitor}
        write_atomic(run.path / "decision.json", json.dumps(decision, indent=1))
        store.close()
        found = signs(run.history, trainer.standing.best_epoch, trainer.guessing(), run.classes, config.lr)
        for sign in found:
            print(f"Note: {sign}", flush=True)
        return found

    def _rewind_history(self, epochs: int) -> None:
        """Drop what a crash left behind the state: an unfinished line, or epochs that are trained again."""
        file = self.run.path / "history.jsonl"
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        write_atomic(file, b"".join(line + b"\n" for line in lines[:epochs]))
        if len(self.run.history) != epochs:
            raise RunError(
                f"{file} lacks epochs: expected {epochs}, got {len(self.run.history)}. Restore it, or delete the "
                "folder last in the run to train from its start."
            )

    def _evaluate(self, samples: pd.DataFrame) -> None:
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
            write_atomic(self.run.path / f"predictions_{split}.csv", written(predictions))
            write_atomic(self.run.path / f"metrics_{split}.json", json.dumps(metrics, indent=1))
            figures = f"macro F1 {metrics['macro_f1']:.3f}, accuracy {metrics['accuracy']:.3f}"
            print(f"{split}: {figures}, {metrics['n']} images", flush=True)

    def _note(self, **notes: Any) -> None:
        self.notes |= notes
        write_atomic(self.run.path / "found.json", json.dumps(self.notes, indent=1))


def keep_audit(run: Run, progress: Callable[[int, int], None]) -> None:
    """Keep what the audit says of the images as this run splits them. A companion's audit is that of its run."""
    run = owner_of(run.path) or run
    if run.audit is not None or run.experiment:
        return
    try:
        dataset = scan(run.data)
    except CxrError as error:
        # The files may have gone while kept features are still there.
        print(run.hide(f"No audit: {error}"), flush=True)
        return
    given = run.split.set_index("file")["split"]
    names = Pseudonyms.here() if run.pseudonyms else None
    known = dataset.samples["file"].map(names.file) if names else dataset.samples["file"]
    there = known.isin(given.index)
    samples = dataset.samples[there].reset_index(drop=True)
    samples["split"] = known[there].map(given).to_numpy()
    found = audit(replace(dataset, samples=samples, border_masked=run.config.mask_border), progress)
    kept = names.audit(found.as_json()) if names else found.as_json()
    write_atomic(run.path / "audit.json", json.dumps(kept))


def _epoch_line(row: dict[str, Any], epochs: int) -> str:
    train, val = row["train"], row["val"]
    return (
        f"epoch {row['epoch']}/{epochs}  loss {train['loss']:.4f} / {val['loss']:.4f}  "
        f"accuracy {train['accuracy']:.3f} / {val['accuracy']:.3f}  macro F1 {val['macro_f1']:.3f}"
        f"{'  best' if row['best'] else ''}  ({row['seconds']:.1f} s)"
    )


def keep_large_blocks() -> None:
    """Ask glibc to reuse large blocks instead of returning them to the system after each step.

    A wide head's gradient is 100 MB; fetching it afresh from the system costs as much as the step itself.
    """
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        trim_threshold, mmap_threshold = -1, -3
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, 1 << 30)
