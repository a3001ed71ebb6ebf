"""A run is called by its name wherever it is shown, and the pinned one is offered first while it is there."""

import json
import shutil
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.data.cautions import DRAWINGS
from cxr_core.errors import RunError
from cxr_core.reports import html, markdown
from cxr_core.reports.card import model_card
from cxr_core.reports.image import Answered, image_report
from cxr_core.runs import files
from cxr_core.runs.pinned import FILE, answers_first, pin, pinned, unpin
from cxr_core.runs.run import Run
from cxr_core.runs.titles import title, titles
from tests.pages.support import open_page, texts, tiny_dataset, tiny_run

PAGES = ("pages/3_Train.py", "pages/5_Evaluate.py", "pages/6_Predict.py", "pages/4_Runs.py")


@pytest.fixture
def runs(isolated: Path) -> list[Run]:
    """Three completed runs, the oldest first; each has an id of its own by its random end."""
    root = tiny_dataset(isolated / "tiny")
    made = [tiny_run(isolated / "runs", root, "completed", labels="single") for _ in range(3)]
    return sorted(made, key=lambda run: run.id)


def test_only_equal_names_need_their_ids(runs: list[Run]) -> None:
    a, b, c = runs
    assert titles(runs) == {run.id: run.id for run in runs}
    a.rename("night")
    assert titles(runs)[a.id] == "night"
    assert title(a) == f"night ({a.id})"
    assert title(b) == b.id
    b.rename("night")
    c.rename(a.id)
    assert titles(runs) == {run.id: f"{run.name} ({run.id})" for run in runs}
    (a.path / "name.txt").write_bytes(b"\xff\xfe")
    assert titles(runs)[a.id] == a.id


@pytest.mark.parametrize("address", PAGES)
def test_every_picker_and_title_uses_the_name(runs: list[Run], address: str) -> None:
    runs[0].rename("night shift")
    at = open_page(address, run=runs[0].id)
    assert not at.exception
    box = at.selectbox(key="run")
    assert "night shift" in box.options
    assert runs[0].id not in box.options
    assert box.value == runs[0].id, "the link holds the id"
    # The id is still there to be copied.
    assert runs[0].id in texts(at)


def test_compare_curves_and_cautions_use_the_name(runs: list[Run]) -> None:
    runs[0].rename("night shift")
    at = open_page("pages/5_Evaluate.py", run=runs[1].id)
    at.segmented_control(key="section").set_value("Compare").run()
    box = at.selectbox(key="compare-with")
    assert "night shift" in box.options
    box.set_value(runs[0].id).run()
    assert f"B: night shift ({runs[0].id})" in texts(at)
    at = open_page("pages/4_Runs.py")
    legend = json.dumps([json.loads(chart.proto.spec) for chart in at.get("plotly_chart")])
    assert "night shift" in legend
    assert list(at.dataframe[0].value["run"]).count("night shift") == 1


def test_reports_and_command_line_use_the_name(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    run = runs[0]
    run.rename("night shift")
    shares = dict.fromkeys(run.classes, 1 / 3)
    page = html.render(image_report(run, Answered("a.png", "0" * 32, b"", run.classes[0], shares)))
    assert f"run night shift ({run.id})" in page
    assert "night shift" in markdown.render(model_card(run))
    assert main(["runs"]) == 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith(run.id))
    assert "night shift" in row


def test_the_pinned_run_is_offered_first(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    oldest = runs[0]
    assert open_page("pages/6_Predict.py").selectbox(key="run").value == runs[-1].id
    assert main(["pin", oldest.id]) == 0
    assert f"{oldest.id} is pinned." in capsys.readouterr().out
    assert open_page("pages/6_Predict.py").selectbox(key="run").value == oldest.id
    # A link says which run is meant, and is followed.
    assert open_page("pages/6_Predict.py", run=runs[1].id).selectbox(key="run").value == runs[1].id
    # Other pages are not about predicting.
    assert open_page("pages/5_Evaluate.py").selectbox(key="run").value == runs[-1].id
    assert main(["runs", "--json"]) == 0
    assert [row["pinned"] for row in json.loads(capsys.readouterr().out)] == [False, False, True]
    assert main(["pin", "--none"]) == 0
    assert open_page("pages/6_Predict.py").selectbox(key="run").value == runs[-1].id


def test_pinned_and_taken_back_on_the_page(runs: list[Run]) -> None:
    at = open_page("pages/4_Runs.py", run=runs[0].id)
    at.button(key=f"pin-{runs[0].id}").click().run()
    assert pinned(runs[0].path.parent).run == runs[0]
    assert f"Predict offers {runs[0].id} first" in texts(at)
    at.button(key=f"unpin-{runs[0].id}").click().run()
    assert pinned(runs[0].path.parent).run is None


def test_a_pinned_run_that_goes_is_no_longer_offered(runs: list[Run]) -> None:
    folder = runs[0].path.parent
    pin(runs[0])
    at = open_page("pages/4_Runs.py", run=runs[0].id)
    at.checkbox(key=f"sure-{runs[0].id}").check().run()
    at.button(key=f"delete-{runs[0].id}").click().run()
    assert not (folder / FILE).exists()
    pin(runs[1])
    shutil.rmtree(runs[1].path)
    found = pinned(folder)
    assert found.run is None
    assert f"'{runs[1].id}' is gone" in found.note
    at = open_page("pages/6_Predict.py")
    assert at.selectbox(key="run").value == runs[2].id
    assert found.note in texts(at)


@pytest.mark.parametrize("content", [b"", b"..", b"/etc", b"../runs", b"\xff\xfe", b"\n\n"])
def test_a_damaged_pin_is_none(runs: list[Run], content: bytes) -> None:
    folder = runs[0].path.parent
    (folder / FILE).write_bytes(content)
    found = pinned(folder)
    assert found.run is None
    assert found.note
    unpin(folder)
    assert pinned(folder).note == ""


def test_only_a_completed_run_is_pinned(isolated: Path) -> None:
    run = tiny_run(isolated / "runs", tiny_dataset(isolated / "tiny"), "stopped")
    with pytest.raises(RunError, match="is stopped: expected a completed training to pin"):
        pin(run)


def test_a_run_that_learnt_from_drawings_answers_after_those_that_learnt_from_xrays(isolated: Path) -> None:
    runs = isolated / "runs"
    assert answers_first(runs) is None
    drawn = tiny_run(runs, tiny_dataset(isolated / "one", images=9), "completed")
    about = json.loads((drawn.path / files.RUN).read_text(encoding="utf-8"))
    (drawn.path / files.RUN).write_text(json.dumps({**about, "warnings": [DRAWINGS]}), encoding="utf-8")
    assert answers_first(runs) == drawn
    real = tiny_run(runs, tiny_dataset(isolated / "two", images=9), "completed")
    other = tiny_run(runs, tiny_dataset(isolated / "three", images=9), "failed")
    assert answers_first(runs) == real != other
    pin(drawn)
    assert answers_first(runs) == Run(drawn.path)
