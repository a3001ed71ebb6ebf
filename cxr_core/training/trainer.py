"""The training loop on kept features: a suffix, a loss, epochs; stop, resume, the best epoch.

    trainer = Trainer(config, objective, train, val, suffix, folder, device)
    for row in trainer.epochs(should_stop, progress): ...

Same seed, same machine: the same history, whether it ran through or was stopped and resumed in between.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxr_core.config import TrainConfig
from cxr_core.errors import RunError
from cxr_core.model import INFERENCE_BATCH, FeatureStore, in_batches, infer
from cxr_core.training.checkpoint import Standing, copy_weights, load_checkpoint, save_checkpoint
from cxr_core.training.divergence import Guess
from cxr_core.training.objectives import Labels, Objective
from cxr_core.training.schedule import learning_rate
from cxr_core.training.steps import OptimizerStep, step_for

# Saving may cost this share of the training's time. Where an epoch is too short for that, some go by unsaved, and a
# request to stop waits for the epoch's end instead of throwing it away.
SAVING_SHARE = 0.05


@dataclass(frozen=True)
class Part:
    """A split as the trainer sees it: kept rows (N, V), one column per view, and labels (N, ...) of the objective."""

    store: FeatureStore
    rows: NDArray[np.int64]
    label: Labels

    def __len__(self) -> int:
        return len(self.label)


class Trainer:
    """One training, alive: the suffix, its optimiser, and where it stands."""

    def __init__(
        self,
        config: TrainConfig,
        objective: Objective,
        train: Part,
        val: Part,
        suffix: nn.Sequential,
        folder: Path,
        device: torch.device,
    ) -> None:
        self.config, self.objective = config, objective
        self.train, self.val, self.device = train, val, device
        self.suffix = suffix.to(device)
        self.optimizer = _optimizer(config, self.suffix)
        self.file = folder / "state.safetensors"
        self.standing, self.best = Standing(), copy_weights(self.suffix)
        if self.file.exists():
            self.standing, self.best = load_checkpoint(self.file, self.suffix, self.optimizer)
        self.step = step_for(OptimizerStep(config, self.suffix, self.optimizer, objective.loss, train.store, device))
        self._saved_epoch = self.standing.epoch
        self._unsaved_seconds = 0.0
        self._saving_seconds = 0.0

    @property
    def finished(self) -> bool:
        """All epochs are done, or patience has run out."""
        config = self.config
        tired = config.patience and self.standing.best_epoch and self.standing.without_gain >= config.patience
        return bool(tired) or self.standing.epoch >= config.epochs

    def epochs(
        self,
        should_stop: Callable[[], bool],
        progress: Callable[[int, int, int], None] = lambda epoch, done, total: None,
    ) -> Iterator[dict[str, Any]]:
        """Train; yield a history row after each epoch, until finished or stopped.

        The caller writes the row before it asks for the next one; only then is the state saved, so that a history is
        never shorter than the state beside it. ``progress(epoch, done, total)`` counts images.
        """
        while not self.finished:
            started = time.perf_counter()
            epoch = self.standing.epoch + 1

            def stop_now() -> bool:
                return self._saved_epoch == self.standing.epoch and should_stop()

            passed = self._pass(epoch, stop_now, progress)
            if passed is None:
                return
            row = self._close_epoch(epoch, *passed, time.perf_counter() - started)
            yield row
            self._unsaved_seconds += row["seconds"]
            stopping = should_stop()
            if self.finished or stopping or self._saving_seconds < SAVING_SHARE * self._unsaved_seconds:
                self._save()
            if stopping:
                return

    def _pass(
        self, epoch: int, stop_now: Callable[[], bool], progress: Callable[[int, int, int], None]
    ) -> tuple[float, Tensor, Labels] | None:
        """One pass over the training split: mean loss, logits and labels in the order drawn; None if stopped."""
        # All randomness of an epoch (order, views, dropout) follows from the seed and the epoch's number.
        torch.manual_seed((self.config.seed << 20) + epoch)
        order = torch.randperm(len(self.train)).numpy()
        view = torch.randint(self.train.rows.shape[1], (len(order),)).numpy()
        rows, label = self.train.rows[order, view], self.train.label[order]
        steps = math.ceil(len(order) / self.config.batch_size)
        self.suffix.train()
        self.step.begin(rows, label)
        logits, loss_sum = [], 0.0
        for number, part in enumerate(in_batches(np.arange(len(order)), self.config.batch_size)):
            if stop_now():
                return None
            value, output = self.step(part, self._rate((epoch - 1) * steps + number, steps))
            self._check_finite(value, epoch)
            loss_sum += value * len(part)
            logits.append(output.detach().float().cpu())
            progress(epoch, int(part[-1]) + 1, len(order))
        return loss_sum / len(order), torch.cat(logits), label

    def _check_finite(self, loss: float, epoch: int) -> None:
        if not math.isfinite(loss):
            raise RunError(
                f"The loss is no longer a number in epoch {epoch}: the training diverged. "
                f"Lower the learning rate (now {self.config.lr:g}) and train again."
            )

    def _rate(self, step: int, steps_per_epoch: int) -> float:
        return learning_rate(self.config.schedule, self.config.lr, step, self.config.epochs * steps_per_epoch)

    def _close_epoch(
        self, epoch: int, loss: float, logits: Tensor, label: Labels, training_seconds: float
    ) -> dict[str, Any]:
        started = time.perf_counter()
        objective = self.objective
        val_loss, val = self.validate()
        self._check_finite(val_loss, epoch)
        of_train = objective.brief(label, objective.probabilities(logits.double().numpy()))
        measured = {"loss": val_loss, **objective.figures(self.val.label, val)}
        score = (-val_loss if objective.monitor == "loss" else measured[objective.monitor], -val_loss)
        standing = self.standing
        standing.epoch = epoch
        better = standing.best_score is None or score > standing.best_score
        if better:
            standing.best_epoch, standing.best_score = epoch, score
            self.best = copy_weights(self.suffix)
        return {
            "epoch": epoch,
            "seconds": round(training_seconds + time.perf_counter() - started, 4),
            "images_per_second": round(len(label) / max(training_seconds, 1e-9), 2),
            "lr": self.optimizer.param_groups[0]["lr"],
            "train": {"loss": loss, **of_train},
            "val": measured,
            "best": better,
        }

    def validate(self) -> tuple[float, NDArray[np.float64]]:
        """Mean loss and probabilities (N, K) on the validation split."""
        loss, logits = self._validation_logits()
        return loss, self.objective.probabilities(logits.double().numpy())

    def _validation_logits(self) -> tuple[float, Tensor]:
        self.suffix.eval()
        rows = self.val.rows[:, 0]
        batches = (self.val.store.read(part) for part in in_batches(rows, INFERENCE_BATCH))
        logits = infer(self.suffix, batches, self.device)
        with torch.no_grad():
            loss = self.objective.loss(logits.to(self.device), self.val.label).item()
        return loss, logits

    def guessing(self) -> Guess:
        """What the loss would be if every image were answered with the labels' shares in training."""
        answer = torch.tensor(self.objective.guess(), dtype=torch.float32, device=self.device)
        with torch.no_grad():
            train, val = (
                self.objective.loss(answer.expand(len(part), -1), part.label).item() for part in (self.train, self.val)
            )
        return Guess(train, val)

    def rule(self) -> dict[str, Any]:
        """Temperature and thresholds, chosen on the validation split with the weights as they stand."""
        _, logits = self._validation_logits()
        return self.objective.rule(logits.double().numpy(), self.val.label)

    def _save(self) -> None:
        started = time.perf_counter()
        save_checkpoint(self.file, self.suffix, self.optimizer, self.best, self.standing)
        self._saving_seconds = time.perf_counter() - started
        self._unsaved_seconds = 0.0
        self._saved_epoch = self.standing.epoch


def _optimizer(config: TrainConfig, suffix: nn.Module) -> torch.optim.Optimizer:
    # Fused steps go over the weights once: on wide heads that is most of a step's time.
    parameters = list(suffix.parameters())
    if config.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay, fused=True)
    return torch.optim.SGD(
        parameters, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay, fused=True
    )
