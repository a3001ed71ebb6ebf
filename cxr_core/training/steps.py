"""A step of training: a batch through the suffix, its loss back through it, the weights moved.

    step = step_for(config, suffix, optimizer, loss, store, device)
    step.begin(rows, label)              # an epoch's kept rows and class indices, in the order drawn
    for part in ...:
        value, logits = step(part, rate)

There is torch's own optimiser, and for SGD on a wide head the same steps taken a block at a time: who calls need not
know which.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxr_core.config import TrainConfig
from cxr_core.errors import RunError
from cxr_core.model.features import FeatureStore
from cxr_core.model.network import suffix_input
from cxr_core.training.wide import WideLayer

# Logits (N, K) and class indices (N,) -> scalar.
Loss = Callable[[Tensor, NDArray[np.int64]], Tensor]


class Step(Protocol):
    """One way to take the steps of an epoch, in their order."""

    def begin(self, rows: NDArray[np.int64], label: NDArray[np.int64]) -> None:
        """Take the epoch's rows and labels, in the order drawn."""

    def __call__(self, part: NDArray[np.int64], rate: float) -> tuple[float, Tensor]:
        """Learn from the next consecutive places ``part`` of the epoch: the loss and the logits before the step."""


def step_for(
    config: TrainConfig,
    suffix: nn.Sequential,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    store: FeatureStore,
    device: torch.device,
) -> Step:
    """The faster way for this suffix on this device."""
    plain = OptimizerStep(config, suffix, optimizer, loss, store, device)
    wide = WideLayer.of(suffix, optimizer, config, device)
    return BlockStep(plain, wide) if wide else plain


class OptimizerStep:
    """A step of torch's optimiser for each batch."""

    def __init__(
        self,
        config: TrainConfig,
        suffix: nn.Sequential,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        store: FeatureStore,
        device: torch.device,
    ) -> None:
        self.config, self.suffix, self.optimizer, self.loss = config, suffix, optimizer, loss
        self.store, self.device = store, device

    def begin(self, rows: NDArray[np.int64], label: NDArray[np.int64]) -> None:
        self.rows, self.label = rows, label

    def __call__(self, part: NDArray[np.int64], rate: float) -> tuple[float, Tensor]:
        logits = self._forward(self.read(part))
        return self.move(logits, part, rate).item(), logits

    def read(self, part: slice | NDArray[np.int64]) -> Tensor:
        """What the suffix takes of these places of the epoch."""
        return suffix_input(self.store.read(self.rows[part]), self.device)

    def move(self, logits: Tensor, part: NDArray[np.int64], rate: float) -> Tensor:
        """Step against the gradient of the loss that these logits have."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self.loss(logits, self.label[part])
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        return loss

    def _forward(self, images: Tensor) -> Tensor:
        try:
            logits: Tensor = self.suffix(images)
        except ValueError as error:
            # Batch norm has nothing to average over: one image whose features are a single pixel.
            raise RunError(
                f"{self.config.backbone} cannot learn from a batch of {len(images)} at {self.config.image_size} px "
                f"({error}). Raise image_size, or choose a batch_size above 1 that leaves no single image over of "
                f"{len(self.rows)}."
            ) from None
        return logits


class BlockStep:
    """The same steps with a wide first layer, whose weights are moved once for a block of batches."""

    def __init__(self, plain: OptimizerStep, wide: WideLayer) -> None:
        self.plain, self.wide = plain, wide
        self.block = wide.steps * plain.config.batch_size

    def begin(self, rows: NDArray[np.int64], label: NDArray[np.int64]) -> None:
        self.plain.begin(rows, label)

    def __call__(self, part: NDArray[np.int64], rate: float) -> tuple[float, Tensor]:
        first, after = int(part[0]), int(part[-1]) + 1
        if first % self.block == 0:
            self.wide.begin(self.plain.read(slice(first, first + self.block)))
        logits = self.wide.forward(len(part))
        loss = self.plain.move(logits, part, rate)
        self.wide.stepped(rate)
        if after % self.block == 0 or after == len(self.plain.rows):
            self.wide.end()
        return loss.item(), logits
