"""The Dataset page lists unpacked zips and deletes one when asked twice."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from cxr_core.data.archive import unpack
from cxr_core.data.unpacked import holding, unpacked_zips
from cxr_core.settings import remember_dataset
from cxr_core.ui.cached import forget_scans
from tests.images.files import encoded, noise
from tests.mutants import zipped
from tests.pages.support import CLASSES, open_page, texts, tiny_run

PAGE = "pages/1_Dataset.py"


def uploaded(name: str) -> Path:
    files = {f"{c}/{n}.png": encoded(noise(10 * k + n), "PNG") for k, c in enumerate(CLASSES) for n in range(8)}
    return unpack(zipped(0, {**files, "name.txt": name.encode()}), name)


def deletions(at: AppTest) -> list[str]:
    return [str(box.key) for box in at.checkbox if str(box.key).startswith("sure-")]


def test_nothing_is_said_where_nothing_was_unpacked(isolated: Path) -> None:
    at = open_page(PAGE)
    assert not at.exception
    assert "Unpacked zips" not in [fold.label for fold in at.expander]


def test_an_unpacked_zip_is_deleted_when_asked_twice(isolated: Path) -> None:
    forget_scans()
    root, other = uploaded("mine [1].zip"), uploaded("other.zip")
    remember_dataset(root)
    run = tiny_run(isolated / "runs", root, "completed")
    at = open_page(PAGE, data=str(root))
    assert not at.exception
    assert [fold.label[:16] for fold in at.expander if "Unpacked" in fold.label] == ["Unpacked zips: 2"]
    assert str(isolated / "data" / "uploads") in texts(at)
    assert "used by 1 run" in texts(at)
    held = holding(root)
    assert held is not None
    button = f"delete-{held.name}"
    assert at.button(key=button).disabled
    at.checkbox(key=f"sure-{held.name}").check().run()
    at.button(key=button).click().run()
    assert not at.exception
    assert not at.error
    assert unpacked_zips() == [holding(other)]
    assert deletions(at) == [f"sure-{other.name}"]
    assert "data" not in at.query_params
    at = open_page("pages/5_Evaluate.py", run=run.id)
    assert "Upload the same zip again" in texts(at)
    assert not at.exception


def test_one_that_a_run_at_work_needs_cannot_be_deleted(isolated: Path) -> None:
    forget_scans()
    root = uploaded("busy.zip")
    tiny_run(isolated / "runs", root, "training")
    at = open_page(PAGE)
    assert not at.exception
    assert deletions(at) == [f"sure-{root.name}"]
    at.checkbox(key=f"sure-{root.name}").check().run()
    at.button(key=f"delete-{root.name}").click().run()
    assert "is needed by run" in texts(at)
    assert root.is_dir()
