"""Folders that look like no classes are asked; those that are classes are not."""

from pathlib import Path

import pytest

from cxr_core.data.answers import Answers
from cxr_core.data.dataset import scan
from cxr_core.errors import QuestionError
from tests.images.files import tree, write


@pytest.mark.parametrize(
    ("folders", "because"),
    [
        (("patient00001", "patient00002"), "say where images lie"),
        (("study1", "study2"), "say where images lie"),
        (("p10", "p11"), "say where images lie"),
        (("images_001", "images_002"), "say where images lie"),
        (("0123456789ab", "ba9876543210"), "say where images lie"),
        (("00000001", "00000002"), "say where images lie"),
        (("images", "masks"), "say where images lie"),
        (("files",), "seems to say where images lie"),
        (("NORMAL",), "lie in one folder, NORMAL: expected two classes"),
        (("train/sub-S01", "test/sub-S02"), "say where images lie"),
    ],
)
def test_it_is_asked(tmp_path: Path, folders: tuple[str, ...], because: str) -> None:
    root = tree(tmp_path / "set", dict.fromkeys(folders, 2))
    with pytest.raises(QuestionError, match=because) as caught:
        scan(root)
    assert because in caught.value.question.because
    assert caught.value.question.asks.endswith("?")
    assert "--rule classes=first" in str(caught.value)
    assert scan(root, answers=Answers(rules={"classes": "first"})).classes == sorted(
        {folder.rsplit("/", 1)[-1] for folder in folders}
    )


def test_fifty_classes_of_two_images(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {f"c{n}x": 2 for n in range(50)})
    with pytest.raises(QuestionError, match="50 folders, half of them with fewer than 3 images"):
        scan(root)
    assert len(scan(tree(tmp_path / "many", {f"c{n}x": 3 for n in range(51)})).classes) == 51


def test_one_heap_is_asked(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {".": 3})
    with pytest.raises(QuestionError, match="3 images lie outside of any class folder") as caught:
        scan(root)
    assert caught.value.question.proposal is None


def test_the_folder_next_to_the_images_can_be_the_class(tmp_path: Path) -> None:
    folders = {f"patient{n}/{label}/images": 1 for n in (1, 2, 3) for label in ("NORMAL", "COVID19")}
    root = tree(tmp_path / "set", folders)
    with pytest.raises(QuestionError) as caught:
        scan(root)
    proposal = caught.value.question.proposal
    assert proposal == {"rules": {"classes": "nearest"}}
    found = scan(root, answers=Answers(rules=proposal["rules"]))
    assert found.classes == ["COVID19", "NORMAL"]
    assert sorted(set(found.samples["patient"])) == ["patient1", "patient2", "patient3"]


@pytest.mark.parametrize(
    "folders",
    [
        ("NORMAL", "PNEUMONIA", "COVID19"),
        ("0", "1"),
        ("train/NORMAL", "train/PNEUMONIA", "test/NORMAL"),
        ("images", "masked"),
        ("normal_images", "covid images"),
    ],
)
def test_classes_are_not_asked(tmp_path: Path, folders: tuple[str, ...]) -> None:
    names = sorted({folder.rsplit("/", 1)[-1] for folder in folders})
    assert scan(tree(tmp_path / "set", dict.fromkeys(folders, 2))).classes == names


def test_a_table_beside_them_answers(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for n in range(4):
        write(root / f"images_00{n // 2 + 1}" / f"x{n}.png", n)
    (root / "labels.csv").write_text("image;class\nx0;A\nx1;B\nx2;A\nx3;B\n", encoding="utf-8")
    found = scan(root)
    assert (found.layout, found.classes, found.origin.tables) == ("table", ["A", "B"], ("labels.csv",))
    (root / "more.csv").write_text("image;class\nx0;A\nx1;B\n", encoding="utf-8")
    with pytest.raises(Exception, match=r"labels.csv, more.csv describe images each"):
        scan(root)


def test_the_images_of_a_known_set_that_were_sorted_stay_sorted(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"train/NORMAL": 2, "train/PNEUMONIA": 2, "test/NORMAL": 1, "test/PNEUMONIA": 1})
    header = "Image Index,Finding Labels,Patient ID"
    (root / "Data_Entry_2017.csv").write_text(f"{header}\n000.png,Mass,1\n", encoding="utf-8")
    found = scan(root)
    assert (found.origin.set, found.layout) == (None, "split folders")
    (problem,) = found.origin.problems
    assert "The table of NIH ChestX-ray14 lies beside (Data_Entry_2017.csv), and is not read" in problem


def test_names_of_kermanys_classes_alone_are_not_kermany(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "set", {f"{split}/{name}": 2 for split in ("train", "test") for name in ("NORMAL", "PNEUMONIA")}
    )
    assert scan(root).origin.set is None
    for split in ("train", "test"):
        write(root / split / "PNEUMONIA" / f"person{len(split)}_virus_1.jpeg", 90)
    assert scan(root).origin.set == "Kermany"


def test_a_class_that_a_run_knows_is_one_by_itself(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"PNEUMONIA": 2})
    assert scan(root, known_classes=["NORMAL", "PNEUMONIA"]).classes == ["PNEUMONIA"]
    with pytest.raises(QuestionError):
        scan(root, known_classes=["NORMAL", "COVID19"])
