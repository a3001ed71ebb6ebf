"""Hyperparameters: bounds, messages, defaults, presets."""

import json
import math
from typing import Any

import pytest
from pydantic import ValidationError

from cxr_core.config import PRESETS, SMALL_CNN_DEFAULTS, TrainConfig
from cxr_core.errors import ConfigError


def test_defaults_are_the_notebooks_protocol() -> None:
    config = TrainConfig.create()
    assert config.model_dump(
        include={"backbone", "weights", "trainable", "hidden", "dropout", "gamma", "alpha", "optimizer"}
    ) == {
        "backbone": "vgg16",
        "weights": "imagenet",
        "trainable": "head",
        "hidden": (1024, 128),
        "dropout": 0.5,
        "gamma": 1.2,
        "alpha": "none",
        "optimizer": "sgd",
    }
    assert (config.lr, config.momentum, config.batch_size, config.epochs) == (0.001, 0.9, 8, 20)
    assert (config.image_size, config.monitor, config.schedule, config.labels) == (224, "auto", "constant", "auto")


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid_and_come_back_from_json(name: str) -> None:
    config = TrainConfig.create(**PRESETS[name])
    written = json.loads(config.model_dump_json())
    assert TrainConfig.create(**written) == config
    assert TrainConfig.create(**json.loads(json.dumps(config.model_dump(mode="json")))) == config


def test_the_notebook_protocol_is_the_default() -> None:
    assert TrainConfig.create(**PRESETS["Notebook protocol"]) == TrainConfig.create()


def test_a_run_of_before_saw_the_last_features() -> None:
    before = TrainConfig.create().model_dump(mode="json", exclude={"features"})
    assert TrainConfig.create(**before).features == "last"


def test_small_cnn_brings_its_own_defaults() -> None:
    config = TrainConfig.create(backbone="small-cnn")
    assert {name: getattr(config, name) for name in SMALL_CNN_DEFAULTS} == SMALL_CNN_DEFAULTS
    given = TrainConfig.create(backbone="small-cnn", lr=0.5, hidden="32", optimizer="sgd")
    assert (given.lr, given.hidden, given.optimizer) == (0.5, (32,), "sgd")
    assert given.trainable == "all"  # what was not given keeps the backbone's default
    assert TrainConfig.create(**json.loads(given.model_dump_json())) == given


def test_small_cnn_has_no_imagenet_weights() -> None:
    with pytest.raises(ConfigError, match="small-cnn has no ImageNet weights: choose weights = none"):
        TrainConfig.create(backbone="small-cnn", weights="imagenet")
    assert TrainConfig.create(backbone="small-cnn", weights="mine.safetensors").weights == "mine.safetensors"


@pytest.mark.parametrize(
    ("field", "lowest", "highest", "outside"),
    [
        ("dropout", 0, 0.99, (-0.1, 1)),
        ("image_size", 32, 1024, (31, 1025, 224.5)),
        ("gamma", 0, 10, (-0.01, 10.1)),
        ("epochs", 1, 10_000, (0, -1, 10_001, 1.5)),
        ("batch_size", 1, 4096, (0, 4097)),
        ("lr", 1e-12, 10, (0, -1, 10.1)),
        ("momentum", 0, 0.999, (-0.1, 1)),
        ("weight_decay", 0, 1, (-1, 1.1)),
        ("patience", 0, 10_000, (-1, 10_001)),
        ("views", 1, 64, (0, 65)),
        ("val_fraction", 0.01, 0.99, (0, 1)),
        ("test_fraction", 0.01, 0.99, (0, 1)),
        ("seed", 0, 2**31 - 1, (-1, 2**31)),
        ("split_seed", 0, 2**31 - 1, (-1, 2**31)),
    ],
)
def test_bounds(field: str, lowest: float, highest: float, outside: tuple[float, ...]) -> None:
    for inside in (lowest, highest):
        assert getattr(TrainConfig.create(**{field: inside}), field) == inside
    wrong: tuple[Any, ...] = (*outside, math.nan, math.inf, -math.inf, "many", None, [1])
    for value in wrong:
        with pytest.raises(ConfigError, match=rf"^{field}: Input should be .*, got ") as caught:
            TrainConfig.create(**{field: value})
        assert str(caught.value).endswith(f"got {value!r}")


