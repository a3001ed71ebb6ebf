"""Tables: data sets written down in a CSV, and sources.csv beside folders."""

import shutil
from pathlib import Path

import pytest

from cxr_core.data.dataset import scan
from cxr_core.errors import DatasetError
from cxr_core.settings import data_dir
from tests.images.files import tree, unreadable, write


def test_sources_are_joined_on_file(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"train/A": 2, "train/B": 1})
    table = 'file,patient,source\ntrain/A/000.png,p1,hospital\ntrain/B/000.png,,"clinic, west"\nabsent.png,p9,x\n'
    (root / "sources.csv").write_text("\ufeff" + table, encoding="utf-8")
    samples = scan(root).samples.set_index("file")
    assert tuple(samples.loc["train/A/000.png", ["patient", "source"]]) == ("p1", "hospital")
    assert tuple(samples.loc["train/A/001.png", ["patient", "source"]]) == ("", "")
    assert tuple(samples.loc["train/B/000.png", ["patient", "source"]]) == ("", "clinic, west")


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ("image,patient\nx,1\n", "expected the columns file"),
        ("file,label\ntrain/A/000.png,A\n", "at least one of patient, source and age"),
        ("file;patient\ntrain/A/000.png;1\n", "separated by commas"),
        ("file,patient\ntrain/A/000.png,1,2\n", "line 2: expected 2 values, got 3"),
        ("file,patient\ntrain/A/000.png,1\ntrain/A/000.png,2\n", "line 3: says something else"),
        ("file,patient\nA/000.png,1\n", "none of its 1 files"),
        ("file,patient\n", "no rows"),
        ("", "an empty file|expected the columns"),
        ('file,patient\n"train/A/000.png,1\n', "not a CSV table"),
        ("file,patient\n,1\n", "line 2: the column file is empty"),
    ],
)
def test_malformed_sources(tmp_path: Path, table: str, match: str) -> None:
    root = tree(tmp_path / "set", {"train/A": 1, "train/B": 1})
    (root / "sources.csv").write_text(table, encoding="utf-8")
    with pytest.raises(DatasetError, match=match):
        scan(root)


def make_table(folder: Path, rows: str, header: str = "file,label,patient,source,split") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "table.csv"
    path.write_text(f"{header}\n{rows}", encoding="utf-8")
    return path


def test_table(tmp_path: Path) -> None:
    tree(tmp_path, {"set/pictures": 3, "outside": 1})
    rows = (
        "pictures/000.png,A,p1,s,train\npictures\\001.png,B,,,Testing\n./pictures/../pictures/002.png,A,,,\n"
        f"{tmp_path / 'outside/000.png'},B,,,validation\n"
    )
    path = make_table(tmp_path / "set", rows)
    found = scan(path)
    assert (found.layout, found.name, found.classes) == ("table", "table", ["A", "B"])
    assert found.splits == ["train", "val", "test", ""]
    files = set(found.samples["file"])
    assert files == {*(f"pictures/00{i}.png" for i in range(3)), (tmp_path / "outside/000.png").as_posix()}
    assert all(found.path(file).is_file() for file in files)
    by_folder = scan(tmp_path / "set")
    assert by_folder.layout == "table"
    assert by_folder.digest == found.digest
    assert all(by_folder.path(file).is_file() for file in files)


def test_a_table_of_the_class_folders_changes_nothing(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    make_table(root, "A/000.png,A,,,\n")
    assert scan(root).layout == "class folders"


def test_files_of_a_table_that_are_missing_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"pictures": 1})
    path = make_table(root, "pictures/000.png,A\npictures/absent.png,B\n", "file,label")
    assert unreadable(path) == {
        "pictures/absent.png": "cannot be opened (No such file or directory); the table names it"
    }


NIH = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)


