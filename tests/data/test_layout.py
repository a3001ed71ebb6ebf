"""Layouts: which folders are a data set, what is passed over, and what is left out by name."""

import os
from pathlib import Path

import pytest

from cxr_core.data.dataset import scan
from cxr_core.errors import DatasetError
from tests.images.files import tree, unreadable, write


def test_split_names_in_any_writing_and_zeros_in_the_counts(tmp_path: Path) -> None:
    found = scan(tree(tmp_path / "set", {"Training/A": 2, "Training/B": 1, "VALID/A": 1, "Testing/A": 1}))
    assert found.splits == ["train", "val", "test"]
    assert found.counts().loc["val"].to_dict() == {"A": 1, "B": 0}


def test_class_folders_have_no_split(tmp_path: Path) -> None:
    found = scan(tree(tmp_path / "set", {"NORMAL": 2, "COVID19": 1}))
    assert (found.layout, found.classes, found.splits) == ("class folders", ["COVID19", "NORMAL"], [""])
    assert found.counts().loc[""].to_dict() == {"COVID19": 1, "NORMAL": 2}


def test_names_in_any_script(tmp_path: Path) -> None:
    root = tree(tmp_path / "Röntgen ✓", {"Größe": 1, "肺炎": 1})
    write(root / "肺炎" / 'бельё\n, "x".png', 99)
    found = scan(root)
    assert len(found.samples) == 3
    assert len(scan(root).samples) == 3
    assert all(found.path(file).is_file() for file in found.samples["file"])


def test_a_name_that_is_no_text_is_named_and_left_out(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    os.rename(os.fsencode(write(root / "A" / "x.png", 5)), os.fsencode(root / "A") + b"/\xff.png")
    reasons = unreadable(root)
    assert list(reasons) == ["A/?.png"]
    assert "no valid text" in reasons["A/?.png"]


def test_hidden_and_system_files_do_not_count(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 1, "B": 1, "__MACOSX/A": 1, ".cache/A": 1})
    for name in (".DS_Store", "Thumbs.db", "._000.png", "desktop.ini"):
        (root / "A" / name).write_text("x", encoding="utf-8")
    (root / "README.txt").write_text("x", encoding="utf-8")
    found = scan(root)
    assert (found.classes, len(found.samples), len(found.unreadable)) == (["A", "B"], 2, 0)


def test_loops_of_links_end_and_linked_folders_count(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    (root / "A" / "loop").symlink_to(root)
    (root / "A" / "self").symlink_to(root / "A" / "self")
    (root / "C").symlink_to(tree(tmp_path / "elsewhere", {"x": 2}, start=50) / "x")
    found = scan(root)
    assert found.counts().loc[""].to_dict() == {"A": 1, "B": 1, "C": 2}
    assert "A/self" in set(found.unreadable["file"])


def test_empty_class_folders_and_stray_images_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"train/A": 1, "train/B": 1, "train/EMPTY": 0, "pictures": 1})
    write(root / "train" / "stray.png", 70)
    reasons = unreadable(root)
    assert "class folder is empty" in reasons["train/EMPTY"]
    assert "beside the class folders" in reasons["train/stray.png"]
    assert "no split folder" in reasons["pictures"]


def test_what_is_no_data_set_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        scan(tmp_path / "absent")
    with pytest.raises(DatasetError, match="no such folder"):
        scan(tmp_path / ("x" * 5000) if os.name == "nt" else "bad\0name")
    with pytest.raises(DatasetError, match=r"no images found.*Expected train/CLASS"):
        scan(tree(tmp_path / "nothing", {"A": 0}))
    (tmp_path / "bare").mkdir()
    with pytest.raises(DatasetError, match="no images found"):
        scan(tmp_path / "bare")
    with pytest.raises(DatasetError, match="2 images lie outside of any class folder"):
        scan(tree(tmp_path / "flat", {"train": 2}))
    with pytest.raises(DatasetError, match="one folder deeper"):
        scan(tree(tmp_path / "above", {"set/train/A": 1, "set/test/A": 1}))
    (tmp_path / "broken" / "A").mkdir(parents=True)
    (tmp_path / "broken" / "A" / "x.png").write_text("no", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"none of its 1 files .* A/x.png"):
        scan(tmp_path / "broken")
    write(tmp_path / "one.png", 1)
    with pytest.raises(DatasetError, match="UTF-8"):
        scan(tmp_path / "one.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything; run the tests as another user")
def test_what_may_not_be_opened_is_named(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 2, "B": 1, "C": 1})
    (root / "A" / "000.png").chmod(0)
    (root / "C").chmod(0)
    try:
        reasons = unreadable(root)
        assert "Permission denied" in reasons["A/000.png"]
        assert "Permission denied" in reasons["C"]
        (root / "A" / "000.png").chmod(0o600)
        assert "A/000.png" not in unreadable(root)
    finally:
        (root / "C").chmod(0o700)


@pytest.mark.parametrize(
    ("folders", "header", "told"),
    [
        (("images",), "sep=,\nfile,label", "a comment or a line for a spreadsheet"),
        (("images",), "# exported\nfile,label", "a comment or a line for a spreadsheet"),
        (("images",), "file;label", "semicolons"),
        (("images",), "image_path,class", "expected the columns file, label"),
        (("images_001", "images_002"), "Image Index,Finding Labels", "none of its 1 files was found"),
        (("stage_2_train_images", "stage_2_test_images"), "patientId,Target", "expected the columns file, label"),
        (("train/patient00001", "train/patient00002", "valid/patient00003"), None, "patient00001, patient00002"),
    ],
)
def test_folders_that_hold_images_of_any_class_are_no_classes(
    tmp_path: Path, folders: tuple[str, ...], header: str | None, told: str
) -> None:
    root = tree(tmp_path / "set", dict.fromkeys(folders, 1))
    if header:
        (root / "labels.csv").write_text(f"{header}\n009.png,A\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="say where images lie and not of which class they are") as caught:
        scan(root)
    assert told in str(caught.value)
    assert header is None or "labels.csv" in str(caught.value)


def test_classes_named_after_images_are_classes(tmp_path: Path) -> None:
    names = ["images", "normal_images", "covid images", "0", "1"]
    assert scan(tree(tmp_path / "set", dict.fromkeys(names, 1))).classes == sorted(names)


def test_a_table_with_quoted_columns_is_found(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"images": 1})
    (root / "labels.csv").write_text('"file","label"\n"images/000.png","A"\n', encoding="utf-8")
    assert scan(root).layout == "table"
