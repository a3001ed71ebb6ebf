"""Networks for the tests of this folder: each backbone built once, small images."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.networks_support import without_classifier

SIDE = 64


def images(count: int, side: int = SIDE, seed: int = 0) -> torch.Tensor:
    """Decoded noise, (N, S, S) uint8."""
    return torch.randint(256, (count, side, side), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


@pytest.fixture(scope="session")
def network() -> Callable[[str], nn.Module]:
    """``network(name)``: the whole backbone without its classifier, built once."""
    built: dict[str, nn.Module] = {}

    def build(name: str) -> nn.Module:
        if name not in built:
            built[name] = without_classifier(name, images(4, seed=9))
        return built[name]

    return build
