"""Internal beside external on every page that shows a score, and the viewings of the test that a page counts."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_core.inference.evaluate import evaluate_external
from cxr_core.reports import markdown
from cxr_core.reports.card import model_card
from cxr_core.runs import files, viewings
from cxr_core.runs.external import externals
from cxr_core.runs.run import Run
from cxr_core.settings import remember_dataset
from tests.pages.support import open_page, sound, texts, tiny_dataset, tiny_run
from tests.runs_support import copy_of

PAGE = "pages/5_Evaluate.py"


@pytest.fixture
def run(completed_run: Run, isolated: Path) -> Run:
    """A copy of the run that was really trained, to be written to."""
    return copy_of(completed_run, isolated)


def section(run: Run, name: str) -> AppTest:
    at = sound(open_page(PAGE, timeout=60, run=run.id))
    return sound(at.segmented_control(key="section").set_value(name).run())


def test_a_folder_is_chosen_evaluated_and_stands_beside_the_test(run: Run, hospital: Path) -> None:
    remember_dataset(hospital)
    at = section(run, "External test")
    assert "Internal test" in texts(at)
    assert "Internal test only: no external data set was evaluated yet" in texts(at)
    assert at.button(key="evaluate-external").disabled
    at.selectbox(key="external-data").set_value(str(hospital)).run()
    sound(at.button(key="evaluate-external").click().run())
    assert not at.error
    (kept,) = externals(run)
    shown = texts(at)
    assert "its figures are kept with the run" in shown
    assert "External: hospital b" in shown
    assert "Internal test only" not in shown
    values = {metric.label: metric.value for metric in at.metric}
    internal, external = run.metrics("test"), kept.measured[0]
    assert internal
    assert values["Macro F1"] == f"{internal['macro_f1']:.3f}"
    assert f"External **{external['macro_f1']:.3f} (" in shown
    table = at.dataframe[0].value
    assert table["Data set"].tolist() == ["Internal test", "hospital b"]
    assert table["Macro F1, drop"][1].startswith(f"{internal['macro_f1'] - external['macro_f1']:.3f}".replace("-", "−"))


def test_the_runs_own_data_set_and_a_wrong_path_are_one_message(run: Run, tiny_dataset: Path) -> None:
    wrong = run.path.parent / "no class folders"
    wrong.mkdir()
    for folder in (tiny_dataset / "test", wrong):
        remember_dataset(folder)
    at = section(run, "External test")
    for chosen, expected in ((tiny_dataset / "test", "no external data set"), (wrong, "no class folders")):
        at.selectbox(key="external-data").set_value(str(chosen)).run()
        sound(at.button(key="evaluate-external").click().run())
        assert expected in texts(at)
    assert at.error
    assert not (run.path / "external").exists()


def test_a_damaged_evaluation_hides_nothing(run: Run, hospital: Path) -> None:
    kept = evaluate_external(run, hospital).kept
    assert kept
    kept.path.write_text('{"name": "x"}')
    assert "Internal test only" in texts(section(run, "External test"))


def test_every_page_with_a_score_says_internal_and_then_both(run: Run, hospital: Path) -> None:
    assert "On its internal test split" in texts(open_page("pages/6_Predict.py", timeout=60, run=run.id))
    columns = list(sound(open_page("pages/4_Runs.py", timeout=60)).dataframe[0].value.columns)
    assert "external_f1" not in columns
    assert "Internal test only: no external" in markdown.render(model_card(run))
    kept = evaluate_external(run, hospital).kept
    assert kept
    metrics, _ = kept.measured
    right = sum(metrics["confusion"][k][k] for k in range(3))
    shown = texts(open_page("pages/6_Predict.py", timeout=60, run=run.id))
    assert f"On the external data set hospital b: macro F1 {metrics['macro_f1']:.3f}, balanced accuracy" in shown
    assert f"classified {right} of {metrics['n']} images correctly" in shown
    row = sound(open_page("pages/4_Runs.py", timeout=60)).dataframe[0].value.iloc[0]
    assert row["external_f1"] == metrics["macro_f1"]
    assert row["external"] == f"hospital b: {right} of {metrics['n']}"
    card = markdown.render(model_card(run))
    assert "External: hospital b" in card
    assert "Internal test only" not in card
    assert "no external validation" not in card
    assert str(hospital) not in card


def test_an_external_data_set_is_forgotten_when_that_is_asked_twice(run: Run, hospital: Path) -> None:
    kept = evaluate_external(run, hospital).kept
    assert kept
    at = section(run, "External test")
    button = at.button(key=f"forget-{kept.path.name}")
    assert button.disabled
    sound(at.checkbox(key=f"sure-{kept.path.name}").check().run())
    sound(at.button(key=f"forget-{kept.path.name}").click().run())
    assert "hospital b was forgotten" in texts(at)
    assert "Internal test only" in texts(at)
    assert externals(run) == []
    assert not list((run.path / "external").iterdir())
    assert hospital.is_dir()


def test_sources_of_the_split(run: Run) -> None:
    at = section(run, "Sources")
    assert "none can be left out of this run" in texts(at)
    assert len(at.dataframe[0].value) == run.split.query("split == 'test'")["source"].nunique()


def test_a_page_counts_one_look_however_often_it_is_drawn(isolated: Path) -> None:
    run = tiny_run(isolated / "runs", tiny_dataset(isolated / "tiny"), "completed")
    at = open_page(PAGE, timeout=60, run=run.id)
    assert "viewed once; no other run" in texts(at)
    for name in ("Classes", "Sources", "Matrix"):
        at.segmented_control(key="section").set_value(name).run()
    at.segmented_control(key="split").set_value("val").run()
    assert "Test results viewed" not in texts(at)
    at.segmented_control(key="split").set_value("test").run()
    assert viewings.count(run) == 1
    # Another browser.
    assert "viewed 2 times" in texts(open_page(PAGE, timeout=60, run=run.id))
    open_page("pages/4_Runs.py", timeout=60)
    assert viewings.count(run) == 2


def test_the_page_opens_where_looks_cannot_be_counted(isolated: Path) -> None:
    run = tiny_run(isolated / "runs", tiny_dataset(isolated / "tiny"), "completed")
    (run.path / files.VIEWINGS).mkdir()
    assert "not viewed yet" in texts(sound(open_page(PAGE, timeout=60, run=run.id)))
