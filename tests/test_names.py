"""Names for people: every value that a form offers has one, no two are alike, and texts of a person stay."""

from typing import Literal, get_args, get_origin

import pytest

from cxr_core.config import NAMED_WEIGHTS, TrainConfig
from cxr_core.names import best_of, friendly, listed, network

CHOICES = {
    name: get_args(field.annotation)
    for name, field in TrainConfig.model_fields.items()
    if get_origin(field.annotation) is Literal and name != "schedule"
} | {"weights": NAMED_WEIGHTS}


@pytest.mark.parametrize("field", CHOICES)
def test_every_choice_has_a_name_of_its_own(field: str) -> None:
    called = [listed(field, value) for value in CHOICES[field]]
    assert len(set(called)) == len(called)
    assert field == "weights" or not any("_" in name for name in called), "a published name is written as published"
    assert all(name[0].isupper() for name in called)


def test_what_a_person_typed_stays() -> None:
    assert friendly("weights", r"C:\models\mine.pth") == listed("weights", "/srv/models/mine.pth") == "file mine.pth"
    assert listed("labels", "edema>Lung Opacity") == "edema>Lung Opacity"


def test_sentences_name_the_network_and_the_best_epoch() -> None:
    assert network(TrainConfig.create(backbone="efficientnet_lite0")) == "EfficientNet-Lite0, head trained"
    assert [best_of("macro_f1"), best_of("loss")] == ["highest macro F1", "lowest loss"]
