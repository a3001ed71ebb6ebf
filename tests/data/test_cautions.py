"""What is said of a data set before its scores: sources that give the class away, patients and copies on both sides."""

from pathlib import Path

import pandas as pd
import pytest

from cxr_core.data.cautions import cautions, untested
from cxr_core.data.dataset import scan, split
from cxr_core.data.splits import assign


def samples(*rows: tuple[str, str, str, str, str]) -> pd.DataFrame:
    """Rows of (label, split, source, patient, digest); the files are numbered."""
    table = pd.DataFrame(rows, columns=["label", "split", "source", "patient", "digest"])
    return table.assign(file=[f"{k}.png" for k in range(len(table))])


def said(*rows: tuple[str, str, str, str, str]) -> list[str]:
    return cautions(samples(*rows), Path("nowhere"))


SOUND = [
    ("A", "train", "north", "1", "a"),
    ("B", "train", "north", "2", "b"),
    ("A", "train", "south", "3", "c"),
    ("B", "train", "south", "4", "d"),
    ("A", "test", "north", "5", "e"),
    ("B", "test", "south", "6", "f"),
]


def test_a_sound_data_set_needs_no_caution() -> None:
    assert said(*SOUND) == []


def test_unknown_sources_are_said() -> None:
    (sentence,) = said(*((label, part, "", patient, digest) for label, part, _, patient, digest in SOUND))
    assert "source of the images is not known" in sentence


def test_a_source_that_gives_the_class_away() -> None:
    rows = [("COVID19", "train", "cohort", f"c{k}", f"c{k}") for k in range(3)]
    rows += [("COVID19", "test", "cohort", "c9", "c9"), ("COVID19", "test", "", "c10", "c10")]
    rows += [("NORMAL", part, "archive", f"n{part}", f"n{part}") for part in ("train", "test")]
    rows += [("PNEUMONIA", part, "archive", f"p{part}", f"p{part}") for part in ("train", "test")]
    (sentence,) = said(*rows)
    assert sentence.startswith(
        "All 4 COVID19 images with a known source are from cohort, and no image of another class"
    )
    assert "NORMAL" not in sentence


def test_a_source_shared_once_gives_nothing_away() -> None:
    assert said(*SOUND[:2], ("A", "test", "south", "3", "c"), ("B", "test", "north", "4", "d")) == []


def test_train_and_test_from_different_sources() -> None:
    rows = [(label, "train", "north", f"{label}1", f"{label}1") for label in "AB"]
    rows += [(label, "test", "south", f"{label}2", f"{label}2") for label in "AB"]
    (sentence,) = said(*rows)
    assert sentence.startswith("Train is from north and test from south")


@pytest.mark.parametrize("part", ["train", "val"])
def test_patients_on_both_sides_are_counted(part: str) -> None:
    (sentence,) = said(*SOUND, ("A", part, "north", "5", "g"), ("A", "test", "north", "5", "h"))
    assert sentence.startswith("1 of 6 known patients are in train and in test (2 of 3 test images)")


def test_copies_on_both_sides_are_counted() -> None:
    (sentence,) = said(*SOUND, ("A", "test", "north", "", "a"))
    assert sentence.startswith("1 of 3 test images are exact copies of training images")


def test_unknown_patients_are_nobody() -> None:
    assert said(*((label, part, source, "", digest) for label, part, source, _, digest in SOUND)) == []


def test_drawings_are_said_to_be_drawings(tiny_dataset: Path) -> None:
    table = split(scan(tiny_dataset), 0.15, 0.2, seed=0)
    assert cautions(table, tiny_dataset)[0].startswith("These are drawings, not X-rays")


def test_the_real_sources_are_told_apart(real_data: Path) -> None:
    """Every COVID19 image is from one source and no other image is."""
    folder = real_data / "covid-cxr"
    table = split(scan(folder), 0.15, 0.2, seed=0)
    found = cautions(table, folder)
    assert any("COVID19 images with a known source are from" in sentence for sentence in found)
    assert not any("drawings" in sentence for sentence in found)


def test_a_class_without_a_test_image_is_said() -> None:
    (sentence,) = said(*SOUND, ("C", "train", "north", "8", "x"), ("C", "train", "south", "9", "y"))
    assert sentence == "The test has no image of C: nothing is measured there."


def test_before_a_split_is_taken_a_class_of_one_image_is_said() -> None:
    rows = [(label, "", source, "", digest) for label, _, source, _, digest in SOUND]
    assert said(*rows) == []
    (sentence,) = said(*rows, ("TB", "", "north", "", "x"))
    assert sentence.startswith("There is a single image of TB")


def test_the_caution_before_the_split_holds_after_it() -> None:
    """Whatever the sizes: the classes that are said to be untestable are those that no test image is taken of."""
    for sizes in ((40, 20, 1), (8, 8, 8), (1, 5, 60), (1, 1, 30)):
        table = pd.DataFrame(
            [
                {"file": f"{name}{k}", "label": name, "split": "", "patient": "", "source": "", "digest": f"{name}{k}"}
                for name, count in zip("ABC", sizes, strict=True)
                for k in range(count)
            ]
        )
        single = ", ".join(name for name, count in zip("ABC", sizes, strict=True) if count == 1)
        before, after = untested(table), untested(assign(table, 0.15, 0.2, seed=0))
        assert len(before) == len(after) == bool(single)
        assert all(f"image of {single}:" in line for line in [*before, *after])
