"""Tables of nobody's through ``scan``: names with a foreign prefix, tables of several splits, what is asked."""

import unicodedata
from pathlib import Path

import pytest

from cxr_core.data.answers import change
from cxr_core.data.dataset import scan
from cxr_core.data.sets.description import Description
from cxr_core.errors import DatasetError, QuestionError
from tests.images.files import tree, write


def table(root: Path, text: str, name: str = "labels.csv", encoding: str = "utf-8") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text.encode(encoding))
    return root


@pytest.mark.parametrize("prefix", ["C:\\Users\\me\\", "/content/drive/x/", "", "deeper/"])
@pytest.mark.parametrize("ending", [".png", ""])
def test_names_with_a_foreign_prefix_or_without_ending(tmp_path: Path, prefix: str, ending: str) -> None:
    root = tree(tmp_path / "set", {"images/deep": 3})
    table(root, "file,label\n" + "".join(f"{prefix}00{n}{ending},{'AB'[n % 2]}\n" for n in range(3)))
    found = scan(root)
    assert found.samples["file"].tolist() == [f"images/deep/00{n}.png" for n in range(3)]
    assert found.samples["label"].tolist() == ["A", "B", "A"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, separator: str) -> None:
    root = tmp_path / "set"
    for n in range(2):
        write(root / "images" / f"Müller {n}.png", n)
    rows = ["file,label", "Müller 0.png,Größe", "Müller 1.png,B"]
    table(root, "\r\n".join(rows).replace(",", separator), encoding=encoding)
    assert scan(root).samples["label"].tolist() == ["Größe", "B"]


def test_accents_may_be_stored_in_either_way(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for n in range(2):
        write(root / f"Röntgen {n}.png", n)
    table(root, unicodedata.normalize("NFD", "image,class\nRöntgen 0.png,A\nRöntgen 1.png,B\n"))
    assert scan(root).samples["label"].tolist() == ["A", "B"]


def test_where_names_repeat_the_folders_must_agree(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"patient1/study1": 1, "patient2/study2": 1})
    rows = ["x/patient1/study1/000.png,1,0", "x/patient2/study2/000.png,0,1", "x/patient3/study1/000.png,1,1"]
    table(root, "\n".join(["path,edema,mass", *rows]))
    found = scan(root)
    assert found.samples["file"].tolist() == ["patient1/study1/000.png", "patient2/study2/000.png"]
    assert found.values.tolist() == [[1, 0], [0, 1]]
    assert dict(found.origin.left_out)["missing"] == 1


@pytest.mark.parametrize("header", ["file,label", "scan,class", "scan,edema,mass"])
def test_a_table_for_each_split(tmp_path: Path, header: str) -> None:
    root = tree(tmp_path / "set", {"images": 6})
    cells = ["1,0", "0,1"] if header.count(",") == 2 else ["A", "B"]
    for split, rows in (("train", range(4)), ("test", range(4, 6))):
        lines = [f"images/00{n}.png,{cells[n % 2]}" for n in rows]
        table(root, "\n".join([header, *lines]), f"{split}_labels.csv")
    found = scan(root)
    assert found.samples["split"].tolist() == ["train"] * 4 + ["test"] * 2
    assert found.origin.tables == ("test_labels.csv", "train_labels.csv")
    assert len(found.classes) == 2
    change(root, description=Description(file="scan", labels=("class",), task="exclusive"))
    if header == "scan,class":
        assert scan(root).digest == found.digest


def test_tables_of_splits_that_name_an_image_twice(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"images": 3})
    table(root, "file,label\nimages/000.png,A\nimages/001.png,B\n", "train.csv")
    table(root, "file,label\nimages/001.png,A\nimages/002.png,B\n", "test.csv")
    with pytest.raises(DatasetError, match=r"images/001\.png stands in two of test\.csv, train\.csv"):
        scan(root)


def test_a_question_of_a_table_has_the_way_on(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"images": 4})
    table(root, "file,label\n" + "".join(f"images/00{n}.png,{n % 2}\n" for n in range(4)))
    # Our own columns are read as they are: 0 and 1 are two classes there.
    assert scan(root).classes == ["0", "1"]
    table(root, "image;label\n" + "".join(f"00{n}.png;{n % 2}\n" for n in range(4)))
    with pytest.raises(QuestionError, match=r"What do the values of label mean\? .*--describe FILE") as caught:
        scan(root)
    proposal = caught.value.question.proposal
    assert proposal is not None
    change(root, description=Description.model_validate(proposal["description"]))
    assert scan(root).labels().to_dict("index") == {"label": {"yes": 2, "no": 2, "uncertain": 0, "blank": 0}}
