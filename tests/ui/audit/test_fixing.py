"""Fixes as the buttons make them: what a button says, and a click that comes twice."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from cxr_core.audit.auditing import audit
from cxr_core.audit.kinds import KEEP_ONE, LEAVE_OUT, SAME_SPLIT, SPLIT_BY_PATIENT
from cxr_core.data import fixes
from cxr_core.data.dataset import Dataset, scan
from cxr_core.settings import runs_dir
from cxr_core.ui.audit import fixing


@pytest.fixture
def leaking(tiny_dataset: Path, tmp_path: Path) -> Dataset:
    root = shutil.copytree(tiny_dataset, tmp_path / "leaking")
    Image.open(min(root.glob("train/NORMAL/*.png"))).save(root / "test" / "NORMAL" / "again.jpg", quality=90)
    return scan(root)


def test_a_second_click_on_a_fix_changes_nothing_more(leaking: Dataset) -> None:
    issue = next(issue for issue in audit(leaking).issues if issue.kind == "leak")
    fixing._fix(leaking, issue, KEEP_ONE)
    once = fixes.read(runs_dir())
    assert once["mend"].nunique() == 1
    fixing._fix(leaking, issue, KEEP_ONE)
    assert fixes.read(runs_dir()).equals(once)
    fixing._undo(once["mend"].iloc[0])
    assert fixes.read(runs_dir()).empty


def test_a_button_says_how_many_images_it_changes() -> None:
    assert fixing._changed(LEAVE_OUT, [fixes.LEFT_OUT]) == "1 image"
    assert fixing._changed(SPLIT_BY_PATIENT, [fixes.NOT_GIVEN] * 1200) == "1,200 images"
    assert fixing._changed(KEEP_ONE, [fixes.LEFT_OUT] * 2) == "2 left out"
    assert fixing._changed(SAME_SPLIT, ["train", "test", "train"]) == "1 to test, 2 to train"


def test_what_a_fix_did_is_said_in_words() -> None:
    assert fixing._done([fixes.LEFT_OUT] * 2) == "2 images left out"
    assert fixing._done(["train", "test", "train"]) == "1 image moved to test, 2 images moved to train"
    assert fixing._done([fixes.NOT_GIVEN] * 1200) == "the given split of 1,200 images forgotten"
