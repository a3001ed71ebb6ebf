"""Whichever way the steps of an epoch are taken, they are the same steps."""

from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from cxr_core.config import TrainConfig
from cxr_core.errors import RunError
from cxr_core.model.features import FeatureStore
from cxr_core.model.heads import build_head
from cxr_core.model.network import in_batches
from cxr_core.training import wide
from cxr_core.training.steps import BlockStep, OptimizerStep, Step, step_for

CPU = torch.device("cpu")
IMAGES, WIDTH, CLASSES = 83, 300, 3


class Features:
    """Kept rows, in memory."""

    rows = np.random.default_rng(0).normal(size=(IMAGES, WIDTH)).astype(np.float32)

    def read(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.rows[numbers]


def stepper(config: TrainConfig) -> tuple[nn.Sequential, Step]:
    torch.manual_seed(0)
    suffix = nn.Sequential(build_head(WIDTH, (64, 16), config.dropout, CLASSES))
    optimizer = torch.optim.SGD(suffix.parameters(), momentum=config.momentum, weight_decay=config.weight_decay)
    store = cast(FeatureStore, Features())
    return suffix, step_for(OptimizerStep(config, suffix, optimizer, cross_entropy, store, CPU))


def cross_entropy(logits: torch.Tensor, index: NDArray[np.int64]) -> torch.Tensor:
    return nn.functional.cross_entropy(logits, torch.from_numpy(index))


def epochs(config: TrainConfig, step: Step, count: int) -> list[float]:
    """The losses of ``count`` epochs, each in another order and with a batch left over."""
    losses = []
    for epoch in range(count):
        rows = np.random.default_rng(epoch).permutation(IMAGES)
        step.begin(rows, rows % CLASSES)
        for number, part in enumerate(in_batches(np.arange(IMAGES), config.batch_size)):
            value, logits = step(part, config.lr * (1 + number / 10))
            assert logits.shape == (len(part), CLASSES)
            losses.append(value)
    return losses


def test_blocks_and_torchs_optimiser_take_the_same_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainConfig.create(batch_size=8, lr=0.02, dropout=0, momentum=0.9, weight_decay=0.01)
    plain, step = stepper(config)
    assert isinstance(step, OptimizerStep)
    expected = epochs(config, step, 3)
    monkeypatch.setattr(wide, "LEAST_WEIGHTS", 1)
    monkeypatch.setattr(wide, "_ROWS", 40)
    blocks, step = stepper(config)
    assert isinstance(step, BlockStep)
    assert step.block == 40
    assert epochs(config, step, 3) == pytest.approx(expected, rel=1e-4)
    for ours, theirs in zip(blocks.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_a_batch_that_cannot_be_averaged_over_is_said() -> None:
    config = TrainConfig.create(batch_size=1, backbone="resnet18", image_size=32)
    suffix = nn.Sequential(nn.BatchNorm1d(WIDTH), nn.Linear(WIDTH, CLASSES))
    optimizer: Any = torch.optim.AdamW(suffix.parameters())
    step = step_for(OptimizerStep(config, suffix, optimizer, cross_entropy, cast(FeatureStore, Features()), CPU))
    step.begin(np.arange(IMAGES), np.arange(IMAGES) % CLASSES)
    with pytest.raises(RunError, match=r"batch of 1 at 32 px .* no single image over of 83"):
        step(np.arange(1), 0.1)
