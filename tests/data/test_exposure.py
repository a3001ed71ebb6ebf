"""What of a data set a pretrained network may have seen: said where it saw X-rays, and nowhere else."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_core.config import TrainConfig
from cxr_core.data.exposure import exposure, known_overlap, may_have_seen, network_of
from cxr_core.published import PUBLISHED

RSNA, RAD = PUBLISHED["densenet121-res224-rsna"], PUBLISHED["rad-dino"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("RSNA Pneumonia 2018", "this is one of these sets"),
        ("NIH ChestX-ray14", "shares images with RSNA Pneumonia 2018"),
        ("COVIDx", "shares images with RSNA Pneumonia 2018"),
        ("VinDr-CXR", "Nothing is known that VinDr-CXR shares"),
        (None, "Where images of this data set come from one of these"),
    ],
)
def test_a_network_and_a_set(data: str | None, said: str) -> None:
    sentence = may_have_seen(RSNA, data)
    assert said in sentence
    assert sentence.startswith(f"{RSNA.title} was trained on RSNA Pneumonia 2018")
    assert bool(known_overlap(RSNA, data)) == ("too good for new ones" in sentence)


def test_a_file_is_known_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert network_of(str(tmp_path / "model.safetensors")) is None
    known = replace(RAD, sha256=hashlib.sha256(b"weights").hexdigest())
    monkeypatch.setattr("cxr_core.published.PUBLISHED", {**PUBLISHED, RAD.name: known})
    assert network_of(str(tmp_path / "model.safetensors")) == known
    assert network_of(str(tmp_path / "gone.safetensors")) is None


def test_a_configuration_and_a_set() -> None:
    assert exposure(TrainConfig.create(backbone="rad_dino"), "PadChest") == may_have_seen(RAD, "PadChest")
    assert exposure(TrainConfig.create(backbone="rad_dino", weights="none"), "PadChest") == ""
    assert exposure(TrainConfig.create(backbone="resnet18"), "PadChest") == ""
    assert "does not say" in exposure(TrainConfig.create(backbone="rad_dino", weights="mine.pt"), "PadChest")
