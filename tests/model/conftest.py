"""Networks for the tests of this folder: each backbone built once, small images."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from cxr_core.model.network import to_input
from cxr_core.model.weights import load_backbone

SIDE = 64


def images(count: int, side: int = SIDE, seed: int = 0) -> torch.Tensor:
    """Decoded noise, (N, S, S) uint8."""
    return torch.randint(256, (count, side, side), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


@pytest.fixture(scope="session")
def network() -> Callable[[str], nn.Module]:
    """``network(name)``: the whole backbone in eval mode, its classifier replaced by the identity.

    Where it has batch normalisation that is told the statistics of an image: with the initial ones the features of
    EfficientNet and MobileNet vanish, and equal zeros prove nothing.
    """
    built: dict[str, nn.Module] = {}

    def build(name: str) -> nn.Module:
        if name not in built:
            net = load_backbone(name, "none", seed=0)
            own = {"resnet18": "fc", "convnext_tiny": "classifier.2", "small-cnn": ""}.get(name, "classifier")
            if own:
                net.set_submodule(own, nn.Identity())
            norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
            for norm in norms:
                norm.momentum = 1.0
            if norms:
                with torch.no_grad():
                    net.train()(to_input(images(4, seed=9)))
            built[name] = net.eval()
        return built[name]

    return build
