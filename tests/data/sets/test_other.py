"""Tables of nobody's: read where they tell, asked where they do not, described by a person."""

from pathlib import Path

import numpy as np
import pytest

from cxr_core.data.sets.description import Description, load, save
from cxr_core.data.sets.other import described, propose
from cxr_core.errors import DatasetError, Question
from tests.images.files import write


def table(root: Path, header: str, *cells: str, name: str = "t.csv", separator: str = ",") -> Path:
    """Rows of images a.png, b.png, ... with these cells behind the file's name."""
    rows = [f"{chr(97 + n)}{separator}{cell}" for n, cell in enumerate(cells)]
    for n in range(len(cells)):
        write(root / "deep" / f"{chr(97 + n)}.png", n)
    path = root / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "cells",
    [("A|B", "No Finding", "B"), ("A;B", "No Finding", "B"), ("\"['A', ' B']\"", "['No Finding']", "['B']")],
)
def test_one_column_of_several(tmp_path: Path, cells: tuple[str, ...]) -> None:
    path = table(tmp_path, "img,findings", *cells)
    found = propose(path)
    assert isinstance(found, Description)
    assert found.no_finding == "No Finding"
    record = described(path, found)
    assert record.set is None
    assert record.task == "findings"
    assert record.labels.to_dict("list") == {"A": [1, 0, 0], "B": [1, 0, 1], "No Finding": [0, 1, 0]}
    assert record.images["file"].tolist() == ["deep/a.png", "deep/b.png", "deep/c.png"]


@pytest.mark.parametrize(
    ("yes", "no", "blank"), [("1", "0", ""), ("1.0", "0.0", "NaN"), ("yes", "No", "NA"), ("True", "False", "")]
)
def test_one_column_a_finding(tmp_path: Path, yes: str, no: str, blank: str) -> None:
    path = table(
        tmp_path,
        "Image\tPatient ID\tAge\tSex\tSplit\tEdema\tMass",
        f"p1\t61\tF\ttrain\t{yes}\t{blank}",
        f"p1\t061Y\tmale\tvalid\t{no}\t-1",
        f"p2\t\t\ttest\t{yes}\t{yes}",
        name="t.tsv",
        separator="\t",
    )
    found = propose(path)
    assert isinstance(found, Description)
    record = described(path, found)
    assert record.labels.columns.tolist() == ["Edema", "Mass"]
    np.testing.assert_array_equal(record.labels.to_numpy(), [[1, np.nan], [0, -1], [1, 1]])
    assert record.images["patient"].tolist() == ["p1", "p1", "p2"]
    assert record.images["sex"].tolist() == ["F", "M", ""]
    assert record.images["split"].tolist() == ["train", "val", "test"]
    np.testing.assert_array_equal(record.images["age"], [61, 61, np.nan])


def test_one_hot_is_exclusive(tmp_path: Path) -> None:
    path = table(tmp_path, "file,normal,covid", "1,0", "0,1", "0,1")
    found = propose(path)
    assert isinstance(found, Description)
    assert found.task == "exclusive"
    assert described(path, found).images["label"].tolist() == ["normal", "covid", "covid"]


def test_one_class_a_row(tmp_path: Path) -> None:
    path = table(tmp_path, "file,class", "normal", "covid", "")
    found = propose(path)
    assert isinstance(found, Description)
    record = described(path, found)
    assert record.images["label"].tolist() == ["normal", "covid"]
    assert dict(record.left_out)["no label"] == 1


@pytest.mark.parametrize(
    ("header", "cells", "asks", "has_proposal"),
    [
        ("file,label", ("0", "1", "0"), "What do the values of label mean?", True),
        ("file,label", ("0", "1", "2"), "What do the numbers of label mean?", True),
        ("file,label", ('"A, B"', "A", "B"), "Does a comma in label separate", True),
        ("file,label", ('"A, B"', "A|B", "B"), "Which sign in label separates several findings?", True),
        ("file,note", ("x", "y", "x"), "Which columns hold the labels?", False),
        ("file,label,edema", ("x,1", "y,0", "x,1"), "Which columns hold the labels?", True),
        ("file,copy,label", ("a,x", "b,x", "c,y"), "Which column names the image file?", False),
    ],
)
def test_what_cannot_be_told_is_asked(
    tmp_path: Path, header: str, cells: tuple[str, ...], asks: str, has_proposal: bool
) -> None:
    found = propose(table(tmp_path, header, *cells))
    assert isinstance(found, Question)
    assert found.asks.startswith(asks)
    assert found.because
    assert (found.proposal is not None) == has_proposal


def test_classes_that_look_like_patients_are_asked(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"i{n}.png,c{n // 2}" for n in range(120)]
    path.write_text("\n".join(["file,class", *rows]) + "\n")
    write(tmp_path / "i0.png", 1)
    found = propose(path)
    assert isinstance(found, Question)
    assert "they may be patients" in found.because


def test_a_description_says_what_values_mean(tmp_path: Path) -> None:
    path = table(tmp_path, "scan,oedeme", "oui", "non", "peut-être")
    told = tmp_path / "mine.toml"
    told.write_text('file = "scan"\nlabels = ["oedeme"]\nyes = ["oui"]\nno = ["non"]\nuncertain = ["peut-être"]\n')
    description = load(told)
    record = described(path, description)
    assert record.labels["oedeme"].tolist() == [1, 0, -1]
    save(description, tmp_path / "again.json")
    assert load(tmp_path / "again.json") == description
    with pytest.raises(DatasetError, match=r"row 2, column oedeme: expected .*, got 'oui'"):
        described(path, Description(file="scan", labels=("oedeme",)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "expected a description as JSON or TOML"),
        ('{"file": "x"}', "labels: Field required"),
        ('{"file": "x", "labels": ["y"], "colour": "z"}', "colour: Extra inputs are not permitted"),
        ('{"file": "x", "labels": ["y"], "yes": ["0"]}', "the value '0' has two meanings"),
        ('{"file": "x", "labels": ["y", "z"], "separator": "|"}', "a separator goes with one column"),
    ],
)
def test_a_description_that_is_none(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "d.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=said):
        load(path)


def test_a_description_of_another_table(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label,split", "A,train", "B,train", "C,later")
    with pytest.raises(DatasetError, match="without findings"):
        described(path, Description(file="file", labels=("findings",)))
    with pytest.raises(DatasetError, match="expected the split train, val or test in split, got 'later'"):
        described(path, Description(file="file", labels=("label",), task="exclusive", split="split"))