def test_nihs_own_table_is_one(tmp_path: Path) -> None:
    tree(tmp_path / "set", {".": 4})
    ends = "M,PA,2682,2749,0.143,0.143,"
    rows = f"000.png,Pneumonia,0,1,058Y,{ends}\n001.png,No Finding,1,1,411,{ends}\n002.png,Pneumonia,0,2,013D,{ends}\n"
    found = scan(make_table(tmp_path / "set", rows, NIH))
    assert found.layout == "table"
    assert found.samples["label"].tolist() == ["Pneumonia", "No Finding", "Pneumonia"]
    assert found.samples["patient"].tolist() == ["1", "1", "2"]
    assert found.samples["age"].tolist() == pytest.approx([58, float("nan"), 13 / 365.25], nan_ok=True)
    assert dict(found.wrong_ages) == {"001.png": "411"}
    assert scan(tmp_path / "set").digest == found.digest
    several = scan(make_table(tmp_path / "set", rows + f"003.png,Pneumonia|Effusion,0,3,60,{ends}\n", NIH))
    assert (several.task, several.origin.set) == ("findings", "NIH ChestX-ray14")
    assert several.samples["label"].tolist()[-1] == "Effusion | Pneumonia"
    assert several.counts().loc["", ["Pneumonia", "Effusion", "No Finding"]].tolist() == [3, 1, 1]


def test_nihs_table_gives_patients_and_ages_as_sources(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 2, "B": 1})
    table = make_table(root, "A/000.png,Pneumonia|Effusion,0,7,12Y,M,PA,1,1,1,1,\n", NIH)
    lying = scan(root)
    assert lying.layout == "class folders"  # it merely lies there
    assert "table.csv" in "".join(lying.origin.problems)
    table.rename(root / "sources.csv")
    first, *others = scan(root).samples[["label", "patient", "age"]].itertuples(index=False)
    assert tuple(first) == ("A", "7", 12)
    assert all(other.patient == "" and other.age != other.age for other in others)


def test_our_columns_go_before_nihs_and_ages_are_kept_with_the_scan(tmp_path: Path) -> None:
    tree(tmp_path / "set", {".": 2})
    path = make_table(tmp_path / "set", "000.png,A,old,30\n001.png,B,5,31\n", "file,label,age,Patient Age")
    for found in (scan(path), scan(path)):
        assert found.samples["age"].tolist() == pytest.approx([float("nan"), 5], nan_ok=True)
        assert dict(found.wrong_ages) == {"000.png": "old"}


@pytest.mark.parametrize(
    ("header", "rows", "match"),
    [
        ("file,colour", "pictures/000.png,A\n", "Add the missing: label"),
        ("file;colour", "pictures/000.png;A\n", "separated by commas"),
        ("file,label", "pictures/000.png,A\n./pictures/000.png,B\n", "lines 2 and 3 name the same file"),
        ("file,label", "pictures/000.png,\n", "line 2: the label is empty"),
        ("file,label,split", "pictures/000.png,A,holdout\n", "expected the split train, val or test, got 'holdout'"),
        ("file,label", "elsewhere/absent.png,A\n", "none of its 1 files"),
        ("file,label,file", "a,A,b\n", "stands twice"),
        ("file,label", "pictures/0\x0000.png,A\n", "binary"),
        ("file,label", "", "no rows"),
    ],
)
def test_malformed_tables(tmp_path: Path, header: str, rows: str, match: str) -> None:
    tree(tmp_path / "set", {"pictures": 1})
    with pytest.raises(DatasetError, match=match):
        scan(make_table(tmp_path / "set", rows, header))


def test_a_table_in_latin_1_and_two_tables(tmp_path: Path) -> None:
    path = make_table(tmp_path / "set", "x.png,A\n", "file,label")
    write(tmp_path / "set" / "Röntgen.png", 1)
    write(tmp_path / "set" / "x.png", 2)
    path.write_bytes("file,label\nRöntgen.png,A\nx.png,B\n".encode("latin-1"))
    assert scan(path).samples["file"].tolist() == ["Röntgen.png", "x.png"]
    path.write_text("file,label\nx.png,A\n", encoding="utf-8")
    shutil.copy(path, path.with_name("second.csv"))
    with pytest.raises(DatasetError, match=r"got second\.csv, table\.csv"):
        scan(path.parent)


def test_an_uploaded_table_may_not_point_outside(tmp_path: Path) -> None:
    outside = write(tmp_path / "secret.png", 1)
    folder = data_dir() / "uploads" / "x-1"
    write(folder / "a.png", 2)
    reasons = unreadable(make_table(folder, f"a.png,A\n{outside},B\n../../../other.png,C\n", "file,label").parent)
    assert set(reasons) == {outside.as_posix(), (tmp_path / "other.png").as_posix()}
    assert all("outside of the uploaded archive" in reason for reason in reasons.values())
