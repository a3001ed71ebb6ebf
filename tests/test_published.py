"""What is said of published networks: one address, known sets, places and points that belong together."""

import pytest

from cxr_core.config import TrainConfig
from cxr_core.data.sets.registry import READERS
from cxr_core.errors import ConfigError
from cxr_core.published import PUBLISHED, named, of_backbone, of_checksum
from tests import ROOT


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_entry_is_whole(name: str) -> None:
    entry = PUBLISHED[name]
    known = {reader.name for reader in READERS} | {"Open-i", "BRAX"}
    assert entry.name == name
    assert entry.sets
    assert set(entry.sets) <= known
    assert entry.licence
    assert entry.citation
    # What is downloaded can be checked; what cannot be checked is not downloaded.
    assert bool(entry.address) == bool(entry.sha256) == bool(entry.bytes)
    assert len(entry.sha256) in (0, 64)
    assert set(entry.places) == set(entry.points)
    assert all(0 < point < 1 for point in entry.points.values())
    assert all(0 <= place < entry.outputs for place in entry.places.values())
    assert named(name) == named(f"/somewhere/{entry.file}") == named(f"C:\\folder\\{entry.file}") == entry
    assert of_checksum(entry.sha256) == (entry if entry.sha256 else None)
    assert name in of_backbone(entry.backbone)
    config = TrainConfig.create(backbone=entry.backbone, weights=name)
    assert config.weights == name


def test_the_findings_are_those_of_the_package_itself() -> None:
    models = pytest.importorskip("torchxrayvision").models
    for name, entry in PUBLISHED.items():
        if entry.pickled:
            theirs = models.model_urls[name]
            labels = [(place, label) for place, label in enumerate(theirs["labels"]) if label]
            assert [(place, label) for label, place in entry.places.items()] == labels
            assert list(entry.points.values()) == [theirs["op_threshs"][place] for place, _ in labels]
            assert theirs["weights_url"].endswith(f"/{entry.file}")
            assert entry.address in ("", theirs["weights_url"])


def test_addresses_stand_in_one_place() -> None:
    for host in ("github.com/mlmed", "huggingface.co/microsoft"):
        holding = [file for file in ROOT.glob("cxr_core/**/*.py") if host in file.read_text(encoding="utf-8")]
        assert [file.name for file in holding] == ["published.py"]


def test_weights_of_another_backbone() -> None:
    with pytest.raises(ConfigError, match="rad-dino is for the backbone rad_dino, not for vgg16"):
        TrainConfig.create(backbone="vgg16", weights="rad-dino")
    with pytest.raises(ConfigError, match="was trained on X-rays, not on ImageNet"):
        TrainConfig.create(backbone="rad_dino", weights="imagenet")
    assert TrainConfig.create(backbone="rad_dino_patches").weights == "rad-dino"
    assert TrainConfig.create(backbone="rad_dino").image_size == 518
