"""The new head: from the backbone's features to one logit per class."""

from collections.abc import Sequence

from torch import nn


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
