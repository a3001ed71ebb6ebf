"""The Audit page as a person uses it: read an issue, fix it, take it back."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from cxr_core.data import fixes
from cxr_core.runs.run import list_runs
from cxr_core.settings import runs_dir
from tests.pages.support import open_page, texts


@pytest.fixture
def leaking(tiny_dataset: Path, tmp_path: Path) -> Path:
    root = shutil.copytree(tiny_dataset, tmp_path / "leaking")
    Image.open(min(root.glob("train/NORMAL/*.png"))).save(root / "test" / "NORMAL" / "again.jpg", quality=90)
    return root


def test_a_leak_is_shown_fixed_and_the_fix_undone(leaking: Path) -> None:
    at = open_page("pages/2_Audit.py", data=str(leaking))
    assert not at.exception
    assert "a training waits" in texts(at)
    assert "again.jpg" in texts(at)
    at.button(key="fix-leak-keep one of each").click().run()
    assert not at.exception
    assert "a training waits" not in texts(at)
    assert "Leak: keep one of each" in texts(at)
    name = fixes.read(runs_dir())["mend"].iloc[0]
    at.button(key=f"undo-fix-{name}").click().run()
    assert not at.exception
    assert "a training waits" in texts(at)
    assert fixes.read(runs_dir()).empty


def test_a_pair_opens_side_by_side(leaking: Path) -> None:
    at = open_page("pages/2_Audit.py", data=str(leaking))
    at.button(key="compare-leak-0").click().run()
    assert not at.exception
    (shown,) = at.get("bidi_component")
    said = json.loads(shown.proto.json)
    assert [picture["name"].rsplit("/", 1)[1] for picture in said["pictures"]].count("again.jpg") == 1
    assert len({picture["address"] for picture in said["pictures"]}) == 2
    assert (said["heat"], said["turn"]) == (None, None)


def test_children_are_left_out_and_back_and_cut_files_are_named(tiny_dataset: Path, tmp_path: Path) -> None:
    root = shutil.copytree(tiny_dataset, tmp_path / "young")
    (root / "train/NORMAL/cut.png").write_bytes(min(root.glob("train/NORMAL/*.png")).read_bytes()[:900])
    table = pd.read_csv(root / "sources.csv", dtype=str)
    table["Patient Age"] = ["7", "411", *["060Y"] * (len(table) - 2)]
    table.to_csv(root / "sources.csv", index=False)
    at = open_page("pages/2_Audit.py", data=str(root))
    assert not at.exception
    assert "below 18 years; age known for 35 of 36" in texts(at)
    assert "1 of 37 files cut short" in texts(at)
    assert "cannot be one (411; expected 0 to 120 years)" in texts(at)
    at.button(key="fix-children-leave out").click().run()
    assert not at.exception
    assert "below 18 years" not in texts(at)
    at.button(key=f"undo-fix-{fixes.read(runs_dir())['mend'].iloc[0]}").click().run()
    assert not at.exception
    assert "below 18 years; age known for 35 of 36" in texts(at)


def test_without_a_data_set_it_says_what_to_do() -> None:
    at = open_page("pages/2_Audit.py")
    assert not at.exception
    assert "No data set is open" in texts(at)


def test_the_demo_is_said_to_be_drawn(tiny_dataset: Path) -> None:
    at = open_page("pages/2_Audit.py", data=str(tiny_dataset))
    assert not at.exception
    assert "These are drawings" in texts(at)


def test_a_fix_that_would_empty_a_class_is_refused_beside_its_button(tiny_dataset: Path, tmp_path: Path) -> None:
    root = shutil.copytree(tiny_dataset, tmp_path / "small")
    for file in (root / "test" / "COVID19").glob("*.png"):
        Image.open(file).resize((80, 80)).save(file)
    at = open_page("pages/2_Audit.py", data=str(root))
    at.button(key="fix-tiny-leave out").click().run()
    assert not at.exception
    assert "without any image of COVID19" in at.error[0].value
    assert fixes.read(runs_dir()).empty
    at.run()
    assert not at.error


def test_many_files_are_shown_a_few_at_a_time(tiny_dataset: Path, tmp_path: Path) -> None:
    root = shutil.copytree(tiny_dataset, tmp_path / "small")
    for file in (root / "train").glob("*/*.png"):
        Image.open(file).resize((80, 80)).save(file)
    at = open_page("pages/2_Audit.py", data=str(root))
    total = len([*(root / "train").glob("*/*.png")])
    assert f"5 of {total} images are shown" in texts(at)
    at.button(key="more-tiny").click().run()
    assert not at.exception
    assert f"17 of {total} images are shown" in texts(at)


def test_a_leak_is_asked_about_before_a_training(leaking: Path) -> None:
    at = open_page("pages/3_Train.py", data=str(leaking))
    at.button(key="start").click().run()
    assert not at.exception
    assert "The audit blocks this training" in texts(at)
    assert "anyway" in at.button(key="train-anyway").label
    assert not list_runs(runs_dir())
