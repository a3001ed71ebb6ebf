"""The starter model is a run like any other, and comes back as it was shipped."""

import json
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.errors import ConfigError, RunError
from cxr_core.reports.card import model_card
from cxr_core.reports.markdown import render
from cxr_core.reports.verdict import verdict
from cxr_core.runs import files, find_run, list_runs
from cxr_core.runs.jobs import resume
from cxr_core.runs.run import STARTER, Run
from cxr_core.runs.starter import SHIPPED, VERSION, installed, shipped_version
from cxr_core.settings import runs_dir

MOST_BYTES = 1_000_000


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXR_STARTER")


@pytest.fixture
def starter(isolated: Path) -> Run:
    run = installed(runs_dir())
    assert run is not None
    return run


def test_it_is_small_and_holds_no_image() -> None:
    kinds = {file.suffix for file in SHIPPED.iterdir()}
    assert kinds == {".json", ".jsonl", ".csv", ".safetensors", ".txt"}
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < MOST_BYTES


def test_it_is_copied_once_and_what_is_kept_with_it_stays(starter: Run) -> None:
    starter.rename("ours")
    again = installed(runs_dir())
    assert again is not None
    assert again.name == "ours"
    assert (starter.path / VERSION).read_text(encoding="utf-8").strip() == shipped_version()


def test_half_a_copy_and_one_of_another_version_are_replaced_whole(starter: Run) -> None:
    (starter.path / VERSION).write_text("older\n", encoding="utf-8")
    (starter.path / files.WEIGHTS).unlink()
    (starter.path / "left behind").touch()
    installed(runs_dir())
    assert {file.name for file in starter.path.iterdir()} == {VERSION, *(file.name for file in SHIPPED.iterdir())}
    assert [entry.name for entry in runs_dir().iterdir()] == [STARTER]


def test_it_is_listed_last_cannot_be_resumed_and_is_deleted_only_where_it_is_hidden(
    starter: Run, completed_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = runs_dir() / completed_run.id
    other.mkdir()
    (other / files.RUN).write_text("{}", encoding="utf-8")
    assert [run.id for run in list_runs(runs_dir())] == [other.name, STARTER]
    assert find_run(runs_dir(), "start") == starter
    assert starter.state == "completed"
    with pytest.raises(RunError, match="only a stopped, lost or failed one"):
        resume(starter)
    with pytest.raises(RunError, match="CXR_STARTER=no hides it"):
        starter.delete()
    monkeypatch.setenv("CXR_STARTER", "no")
    assert installed(runs_dir()) is None
    starter.delete()
    monkeypatch.setenv("CXR_STARTER", "perhaps")
    with pytest.raises(ConfigError, match="CXR_STARTER: expected yes or no, got 'perhaps'"):
        installed(runs_dir())


def test_where_it_cannot_be_copied_the_way_on_is_said(isolated: Path) -> None:
    (isolated / "runs").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match=r"The starter model cannot be copied to .* or go without it"):
        installed(runs_dir())


def test_its_card_names_the_collections_their_terms_and_what_is_known_against_it(starter: Run) -> None:
    card = render(model_card(starter))
    for said in (
        "COVID-CXNet",
        "NIH ChestX-ray14",
        "CC BY 4.0",
        "10.6084/m9.figshare.12580328",
        "all five images of other collections",
    ):
        assert said in card
    told = verdict(starter)
    assert told.sentence.startswith("It called COVID19 all five images")
    assert "cannot tell disease from source" in " ".join(told.against)
    assert "without lungs" in " ".join(told.against)


def test_it_answers_from_the_command_line(tiny_dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = next(tiny_dataset.glob("test/*/*.png"))
    assert main(["predict", STARTER, str(picture), "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["label"] or answer["withheld"]
    assert main(["runs"]) == 0
    assert capsys.readouterr().out.startswith(f"{STARTER}  completed")
