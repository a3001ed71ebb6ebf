"""``fit-site`` and ``--profile`` as a script meets them."""

import csv
import io
import json
from pathlib import Path

import pytest

from cxr_core import demo
from cxr_core.runs.run import Run
from tests.cli.test_runs import Call, call, one_line
from tests.runs_support import copy_of

__all__ = ["call"]


def test_a_profile_from_fitting_to_forgetting(completed_run: Run, tmp_path: Path, call: Call) -> None:
    run = copy_of(completed_run, tmp_path)
    site = demo.draw(tmp_path / "anna", images=72, seed=7)
    image = next((site / "test" / "NORMAL").iterdir())
    plain = call("predict", run.path, image, "--json")

    status, out, _ = call("fit-site", run.path, "--data", site, "--name", "St. Anna", "--json")
    note = json.loads(out)
    assert (status, note["name"], note["images"]) == (0, "St. Anna", 72)
    assert call("fit-site", run.path, "--profiles")[1].startswith("St. Anna: anna, 72 images")
    assert [row["name"] for row in json.loads(call("fit-site", run.path, "--profiles", "--json")[1])] == ["St. Anna"]

    (row,) = json.loads(call("predict", run.path, image, "--profile", "St. Anna", "--json")[1])
    assert row["profile"] == "St. Anna"
    (row,) = csv.DictReader(io.StringIO(call("predict", run.path, image, "--profile", "St. Anna", "--csv")[1]))
    assert row["profile"] == "St. Anna"
    assert "Site profile St. Anna: " in call("predict", run.path, image, "--profile", "St. Anna")[1]
    # Without one nothing changes.
    assert call("predict", run.path, image, "--json") == plain
    metrics = json.loads(call("evaluate", run.path, "--profile", "St. Anna", "--json")[1])
    assert (metrics["profile"], metrics["calibration"]["temperature"]) == ("St. Anna", note["temperature"])
    assert "profile" not in json.loads(call("evaluate", run.path, "--json")[1])
    page = tmp_path / "page.html"
    assert call("report", run.path, image, "--out", page, "--profile", "St. Anna", "--force")[0] == 0
    assert "Site profile: St. Anna." in page.read_text(encoding="utf-8")

    status, out, _ = call("fit-site", run.path, "--data", site, "--name", "again")
    assert status == 0
    assert "95 % interval of the change" in out
    assert call("fit-site", run.path, "--forget", "St. Anna")[:2] == (0, "St. Anna was forgotten.\n")
    assert "has no profile" in one_line(call("predict", run.path, image, "--profile", "St. Anna")[2])


def test_twenty_images_are_refused(completed_run: Run, tmp_path: Path, call: Call) -> None:
    few = demo.draw(tmp_path / "few", images=20, seed=7)
    status, out, error = call("fit-site", completed_run.path, "--data", few, "--name", "few")
    assert (status, out) == (1, "")
    assert "Too few images to fit on: 20 images" in one_line(error)


@pytest.mark.parametrize(
    "wrong", [("--data", "x"), ("--profiles", "--name", "x"), ("--name", "x"), ("--data", "x", "--profiles")]
)
def test_wrong_usage(wrong: tuple[str, ...], call: Call) -> None:
    assert call("fit-site", "run", *wrong)[0] == 2
