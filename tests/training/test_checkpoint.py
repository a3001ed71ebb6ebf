"""The state a training goes on from: whole, replaced in one step, refused when damaged."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from cxr_core.errors import RunError
from cxr_core.training.checkpoint import Standing, copy_weights, load_checkpoint, save_checkpoint


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )
    return layers.to(memory_format=torch.channels_last)


def step(net: nn.Module, optimizer: Optimizer, seed: int) -> None:
    torch.manual_seed(seed)
    optimizer.zero_grad()
    net(torch.randn(4, 2, 6, 6)).square().mean().backward()
    optimizer.step()


def optimizers(net: nn.Module) -> list[Optimizer]:
    return [
        SGD(net.parameters(), lr=0.1, momentum=0.9, fused=True),
        SGD(net.parameters(), lr=0.1, fused=True),
        AdamW(net.parameters(), lr=0.1, fused=True),
    ]


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_what_was_saved_goes_on_as_if_nothing_had_happened(tmp_path: Path, kind: int) -> None:
    net = network()
    optimizer = optimizers(net)[kind]
    step(net, optimizer, 1)
    best = copy_weights(net)
    step(net, optimizer, 2)
    standing = Standing(epoch=7, best_epoch=4, best_score=(0.25, -1.5))
    save_checkpoint(tmp_path / "state.safetensors", net, optimizer, best, standing)
    step(net, optimizer, 3)

    other = network(seed=5)
    other_optimizer = optimizers(other)[kind]
    found, found_best = load_checkpoint(tmp_path / "state.safetensors", other, other_optimizer)
    step(other, other_optimizer, 3)
    assert found == standing
    assert found.without_gain == 3
    assert all(torch.equal(found_best[name], value) for name, value in best.items())
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in net.state_dict().items())


def test_a_copy_of_the_weights_stays_when_they_move_on() -> None:
    net = network()
    copy = copy_weights(net)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    step(net, optimizers(net)[0], 1)
    assert all(torch.equal(copy[name], value) for name, value in before.items())
    assert not torch.equal(copy["0.weight"], net.state_dict()["0.weight"])


def damage(file: Path, how: str) -> None:
    if how == "missing":
        file.unlink()
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "cut short":
        file.write_bytes(file.read_bytes()[:-100])
    elif how == "other bytes":
        file.write_bytes(b"\x80\x04N." * 200)
    elif how == "without standing":
        save_file({"model.0.weight": torch.zeros(1)}, file)
    elif how == "senseless standing":
        save_file({"model.0.weight": torch.zeros(1)}, file, metadata={"standing": "{"})
    elif how == "standing of another shape":
        save_file({"model.0.weight": torch.zeros(1)}, file, metadata={"standing": json.dumps({"age": 3})})
    else:
        save_file({"model.0.weight": torch.zeros(1)}, file, metadata={"standing": json.dumps({"epoch": 3})})


@pytest.mark.parametrize(
    "how",
    [
        "missing",
        "empty",
        "cut short",
        "other bytes",
        "without standing",
        "senseless standing",
        "standing of another shape",
        "other weights",
    ],
)
def test_a_damaged_state_is_refused_with_the_way_on(tmp_path: Path, how: str) -> None:
    net = network()
    optimizer = optimizers(net)[0]
    step(net, optimizer, 1)
    file = tmp_path / "last" / "state.safetensors"
    save_checkpoint(file, net, optimizer, copy_weights(net), Standing(epoch=1))
    damage(file, how)
    with pytest.raises(RunError, match=r"cannot be resumed from .*Delete the folder last"):
        load_checkpoint(file, network(), optimizers(network())[0])


def test_saving_leaves_one_file(tmp_path: Path) -> None:
    net = network()
    for epoch in (1, 2):
        save_checkpoint(tmp_path / "state.safetensors", net, optimizers(net)[2], copy_weights(net), Standing(epoch))
    assert [file.name for file in tmp_path.iterdir()] == ["state.safetensors"]
