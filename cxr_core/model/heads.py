"""The new head: from the backbone's features to one logit per class."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F


def build_head(features: int, hidden: Sequence[int], dropout: float, classes: int) -> nn.Sequential:
    """Linear and ReLU per hidden size, dropout after the first, then a linear layer: (N, features) -> (N, classes).

    ``hidden = (1024, 128), dropout = 0.5`` is the 2020 notebook's head. Without hidden layers the dropout stands
    before the linear layer.
    """
    layers: list[nn.Module] = []
    width = features
    for position, size in enumerate(hidden):
        layers += [nn.Linear(width, size), nn.ReLU(inplace=True)]
        if position == 0:
            layers.append(nn.Dropout(dropout))
        width = size
    if not hidden:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(width, classes))


class OperatingPoints(nn.Module):
    """Logits (N, K) of published networks -> those of what is shown of them: 0.5 is each finding's operating point t.

    TorchXRayVision's own display of a probability p: p / 2t below the point, 1 - (1 - p) / 2(1 - t) above it. It keeps
    the order of any two answers of a finding. Computed in logarithms, so that none becomes 0 or 1 before its time.
    """

    thresholds: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.register_buffer("thresholds", torch.full((classes,), 0.5))

    def forward(self, logits: Tensor) -> Tensor:
        below = logits < torch.logit(self.thresholds)
        # The logarithm of the smaller of what is shown and what is missing to 1: at most a half.
        smaller = torch.where(
            below,
            F.logsigmoid(logits) - torch.log(2 * self.thresholds),
            F.logsigmoid(-logits) - torch.log(2 * (1 - self.thresholds)),
        )
        odds = smaller - torch.log1p(-torch.exp(smaller))
        return torch.where(below, odds, -odds)


def holds_points(file: Path) -> bool:
    """Whether a run's weights end with operating points. A file that cannot be read is told of when it is read."""
    try:
        with safe_open(file, framework="pt") as content:
            return any(name.endswith(".thresholds") for name in content.keys())  # noqa: SIM118
    except (OSError, SafetensorError):
        return False
