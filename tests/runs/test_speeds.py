"""Remembered speeds."""

import pytest

from cxr_core.config import TrainConfig
from cxr_core.runs import speeds
from cxr_core.settings import cache_dir


def test_the_latest_speed_is_known() -> None:
    config = TrainConfig.create()
    assert speeds.known(config, "training") is None
    speeds.record(config, "training", 120.0)
    speeds.record(config, "training", 80.5)
    speeds.record(config, "extraction", 7.25)
    assert speeds.known(config, "training") == 80.5
    assert speeds.known(config, "extraction") == 7.25


@pytest.mark.parametrize(
    "changed", [{"backbone": "resnet18"}, {"trainable": "last-block"}, {"image_size": 320}, {"device": "cpu"}]
)
def test_other_work_has_another_speed(changed: dict[str, object]) -> None:
    for stage in ("extraction", "training"):
        speeds.record(TrainConfig.create(), stage, 10.0)
        assert speeds.known(TrainConfig.create(**changed), stage) is None


@pytest.mark.parametrize("changed", [{"batch_size": 64}, {"optimizer": "adamw"}, {"hidden": "16"}])
def test_the_head_matters_to_training_only(changed: dict[str, object]) -> None:
    for stage in ("extraction", "training"):
        speeds.record(TrainConfig.create(), stage, 10.0)
    assert speeds.known(TrainConfig.create(**changed), "extraction") == 10.0
    assert speeds.known(TrainConfig.create(**changed), "training") is None


def test_what_does_not_change_the_work_keeps_its_speed() -> None:
    speeds.record(TrainConfig.create(), "training", 10.0)
    other = TrainConfig.create(lr=0.5, seed=9, epochs=3, gamma=0, weights="none")
    assert speeds.known(other, "training") == 10.0


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"training": 3}'])
def test_a_damaged_file_counts_as_empty(content: str) -> None:
    config = TrainConfig.create()
    cache_dir().mkdir(parents=True)
    (cache_dir() / "speeds.json").write_text(content)
    assert speeds.known(config, "training") is None
    speeds.record(config, "training", 5.0)
    assert speeds.known(config, "training") == 5.0


@pytest.mark.parametrize("value", ["0", "-3", "NaN", "Infinity", '"fast"', "null"])
def test_a_senseless_speed_is_not_believed(value: str) -> None:
    config = TrainConfig.create()
    speeds.record(config, "training", 5.0)
    file = cache_dir() / "speeds.json"
    file.write_text(file.read_text().replace("5.0", value))
    assert speeds.known(config, "training") is None
