"""Pooled stages: the constants are those of the rows, and a feature that never varies does no harm."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from cxr_core.config import TrainConfig
from cxr_core.errors import ConfigError
from cxr_core.model.pooling import PooledStages, Standard, standardise


def test_rows_are_means_and_spreads_side_by_side() -> None:
    prefix = PooledStages([("a", nn.MaxPool2d(2)), ("b", nn.ReLU()), ("c", nn.AvgPool2d(2))], ("a", "c"))
    images = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    first = nn.functional.max_pool2d(images, 2)
    last = nn.functional.avg_pool2d(first.relu(), 2)
    parts = [part for maps in (first, last) for part in (maps.mean((2, 3)), maps.std((2, 3), correction=0))]
    torch.testing.assert_close(prefix(images), torch.cat(parts, dim=1))


def test_standardised_rows_have_mean_0_and_spread_1() -> None:
    rows = np.random.default_rng(0).normal(5, 3, (200, 4)).astype(np.float16)
    rows[:, 2] = 7.5
    rows[::2, 3], rows[1::2, 3] = 1000, 1000.5  # one step of half precision: rounding, no measurement
    suffix = nn.Sequential(OrderedDict(standard=Standard(4)))
    standardise(suffix, lambda: [rows[:64], rows[64:]])
    out = suffix(torch.from_numpy(rows).float()).numpy()
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(out.std(axis=0)[:2], 1, atol=1e-4)
    assert out[:, 2].std() == 0
    assert out[:, 3].std() < 0.3


@pytest.mark.parametrize("trainable", ["last-block", "all"])
def test_only_a_head_learns_from_pooled_stages(trainable: str) -> None:
    with pytest.raises(ConfigError, match=f"choose trainable = head, or features = last for trainable = {trainable}"):
        TrainConfig.create(features="stages", trainable=trainable)
