"""Every backbone's stages, composed, are the network; every cut divides it without loss."""

from collections.abc import Callable, Sequence
from typing import get_args

import pytest
import torch
from torch import nn

from cxr_core.config import PACKAGED, Backbone
from cxr_core.model.backbones import BACKBONES
from cxr_core.model.network import to_input
from cxr_core.published import of_backbone
from tests.model.conftest import images

Networks = Callable[[str], nn.Module]


def through(stages: Sequence[tuple[str, nn.Module]], value: torch.Tensor) -> torch.Tensor:
    return nn.Sequential(*(stage for _, stage in stages))(value)


def test_the_registry_is_the_configurations_list() -> None:
    assert set(BACKBONES) == set(get_args(Backbone))
    assert all(name == entry.name for name, entry in BACKBONES.items())


def test_only_our_own_network_and_those_of_xrays_lack_imagenet_weights() -> None:
    lacking = [name for name, entry in BACKBONES.items() if not (entry.imagenet or entry.package)]
    assert lacking == ["xrv_densenet121", "rad_dino", "rad_dino_patches", "small-cnn"]
    assert all(of_backbone(name) for name in lacking[:-1])
    assert [name for name, entry in BACKBONES.items() if entry.package] == list(PACKAGED)


@pytest.mark.parametrize("name", BACKBONES)
def test_stages_are_the_network_at_every_cut(name: str, network: Networks) -> None:
    net, entry = network(name), BACKBONES[name]
    stages = entry.stages(net)
    batch = to_input(images(2))
    with torch.inference_mode():
        whole = net(batch)  # torchvision's own forward, without its classifier
        assert whole.ndim == 2
        assert whole.abs().max() > 1e-3
        for trainable in ("head", "last-block", "all"):
            cut = entry.cut(trainable, stages)
            prefix = through(stages[:cut], batch)
            assert torch.equal(through(stages[cut:], prefix), whole), trainable


@pytest.mark.parametrize("name", BACKBONES)
def test_stages_share_no_weights_and_leave_none_out(name: str, network: Networks) -> None:
    net = network(name)
    staged = [id(value) for _, stage in BACKBONES[name].stages(net) for value in stage.parameters()]
    assert len(staged) == len(set(staged))
    assert set(staged) == {id(value) for value in net.parameters()}


@pytest.mark.parametrize("name", BACKBONES)
def test_cuts(name: str, network: Networks) -> None:
    entry = BACKBONES[name]
    stages = entry.stages(network(name))
    names = [stage for stage, _ in stages]
    assert len(set(names)) == len(names)
    assert names[-1] == "pool"
    assert entry.cut("all", stages) == 0
    assert entry.cut("last-block", stages) == len(stages) - 2
    assert entry.cut("head", stages) == len(stages)
    # What last-block trains holds weights, and not the most of them come before the first stage.
    assert any(value.requires_grad for _, stage in stages[-2:] for value in stage.parameters())


@pytest.mark.parametrize("name", BACKBONES)
def test_a_cut_leaves_what_was_kept_untouched(name: str, network: Networks) -> None:
    """An in-place layer behind the cut would change the rows that a batch was read into."""
    entry = BACKBONES[name]
    stages = entry.stages(network(name))
    cut = entry.cut("last-block", stages)
    with torch.inference_mode():
        kept = through(stages[:cut], to_input(images(2)))
        before = kept.clone()
        through(stages[cut:], kept)
    assert torch.equal(kept, before)
