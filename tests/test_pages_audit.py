"""The Audit page as a person uses it: read a finding, mend it, take it back."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from cxr_core.data import mends
from cxr_core.settings import runs_dir
from tests.pages_support import open_page, texts


@pytest.fixture
def leaking(tiny_dataset: Path, tmp_path: Path) -> Path:
    root = shutil.copytree(tiny_dataset, tmp_path / "leaking")
    Image.open(min(root.glob("train/NORMAL/*.png"))).save(root / "test" / "NORMAL" / "again.jpg", quality=90)
    return root


def test_a_leak_is_shown_mended_and_the_mend_undone(leaking: Path) -> None:
    at = open_page("pages/6_Audit.py", data=str(leaking))
    assert not at.exception
    assert "a training waits" in texts(at)
    assert "again.jpg" in texts(at)
    at.button(key="mend-leak-keep one of each").click().run()
    assert not at.exception
    assert "a training waits" not in texts(at)
    assert "Leak: keep one of each" in texts(at)
    name = mends.read(runs_dir())["mend"].iloc[0]
    at.button(key=f"undo-mend-{name}").click().run()
    assert not at.exception
    assert "a training waits" in texts(at)
    assert mends.read(runs_dir()).empty


def test_without_a_data_set_it_says_what_to_do() -> None:
    at = open_page("pages/6_Audit.py")
    assert not at.exception
    assert "No data set is open" in texts(at)


def test_the_demo_is_said_to_be_drawn(tiny_dataset: Path) -> None:
    at = open_page("pages/6_Audit.py", data=str(tiny_dataset))
    assert not at.exception
    assert "These are drawings" in texts(at)
