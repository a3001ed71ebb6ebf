"""What pages open: what a person typed or picked; what a link brings when she says so; nothing out of reach."""

import os
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_core.data import dataset as datasets
from cxr_core.data.budget import Progress
from cxr_core.errors import DatasetError
from cxr_core.settings import recent_datasets, remember_dataset
from cxr_core.ui import cached
from cxr_core.ui.cached import STOPPED, forget_scans
from tests.pages.support import open_page, texts, tiny_dataset, tiny_run
from tests.test_paths import IMPOSSIBLE

DATASET, TRAIN, AUDIT = "pages/1_Dataset.py", "pages/3_Train.py", "pages/2_Audit.py"
PAGES = (DATASET, TRAIN, AUDIT)


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    forget_scans()
    return tiny_dataset(tmp_path / "xrays" / "squares", images=3)


def typed(at: AppTest, path: str, key: str = "data") -> AppTest:
    """Type into a box that takes new options: the browser sends the text, which AppTest looks up in the options."""
    box = at.selectbox(key=key)
    box.options.append(path)
    return box.set_value(path).run()


@pytest.mark.parametrize("page", PAGES)
def test_a_link_asks_before_anything_is_read(page: str, squares: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    for name in ("stat", "lstat", "scandir", "open", "readlink"):
        real = getattr(os, name)

        def watched(path: object, *args: object, _real: object = real, **given: object) -> object:
            if str(squares) in str(path):
                looked.append(str(path))
            return _real(path, *args, **given)  # type: ignore[operator]

        monkeypatch.setattr(os, name, watched)
    at = open_page(page, linked=True, data=str(squares))
    assert not at.exception
    assert "was not opened here before" in texts(at)
    assert at.code[0].value == str(squares)
    assert looked == []
    assert recent_datasets() == []
    monkeypatch.undo()


def test_the_answer_opens_it_and_the_next_link_does_not_ask(squares: Path, isolated: Path) -> None:
    at = open_page(DATASET, linked=True, data=str(squares))
    at = at.button(key="data-allow").click().run()
    assert "9 images, 3 classes" in texts(at)
    again = open_page(DATASET, linked=True, data=str(squares))
    assert "9 images, 3 classes" in texts(again)


def test_a_path_through_a_link_is_known_by_its_own_name(squares: Path, tmp_path: Path) -> None:
    (tmp_path / "door").symlink_to(squares)
    typed(open_page(DATASET), str(tmp_path / "door"))
    assert "9 images" in texts(open_page(DATASET, linked=True, data=str(tmp_path / "door")))
    assert "not opened here before" in texts(open_page(DATASET, linked=True, data=str(squares)))


def test_what_is_typed_is_not_asked_about(squares: Path) -> None:
    assert "9 images, 3 classes" in texts(typed(open_page(DATASET), str(squares)))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("path", [path for path in IMPOSSIBLE if path.strip() and "\udcff" not in path])
def test_an_impossible_path_is_one_message(page: str, path: str) -> None:
    for at in (open_page(page, data=path), open_page(page, linked=True, data=path)):
        assert not at.exception
        assert len(at.error) == 1
        assert not at.code


def test_devices_and_pipes_are_one_message(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), "/dev/zero", "/"):
        at = open_page(DATASET, data=path)
        assert not at.exception
        assert len(at.error) == 1


def test_first_lines_of_files_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0:hunter2\n", encoding="utf-8")
    at = open_page(DATASET, data=str(tmp_path / "passwd"))
    assert "hunter2" not in texts(at)
    assert len(at.error) == 1


@pytest.mark.parametrize("roots", [True, False])
def test_beyond_this_machine_only_the_owners_folders(
    roots: bool, squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tiny_dataset(tmp_path / "elsewhere" / "far-away", images=3)
    remember_dataset(outside)
    monkeypatch.setenv("CXR_HOSTS", "xray.example.org")
    monkeypatch.setenv("CXR_OPEN", "yes")
    if roots:
        monkeypatch.setenv("CXR_ROOTS", str(squares.parent))
    at = open_page(DATASET, data=str(outside))
    assert not at.exception
    assert "lies outside of the folders" in at.error[0].value.replace("\\", "")
    # Not even its name is offered, here or on Home.
    assert str(outside) not in at.selectbox(key="data").options[:-1]
    assert "far-away" not in texts(open_page("dashboard.py"))
    assert not [button for button in at.button if (button.key or "").startswith("browse-up")]
    at = typed(at, str(squares))
    assert ("9 images, 3 classes" in texts(at)) == roots
    if roots:
        # One may look around below the root, and not above it.
        at = at.button(key=f"browse-root-{squares.parent}").click().run()
        assert at.button(key="browse-up").disabled
        assert at.button(key=f"browse-{squares}")


def test_an_external_data_set_lies_in_reach_too(
    squares: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = tiny_run(isolated / "runs", squares, "completed")
    outside = tiny_dataset(tmp_path / "elsewhere", images=3)
    monkeypatch.setenv("CXR_ROOTS", str(squares.parent))
    for path in (str(outside), *(path for path in IMPOSSIBLE if path.strip() and "\udcff" not in path)):
        at = open_page("pages/5_Evaluate.py", run=run.id)
        at = at.segmented_control(key="section").set_value("External test").run()
        at = typed(at, path, "external-data")
        at.selectbox(key="external-data").options.append(path)
        if not at.error:
            at = at.button(key="evaluate-external").click().run()
        assert not at.exception
        assert len(at.error) == 1
    assert not (run.path / "external").exists()


def test_pictures_of_a_run_out_of_reach_are_not_shown(
    squares: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = tiny_run(isolated / "runs", squares, "completed")
    monkeypatch.setenv("CXR_ROOTS", str(tmp_path / "nothing"))
    at = open_page("pages/5_Evaluate.py", run=run.id)
    assert not at.exception
    assert "outside of the folders" in texts(at)


def test_roots_that_are_none_stop_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_ROOTS", "relative/path")
    at = open_page(DATASET)
    assert "CXR_ROOTS" in at.error[0].value.replace("\\", "")
    assert not at.selectbox


def test_a_stopped_scan_says_so_and_looks_again_when_asked(squares: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_page(DATASET)
    at.session_state[STOPPED] = {str(squares): [1200, 20_000]}
    at = typed(at, str(squares))
    assert "stopped after 1,200 of 20,000 files. Nothing was opened." in at.error[0].value.replace("\\", "")
    assert recent_datasets() == []
    at = next(button for button in at.button if button.label == "Look again").click().run()
    assert "9 images" in texts(at)


def test_a_scan_shows_its_bar_and_the_button(squares: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def slow(root: Path, report: Progress) -> datasets.Dataset:
        monkeypatch.setattr(time, "monotonic", lambda: 10.0**9)
        report(300, 0)
        report(100, 400)
        raise DatasetError("enough")

    monkeypatch.setattr(cached, "scan", slow)
    drawn = cached.progress_bar._drawn

    def noted(self: cached.progress_bar) -> object:
        seen.append("drawn")
        return drawn(self)

    monkeypatch.setattr(cached.progress_bar, "_drawn", noted)
    at = open_page(DATASET, data=str(squares))
    assert not at.exception
    assert seen
