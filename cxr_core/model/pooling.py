"""Features of middle stages: the mean and the spread of their maps, side by side and standardised.

    prefix = PooledStages(stages, names)       # images -> rows (N, F): of each named stage its means, then its spreads
    suffix = Sequential(standard=Standard(F), head=...)
    standardise(suffix, batches of the training images' rows)

What the last stages of a network make of a photograph helps little with an X-ray; middle ones still see texture. The
constants of the standardisation are buffers of the suffix: they lie in the run's weights file, beside the head.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

# Rows are kept in half precision: a feature that varies by less than its rounding varies by chance.
_ROUNDING = 2.0**-10
_LEAST_STD = 1e-6
# Keeps the root's slope finite where a map is the same everywhere.
_LEAST_VARIANCE = 1e-12


class PooledStages(nn.Sequential):
    """Stages up to the last of ``names``; what comes out is pooled from the maps of the named ones."""

    def __init__(self, stages: Sequence[tuple[str, nn.Module]], names: Sequence[str]) -> None:
        super().__init__()
        for name, stage in stages:
            self.add_module(name, stage)
        self.names = tuple(names)

    def forward(self, images: Tensor) -> Tensor:
        return self.row(*self.to_last(images))

    def to_last(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """What the earlier named stages give, pooled, and the map of the last one."""
        earlier = []
        for name, stage in self.named_children():
            images = stage(images)
            if name in self.names[:-1]:
                earlier.append(_pooled(images))
        return earlier, images

    def row(self, earlier: Sequence[Tensor], last: Tensor) -> Tensor:
        """The features (N, F) that these make."""
        return torch.cat([*earlier, _pooled(last)], dim=1)


def _pooled(maps: Tensor) -> Tensor:
    """Maps (N, C, H, W) -> means and spreads (N, 2 C), each image by itself: the same bits in any company."""
    rows = []
    for image in torch.split(maps, 1):
        variance, mean = torch.var_mean(image.flatten(2).contiguous(), dim=2, correction=0)
        rows.append(torch.cat([mean, (variance + _LEAST_VARIANCE).sqrt()], dim=1))
    return torch.cat(rows)


class Standard(nn.Module):
    """Features (N, F) minus their mean, divided by their standard deviation, both over the training images."""

    mean: Tensor
    std: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("std", torch.ones(width))

    def forward(self, rows: Tensor) -> Tensor:
        return (rows - self.mean) / self.std


def standardise(suffix: nn.Sequential, batches: Callable[[], Iterable[NDArray[Any]]]) -> None:
    """Take the constants of the suffix's :class:`Standard` from these rows, which are read twice."""
    standard = suffix.get_submodule("standard")
    assert isinstance(standard, Standard)
    count, total = 0, np.zeros(len(standard.mean))
    for rows in batches():
        count, total = count + len(rows), total + rows.astype(np.float64).sum(axis=0)
    mean = total / count
    squares = np.zeros_like(mean)
    for rows in batches():
        squares += ((rows.astype(np.float64) - mean) ** 2).sum(axis=0)
    std = np.maximum(np.sqrt(squares / count), np.maximum(_ROUNDING * np.abs(mean), _LEAST_STD))
    standard.mean.copy_(torch.from_numpy(mean))
    standard.std.copy_(torch.from_numpy(std))
