"""Blocks of SGD steps on a wide layer are the steps of torch.optim.SGD, written another way."""

import copy
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cxr_core.config import TrainConfig
from cxr_core.model.heads import build_head
from cxr_core.training import wide
from cxr_core.training.wide import WideLayer
from cxr_core.training.worker import work
from tests.runs_support import measured, new_run, train, wait_until

CPU = torch.device("cpu")
WIDTH, CLASSES = 300, 3
VGG16: dict[str, Any] = {"backbone": "vgg16", "weights": "none", "image_size": 32, "batch_size": 2, "hidden": (256, 16)}


def made(config: TrainConfig, seed: int = 0) -> tuple[nn.Sequential, torch.optim.SGD]:
    torch.manual_seed(seed)
    suffix = nn.Sequential(build_head(WIDTH, (64, 16), config.dropout, CLASSES))
    return suffix, sgd(config, suffix)


def sgd(config: TrainConfig, suffix: nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(
        suffix.parameters(), lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay
    )


def rates(config: TrainConfig, steps: int) -> list[float]:
    return [config.lr * (1 + step / steps) for step in range(steps)]


def batches(count: int, size: int) -> tuple[torch.Tensor, torch.Tensor, list[slice]]:
    random = torch.Generator().manual_seed(1)
    features = torch.rand((count, WIDTH), generator=random)
    label = torch.randint(CLASSES, (count,), generator=random)
    return features, label, [slice(start, min(start + size, count)) for start in range(0, count, size)]


def stepped(optimizer: torch.optim.SGD, loss: torch.Tensor, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def plainly(config: TrainConfig, epochs: int, count: int) -> nn.Sequential:
    """The reference: torch's own steps, in float64."""
    suffix, _ = made(config)
    suffix = suffix.double().train()
    optimizer = sgd(config, suffix)
    features, label, parts = batches(count, config.batch_size)
    for epoch in range(epochs):
        torch.manual_seed(epoch)
        for part, rate in zip(parts, rates(config, len(parts)), strict=True):
            stepped(optimizer, nn.functional.cross_entropy(suffix(features[part].double()), label[part]), rate)
    return suffix


def in_blocks(config: TrainConfig, epochs: int, count: int) -> nn.Sequential:
    suffix, optimizer = made(config)
    layer = WideLayer.of(suffix.train(), optimizer, config, CPU)
    assert layer is not None
    features, label, parts = batches(count, config.batch_size)
    for epoch in range(epochs):
        torch.manual_seed(epoch)
        for step, (part, rate) in enumerate(zip(parts, rates(config, len(parts)), strict=True)):
            if step % layer.steps == 0:
                layer.begin(features[part.start : part.start + layer.steps * config.batch_size])
            stepped(optimizer, nn.functional.cross_entropy(layer.forward(part.stop - part.start), label[part]), rate)
            layer.stepped(rate)
            if (step + 1) % layer.steps == 0 or step + 1 == len(parts):
                layer.end()
    return suffix


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small layers count as wide, and blocks end within an epoch."""
    monkeypatch.setattr(wide, "LEAST_WEIGHTS", 1)
    monkeypatch.setattr(wide, "_ROWS", 40)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("batch_size", [1, 8, 20])
@pytest.mark.parametrize("count", [40, 83])
def test_blocks_of_steps_are_the_steps(momentum: float, weight_decay: float, batch_size: int, count: int) -> None:
    """Against torch in float64, to float32's rounding: a batch and a block left over, rates that change."""
    config = TrainConfig.create(momentum=momentum, weight_decay=weight_decay, batch_size=batch_size, lr=0.02, dropout=0)
    reference, ours = plainly(config, 3, count), in_blocks(config, 3, count)
    start, _ = made(config)
    for (name, expected), found, first in zip(
        reference.named_parameters(), ours.parameters(), start.parameters(), strict=True
    ):
        moved = (expected - first.double()).abs().max()
        assert moved > 5e-4, name
        assert (found.double() - expected).abs().max() < 2e-5 * (1 + moved), name


@pytest.mark.usefixtures("narrow")
def test_dropout_draws_as_it_would_without_blocks() -> None:
    config = TrainConfig.create(batch_size=8, lr=0.02, dropout=0.5)
    ours = in_blocks(config, 2, 83)
    suffix, optimizer = made(config)
    features, label, parts = batches(83, 8)
    for epoch in range(2):
        torch.manual_seed(epoch)
        for part, rate in zip(parts, rates(config, len(parts)), strict=True):
            stepped(optimizer, nn.functional.cross_entropy(suffix.train()(features[part]), label[part]), rate)
    for expected, found in zip(suffix.parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("narrow")
def test_the_momentum_is_the_optimisers() -> None:
    """A checkpoint after a block holds what torch would hold, so that either way can go on from it."""
    config = TrainConfig.create(batch_size=8, lr=0.02, dropout=0, weight_decay=0.05)
    features, label, parts = batches(40, 8)
    buffers = []
    for blocks in (False, True):
        suffix, optimizer = made(config)
        layer = WideLayer.of(suffix.train(), optimizer, config, CPU)
        assert layer is not None
        if blocks:
            layer.begin(features)
        for part in parts:
            logits = layer.forward(8) if blocks else suffix(features[part])
            stepped(optimizer, nn.functional.cross_entropy(logits, label[part]), 0.02)
            if blocks:
                layer.stepped(0.02)
        if blocks:
            layer.end()
        state = copy.deepcopy(optimizer.state_dict()["state"])
        buffers.append([state[k]["momentum_buffer"] for k in sorted(state)])
    for expected, found in zip(*buffers, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "width"),
    [
        ({"optimizer": "adamw"}, 25_088),
        ({"batch_size": 129}, 25_088),
        ({}, 512),
        ({"hidden": ()}, 25_088),
    ],
)
def test_where_it_gains_nothing_there_is_none(given: dict[str, object], width: int) -> None:
    config = TrainConfig.create(**given)
    suffix = nn.Sequential(build_head(width, config.hidden, config.dropout, CLASSES))
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.SGD
    assert WideLayer.of(suffix, kind(suffix.parameters(), lr=0.1), config, CPU) is None


def test_the_notebooks_head_is_wide() -> None:
    config = TrainConfig.create()
    suffix = nn.Sequential(build_head(25_088, config.hidden, config.dropout, CLASSES))
    assert WideLayer.of(suffix, torch.optim.SGD(suffix.parameters(), lr=0.1), config, CPU) is not None


def test_a_training_with_blocks_is_the_training_without(tiny_dataset: Path, tmp_path: Path) -> None:
    """The whole way: VGG16's features, order, dropout, validation, thresholds; and the same again, to the last bit."""
    config = {
        "backbone": "vgg16",
        "weights": "none",
        "image_size": 32,
        "epochs": 3,
        "batch_size": 2,
        "hidden": (256, 16),
    }
    blocks, again = (train(tiny_dataset, tmp_path / name, **config) for name in ("blocks", "again"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wide, "LEAST_WEIGHTS", 1 << 60)
        steps = train(tiny_dataset, tmp_path / "steps", **VGG16, epochs=3)
    assert measured(blocks) == measured(again)
    assert blocks.weights_file.read_bytes() == again.weights_file.read_bytes()
    assert blocks.weights_file.read_bytes() != steps.weights_file.read_bytes(), "the sums are in another order"
    for ours, plain in zip(blocks.history, steps.history, strict=True):
        for split in ("train", "val"):
            assert ours.part(split).loss == pytest.approx(plain.part(split).loss, rel=1e-3)


def test_stopped_in_between_it_goes_on_to_the_same_weights(tiny_dataset: Path, tmp_path: Path) -> None:
    whole = train(tiny_dataset, tmp_path / "whole", **VGG16, epochs=12)
    run = new_run(tiny_dataset, tmp_path / "stopped", **VGG16, epochs=12)
    worker = threading.Thread(target=work, args=(run,))
    worker.start()
    wait_until(lambda: len(run.history) >= 1, "the first epoch")
    (run.path / "stop").touch()
    worker.join()
    assert run.state == "stopped"
    assert len(run.history) < 12
    work(run)
    assert measured(run) == measured(whole)
    assert run.weights_file.read_bytes() == whole.weights_file.read_bytes()
