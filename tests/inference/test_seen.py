"""A picture of the run's own data is known again, by its content or as an altered copy; a stranger is not."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image, ImageOps

from cxr_core.audit.traits import traits_of
from cxr_core.data.dataset import Dataset, scan
from cxr_core.inference.seen import Seen
from tests.images.files import encoded, gradient


@pytest.fixture
def dataset(tiny_dataset: Path) -> Dataset:
    """The drawn set, looked at as an audit does."""
    dataset = scan(tiny_dataset)
    traits_of(dataset)
    return dataset


def of_split(dataset: Dataset, split: str) -> list[Path]:
    return [dataset.path(file) for file in dataset.samples["file"][dataset.samples["split"] == split]]


def with_val(dataset: Dataset) -> pd.DataFrame:
    samples = dataset.samples.copy()
    samples.loc[samples.index[samples["split"] == "train"][:5], "split"] = "val"
    return samples


def test_the_same_content_is_known_whatever_its_name_in_every_split(dataset: Dataset) -> None:
    samples = with_val(dataset)
    seen = Seen(samples)
    for file, split in zip(samples["file"], samples["split"], strict=True):
        found = seen.sighting(dataset.path(file).read_bytes(), "other name")
        assert found is not None
        assert (found.split, found.kind) == (split, "exact")
    assert seen.gap is None


def test_altered_copies_are_known_and_strangers_are_not(dataset: Dataset) -> None:
    seen = Seen(dataset.samples[dataset.samples["split"] == "train"])
    changes = (
        lambda picture: encoded(picture, "JPEG", quality=60),
        lambda picture: encoded(picture.resize((300, 310)), "PNG"),
        lambda picture: encoded(ImageOps.mirror(picture), "PNG"),
        lambda picture: encoded(ImageOps.crop(picture, 5), "PNG"),
        lambda picture: encoded(picture.point(lambda grey: min(255, grey * 1.2)), "TIFF"),
    )
    files = of_split(dataset, "train")[:10]
    found = []
    for number, path in enumerate(files):
        with Image.open(path) as picture:
            found.append(seen.sighting(changes[number % len(changes)](picture.convert("L")), "x"))
    assert sum(sighting is not None and sighting.kind == "near" for sighting in found) >= 9
    assert all(sighting is None or sighting.split == "train" for sighting in found)
    for path in of_split(dataset, "test"):
        assert seen.sighting(path.read_bytes(), path.name) is None
    assert seen.sighting(encoded(gradient(), "PNG"), "x") is None


def test_training_counts_most_where_a_picture_is_in_several_splits(dataset: Dataset) -> None:
    samples = dataset.samples.copy()
    first = samples.iloc[:1].assign(split="test")
    again = samples.iloc[:1].assign(split="train")
    found = Seen(pd.concat([first, again])).sighting(dataset.path(first["file"].iloc[0]).read_bytes(), "x")
    assert found is not None
    assert found.split == "train"


def test_without_kept_pictures_the_same_content_is_known_and_the_gap_is_said(tiny_dataset: Path) -> None:
    dataset = scan(tiny_dataset)
    seen = Seen(dataset.samples)
    path = dataset.path(dataset.samples["file"].iloc[0])
    assert seen.sighting(path.read_bytes(), "x") is not None
    with Image.open(path) as picture:
        assert seen.sighting(encoded(picture.convert("L"), "JPEG"), "x") is None
    assert seen.gap is not None
    assert "among 0 of the 36 pictures" in seen.gap


def test_each_sentence_says_where_and_what_it_means(dataset: Dataset) -> None:
    samples = with_val(dataset)
    seen = Seen(samples)
    said = {}
    for split in ("train", "val", "test"):
        file = samples["file"][samples["split"] == split].iloc[0]
        found = seen.sighting(dataset.path(file).read_bytes(), "x")
        assert found is not None
        said[split] = found.sentence
        assert found.as_json()["sentence"] == found.sentence
    assert said["train"] == (
        "This picture is in the training set of this run: the answer says nothing about new images."
    )
    assert "validation split" in said["val"]
    assert "thresholds" in said["val"]
    assert "test split" in said["test"]
