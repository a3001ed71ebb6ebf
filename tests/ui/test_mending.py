"""Mends as the buttons make them: what a button says, and a click that comes twice."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from cxr_core.audit.audit import audit
from cxr_core.audit.findings import KEEP_ONE, LEAVE_OUT, SAME_SPLIT, SPLIT_BY_PATIENT
from cxr_core.data import mends
from cxr_core.data.dataset import Dataset, scan
from cxr_core.settings import runs_dir
from cxr_core.ui import mending


@pytest.fixture
def leaking(tiny_dataset: Path, tmp_path: Path) -> Dataset:
    root = shutil.copytree(tiny_dataset, tmp_path / "leaking")
    Image.open(min(root.glob("train/NORMAL/*.png"))).save(root / "test" / "NORMAL" / "again.jpg", quality=90)
    return scan(root)


def test_a_second_click_on_a_mend_changes_nothing_more(leaking: Dataset) -> None:
    finding = next(finding for finding in audit(leaking).findings if finding.kind == "leak")
    mending._mend(leaking, finding, KEEP_ONE)
    once = mends.read(runs_dir())
    assert once["mend"].nunique() == 1
    mending._mend(leaking, finding, KEEP_ONE)
    assert mends.read(runs_dir()).equals(once)
    mending._undo(once["mend"].iloc[0])
    assert mends.read(runs_dir()).empty


def test_a_button_says_how_many_images_it_changes() -> None:
    assert mending._changed(LEAVE_OUT, [mends.LEFT_OUT]) == "1 image"
    assert mending._changed(SPLIT_BY_PATIENT, [mends.NOT_GIVEN] * 1200) == "1,200 images"
    assert mending._changed(KEEP_ONE, [mends.LEFT_OUT] * 2) == "2 left out"
    assert mending._changed(SAME_SPLIT, ["train", "test", "train"]) == "1 to test, 2 to train"


def test_what_a_mend_did_is_said_in_words() -> None:
    assert mending._done([mends.LEFT_OUT] * 2) == "2 images left out"
    assert mending._done(["train", "test", "train"]) == "1 image moved to test, 2 images moved to train"
    assert mending._done([mends.NOT_GIVEN] * 1200) == "the given split of 1,200 images forgotten"
