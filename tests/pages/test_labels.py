"""Dataset: which set was recognised, its rules and their change, the form of a question, findings in grid and table."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_core.data.answers import change, said
from cxr_core.ui.cached import forget_scans
from tests.data.sets.standins import MAKERS, Standin
from tests.images.files import tree, write
from tests.pages.support import open_page, sound, texts

DATASET = "pages/1_Dataset.py"


@pytest.fixture(autouse=True)
def _fresh_scans() -> None:
    forget_scans()


@pytest.fixture
def chexpert(tmp_path: Path) -> Standin:
    return MAKERS["CheXpert"](tmp_path / "CheXpert-v1.0-small", rounds=2)


def shown(root: Path) -> AppTest:
    return sound(open_page(DATASET, 30, data=str(root)))


def test_a_public_set_is_named_with_its_rules(chexpert: Standin) -> None:
    at = shown(chexpert.root)
    told = texts(at)
    assert "Recognised as **CheXpert**" in told
    assert "12 images left out" in told
    assert f"{len(chexpert.rows)} images, 13 findings" in told
    box = at.selectbox(key=f"rule-views-{chexpert.root}")
    assert box.options == ["frontal", "all"]
    box.set_value("all").run()
    assert f"{2 * len(chexpert.rows)} images, 13 findings" in texts(sound(at))
    assert said(chexpert.root).rules["views"] == "all"
    at.button(key="answers-forget").click().run()
    assert f"{len(chexpert.rows)} images, 13 findings" in texts(sound(at))
    assert said(chexpert.root).are_empty


def test_the_grid_filters_by_finding_and_by_what_is_said(chexpert: Standin) -> None:
    at = shown(chexpert.root)
    at.selectbox(key="grid-class").set_value("Edema").run()
    assert "No image." in texts(at)
    for says, count in (("uncertain", 2), ("blank", 10)):
        at.selectbox(key="grid-says").set_value(says).run()
        assert f"of {count} images" in texts(sound(at))


def test_folders_are_asked_and_answered_on_the_page(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {f"patient{n}/{label}": 1 for n in (1, 2) for label in ("NORMAL", "COVID19")})
    at = shown(root)
    assert "Which folder is the class of an image?" in texts(at)
    at.radio(key="answer-classes").set_value("nearest")
    at.button(key="answer-folders").click().run()
    assert "4 images, 2 classes" in texts(sound(at))
    assert said(root).rules == {"classes": "nearest"}


def test_an_answer_that_does_not_fit_is_said_and_not_kept(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for n in range(3):
        write(root / "pictures" / f"{n}x.png", n)
    (root / "t.csv").write_text("scan,note\n0x,a\n1x,b\n2x,a\n", encoding="utf-8")
    at = shown(root)
    assert "Which columns hold the labels?" in texts(at)
    read = next(button for button in at.button if button.label == "Read it so")
    read.click().run()
    assert "Expected the column of the file and at least one of labels" in texts(at)
    at.selectbox(key="answer-file").set_value("scan")
    at.multiselect(key="answer-labels").set_value(["note"])
    next(button for button in at.button if button.label == "Read it so").click().run()
    assert "column note: expected 1, 0, -1 or nothing, got 'a'" in texts(at)
    assert said(root).are_empty
    at.radio(key="answer-task").set_value("exclusive")
    next(button for button in at.button if button.label == "Read it so").click().run()
    assert "3 images, 2 classes" in texts(sound(at))


def test_every_page_that_opens_a_data_set_asks(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"patient1": 2, "patient2": 2})
    for page in ("pages/3_Train.py", "pages/2_Audit.py"):
        assert "Which folder is the class of an image?" in texts(sound(open_page(page, 30, data=str(root))))


def test_what_was_said_and_does_not_fit_any_more_can_be_forgotten(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"NORMAL": 2, "COVID19": 2})
    change(root, rules={"views": "all"})
    at = open_page(DATASET, 30, data=str(root))
    assert "no choice 'all' for the rule 'views'" in texts(at)
    next(button for button in at.button if button.label == "Forget what was said").click().run()
    assert "4 images, 2 classes" in texts(sound(at))
