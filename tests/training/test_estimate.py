"""The estimate before a training starts."""

import pytest

from cxr_core.training import speeds
from cxr_core.training.config import PRESETS, TrainConfig
from cxr_core.training.estimate import FIXED_SECONDS, GIGA_MACS, estimate


@pytest.mark.parametrize("backbone", GIGA_MACS)
@pytest.mark.parametrize("trainable", ["head", "last-block", "all"])
def test_a_guess_for_every_network(backbone: str, trainable: str) -> None:
    guess = estimate(TrainConfig.create(backbone=backbone, trainable=trainable), 1000, 300)
    assert FIXED_SECONDS < guess.seconds < 1e6
    assert guess.basis.startswith("a rough guess")


@pytest.mark.parametrize("name", PRESETS)
def test_more_work_takes_longer(name: str) -> None:
    given = PRESETS[name]
    config = TrainConfig.create(**given)
    base = estimate(config, 1000, 300).seconds
    more = [
        estimate(config, 2000, 300),
        estimate(config, 1000, 600),
        estimate(TrainConfig.create(**{**given, "epochs": config.epochs + 1}), 1000, 300),
        estimate(TrainConfig.create(**{**given, "views": config.views + 1}), 1000, 300),
        estimate(TrainConfig.create(**{**given, "image_size": 448}), 1000, 300),
    ]
    assert all(longer.seconds > base for longer in more)


def test_measured_speeds_are_used_and_said() -> None:
    config = TrainConfig.create(epochs=10, views=3)
    speeds.record(config, "extraction", 5.0)
    assert estimate(config, 100, 50).basis.startswith("a rough guess")  # only half of it was measured
    speeds.record(config, "training", 200.0)
    measured = estimate(config, 100, 50)
    assert measured.seconds == pytest.approx(FIXED_SECONDS + (100 * 3 + 50) / 5 + 100 * 10 / 200)
    assert measured.basis.startswith("measured in earlier runs")


def test_every_backbone_has_its_figure() -> None:
    backbones = TrainConfig.model_fields["backbone"].annotation
    assert set(GIGA_MACS) == set(backbones.__args__)  # type: ignore[union-attr]