@pytest.mark.parametrize(
    "field", ["backbone", "trainable", "optimizer", "schedule", "monitor", "device", "alpha", "weights", "labels"]
)
def test_choices_name_what_they_expect(field: str) -> None:
    with pytest.raises(ConfigError, match=f"^{field}: .*got 3"):
        TrainConfig.create(**{field: 3})


def test_a_wrong_choice_lists_the_right_ones() -> None:
    with pytest.raises(ConfigError, match=r"'vgg16', 'resnet18'.* or 'small-cnn', got 'vgg19'"):
        TrainConfig.create(backbone="vgg19")
    with pytest.raises(ConfigError, match="'head', 'last-block' or 'all', got 'tail'"):
        TrainConfig.create(trainable="tail")


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig.create(epochs=0, lr=-1, backbone="vgg19")
    assert all(f"{field}: " in str(caught.value) for field in ("epochs", "lr", "backbone"))


def test_unknown_hyperparameters_are_named() -> None:
    with pytest.raises(ConfigError, match=r"^learning_rate: there is no such hyperparameter; the fields are backbone"):
        TrainConfig.create(learning_rate=0.1)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("1024,128", (1024, 128)),
        (" 64 ", (64,)),
        ("", ()),
        ("none", ()),
        ([8, 4], (8, 4)),
        ((), ()),
        ("1,1,1,1,1,16384", (1, 1, 1, 1, 1, 16384)),
    ],
)
def test_hidden_sizes(given: Any, read: tuple[int, ...]) -> None:
    assert TrainConfig.create(hidden=given).hidden == read


@pytest.mark.parametrize("given", ["a", "1.5", "0", "-1", "16385", "1,1,1,1,1,1,1", 128, "64,none"])
def test_hidden_sizes_out_of_range(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"^hidden: "):
        TrainConfig.create(hidden=given)


@pytest.mark.parametrize(
    ("given", "read"),
    [("none", "none"), ("balanced", "balanced"), ("0.75, 0.25,0.5", (0.75, 0.25, 0.5)), ([2, 1], (2.0, 1.0))],
)
def test_alpha(given: Any, read: Any) -> None:
    assert TrainConfig.create(alpha=given).alpha == read


@pytest.mark.parametrize("given", ["", "heavy", "1,,2", "1,0", "1,-2", "nan,1", "inf,1", [], [1, "x"], 5])
def test_alpha_out_of_range(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"^alpha: .*got "):
        TrainConfig.create(alpha=given)


def test_weights_are_stripped_and_not_empty() -> None:
    assert TrainConfig.create(weights=" some file.pth ").weights == "some file.pth"
    with pytest.raises(ConfigError, match=r"^weights: expected imagenet, pip, none, or the path of a .*file, got ' '"):
        TrainConfig.create(weights=" ")


def test_text_from_a_command_line_is_read() -> None:
    config = TrainConfig.create(epochs="3", lr="1e-4", seed="7")
    assert (config.epochs, config.lr, config.seed) == (3, 1e-4, 7)


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TrainConfig.create().epochs = 3


@pytest.mark.parametrize("name", TrainConfig.model_fields)
def test_every_field_has_help_and_a_group(name: str) -> None:
    field = TrainConfig.model_fields[name]
    assert field.description is not None
    assert field.description.endswith(".")
    assert isinstance(field.json_schema_extra, dict)
    assert field.json_schema_extra["group"] in (
        *("Model", "Labels and loss", "Findings", "Optimisation", "Data", "Machine"),
    )
