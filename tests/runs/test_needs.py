"""An unpacked zip that a run at work needs stays; a run whose images are gone says so."""

import json
import shutil
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.data.archive import unpack
from cxr_core.data.unpacked import Unpacked, holding, unpacked_zips
from cxr_core.errors import RunError
from cxr_core.runs.needs import delete_unpacked, gone, users
from cxr_core.runs.queue import queued_status
from cxr_core.runs.records import written
from cxr_core.runs.run import list_runs
from tests.images.files import encoded, noise
from tests.mutants import zipped
from tests.pages.support import CLASSES, tiny_run


@pytest.fixture
def upload(isolated: Path) -> Unpacked:
    files = {
        f"set/{name}/{n}.png": encoded(noise(10 * k + n), "PNG") for k, name in enumerate(CLASSES) for n in range(8)
    }
    found = holding(unpack(zipped(0, files), "my set.zip"))
    assert found is not None
    return found


@pytest.mark.parametrize("state", ["queued", "training"])
def test_what_a_run_at_work_needs_is_not_deleted(state: str, upload: Unpacked, isolated: Path) -> None:
    run = tiny_run(isolated / "runs", upload.path / "set", state)
    assert run.is_active
    assert users(upload, list_runs(isolated / "runs")) == [run]
    with pytest.raises(RunError, match=rf"{upload.name} is needed by run {run.id}"):
        delete_unpacked(upload, [run])
    assert unpacked_zips() == [upload]


def test_a_run_with_hashed_names_needs_its_zip_like_any_other(upload: Unpacked, isolated: Path) -> None:
    run = tiny_run(isolated / "runs", upload.path / "set", "queued", pseudonyms=True)
    assert run.pseudonyms
    assert gone(run) == ""
    assert users(upload, [run]) == [run]
    with pytest.raises(RunError, match="is needed by"):
        delete_unpacked(upload, [run])


def test_what_a_training_beside_a_run_needs_is_not_deleted(upload: Unpacked, isolated: Path) -> None:
    run = tiny_run(isolated / "runs", upload.path / "set", "completed")
    beside = run.path / "controls-lungs"
    beside.mkdir()
    shutil.copyfile(run.path / "run.json", beside / "run.json")
    (beside / "status.json").write_text(written(queued_status(1)))
    with pytest.raises(RunError, match="is needed by"):
        delete_unpacked(upload, [run])


def test_a_run_says_that_its_images_are_gone_until_they_are_back(upload: Unpacked, isolated: Path) -> None:
    run = tiny_run(isolated / "runs", upload.path / "set", "completed")
    assert gone(run) == ""
    assert delete_unpacked(upload, [run]) == [run]
    assert f"unpacked zip {upload.name}" in gone(run)
    assert "Upload the same zip again" in gone(run)
    assert run.metrics("test") is not None


def test_the_command_line_lists_and_deletes(
    upload: Unpacked, isolated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spare = holding(
        unpack(zipped(0, {"A/1.png": encoded(noise(1), "PNG"), "B/1.png": encoded(noise(2), "PNG")}), "spare.zip")
    )
    assert spare is not None
    run = tiny_run(isolated / "runs", upload.path / "set", "training")
    assert main(["uploads", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[upload.name]["runs"] == [run.id]
    assert rows[upload.name]["bytes"] == sum(path.stat().st_size for path in upload.path.rglob("*.png"))
    assert (rows[spare.name]["files"], rows[spare.name]["runs"]) == (2, [])
    assert main(["uploads"]) == 0
    assert f"used by {run.id}" in capsys.readouterr().out
    assert main(["uploads", "--delete", upload.name]) == 1
    assert "is needed by run" in capsys.readouterr().err
    assert main(["uploads", "--clear"]) == 1
    assert "Not deleted" in capsys.readouterr().out
    assert unpacked_zips() == [upload]
    status = json.loads((run.path / "status.json").read_text()) | {"state": "stopped"}
    (run.path / "status.json").write_text(json.dumps(status))
    assert main(["uploads", "--delete", upload.name[:6]]) == 0
    assert f"Run {run.id} has lost its images" in capsys.readouterr().out
    assert main(["uploads", "--delete", "../runs"]) == 1
    assert unpacked_zips() == []
    assert run.path.is_dir()


def test_evaluate_says_that_the_images_are_gone(
    upload: Unpacked, isolated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tiny_run(isolated / "runs", upload.path / "set", "completed")
    delete_unpacked(upload, [run])
    assert main(["evaluate", run.id]) == 0
    assert "Upload the same zip again" in capsys.readouterr().out
