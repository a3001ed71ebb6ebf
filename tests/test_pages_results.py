"""Runs, Evaluate and Predict in every state: no run, queued, running, stopped, failed, lost, completed, damaged."""

import io
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxr_core.training.runs import Run, list_runs
from cxr_core.ui.run_table import run_table
from tests.pages_support import CLASSES, open_page, texts, tiny_dataset, tiny_run, trained_run

PAGES = ("pages/3_Runs.py", "pages/4_Evaluate.py", "pages/5_Predict.py")
RESULTS = PAGES[1:]
UNFINISHED = ("queued", "extracting", "training", "evaluating", "stopped", "failed", "lost")


@pytest.fixture
def runs(isolated: Path) -> Path:
    """The empty folder of runs that the pages read."""
    return isolated / "runs"


@pytest.fixture(scope="session")
def completed_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was really trained, to be read only."""
    return trained_run(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def make(runs: Path, tmp_path: Path) -> Callable[..., Run]:
    """``make("completed", labels="single")``: a run in that state."""
    root = tiny_dataset(tmp_path / "tiny")
    return lambda state, **given: tiny_run(runs, root, state, **given)


def sound(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].value
    return at


def links(at: AppTest) -> set[str]:
    return {str(link.proto.label) for link in at.get("page_link")}


@pytest.mark.parametrize("page", PAGES)
def test_without_a_run_says_what_to_do(runs: Path, page: str) -> None:
    at = sound(open_page(page))
    assert "There is no run yet." in texts(at)
    assert any("Train" in label for label in links(at))


@pytest.mark.parametrize("state", UNFINISHED)
@pytest.mark.parametrize("page", RESULTS)
def test_results_of_an_unfinished_run(make: Callable[..., Run], page: str, state: str) -> None:
    make("completed")
    run = make(state)
    at = sound(open_page(page, run=run.id))
    assert at.selectbox(key="run").value == run.id
    shown = texts(at)
    expected = {
        "queued": "waits for its turn",
        "stopped": "was stopped: 3 of 4 epochs",
        "failed": "The loss is no longer a number",
        "lost": "process of this run is gone",
    }
    assert expected.get(state, "still going") in shown
    assert ("Watch it" in links(at)) == (state in UNFINISHED[:4])
    assert not at.get("plotly_chart")
    assert not at.get("file_uploader")


@pytest.mark.parametrize("page", RESULTS)
def test_results_open_with_a_completed_run(make: Callable[..., Run], page: str) -> None:
    finished, damaged = make("completed"), make("completed")
    make("training")
    (damaged.path / "run.json").write_text("{", encoding="utf-8")
    assert sound(open_page(page)).selectbox(key="run").value == finished.id


@pytest.mark.parametrize("state", [*UNFINISHED, "completed"])
def test_runs_offers_what_the_state_allows(make: Callable[..., Run], state: str) -> None:
    run = make(state)
    at = sound(open_page(PAGES[0], run=run.id))
    buttons = {button.label for button in at.button}
    assert ("Resume" in buttons) == (state in ("stopped", "failed", "lost"))
    assert ("Stop" in buttons) == (state in UNFINISHED[:4])
    assert ({"Evaluate", "Predict"} <= links(at)) == (state == "completed")
    table = at.dataframe[0].value
    assert len(table) == 1
    assert table["epochs"][0] == f"{0 if state in ('queued', 'extracting') else 3} of 4"
    assert bool(table["test_right"][0]) == (state == "completed")


def test_a_stop_is_asked_once(make: Callable[..., Run]) -> None:
    run = make("training")
    at = open_page(PAGES[0], run=run.id)
    sound(at.button(key=f"stop-{run.id}").click().run())
    assert run.stop_requested
    assert at.button(key=f"stop-{run.id}").disabled


def test_a_run_is_renamed(make: Callable[..., Run]) -> None:
    run = make("completed")
    at = open_page(PAGES[0], run=run.id)
    at.text_input(key=f"name-{run.id}").set_value("  *First*   try  ")
    sound(next(button for button in at.button if button.label == "Save").click().run())
    assert run.name == "*First* try"
    assert "*First* try" in texts(at)


def test_a_name_of_nothing_is_refused(make: Callable[..., Run]) -> None:
    run = make("completed")
    at = open_page(PAGES[0], run=run.id)
    at.text_input(key=f"name-{run.id}").set_value("   ")
    sound(next(button for button in at.button if button.label == "Save").click().run())
    assert "1 to 80 printable characters" in texts(at)
    assert run.name == run.id


def test_a_deletion_is_asked_twice(make: Callable[..., Run], runs: Path) -> None:
    kept, doomed = make("completed"), make("completed")
    at = open_page(PAGES[0], run=doomed.id)
    assert at.button(key=f"delete-{doomed.id}").disabled
    at.checkbox(key=f"sure-{doomed.id}").check().run()
    assert doomed.id in at.checkbox(key=f"sure-{doomed.id}").label.replace("\\", "")
    sound(at.button(key=f"delete-{doomed.id}").click().run())
    assert [run.id for run in list_runs(runs)] == [kept.id]
    assert at.selectbox(key="run").value == kept.id


DAMAGE: dict[str, tuple[str, str]] = {
    "no description": ("run.json", ""),
    "half a description": ("run.json", '{"config": {"backbone": "small-'),
    "a list": ("run.json", "[1, 2]"),
    "no configuration": ("run.json", '{"config": 7, "classes": [], "implied": {}, "data": ""}'),
    "unknown hyperparameter": ("run.json", '{"config": {"colour": 1}, "classes": ["A"], "implied": {}, "data": "x"}'),
    "status": ("status.json", "{"),
    "status of another kind": ("status.json", '{"state": "training", "pid": "x", "host": 3}'),
    "unknown state": ("status.json", '{"state": "dancing"}'),
    "history": ("history.jsonl", "{]\n"),
    "history of another kind": ("history.jsonl", '{"epoch": "x"}\n[]\n'),
    "metrics": ("metrics_test.json", '{"n": 3}'),
    "metrics of other types": ("metrics_test.json", '{"n": "3", "confusion": 4, "classes": "ABC"}'),
    "predictions": ("predictions_test.csv", "file,label\na,b\n"),
    "not a table": ("predictions_test.csv", "\x00\x01"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_run_hides_no_other(make: Callable[..., Run], page: str, damage: str) -> None:
    good, bad = make("completed"), make("completed")
    name, content = DAMAGE[damage]
    (bad.path / name).write_text(content, encoding="utf-8")
    sound(open_page(page, run=bad.id))
    at = sound(open_page(page, run=good.id))
    assert at.selectbox(key="run").value == good.id
    if page == PAGES[0]:
        assert len(at.dataframe[0].value) == 2
        assert at.button(key=f"delete-{good.id}")
    else:
        assert not at.error


def test_a_damaged_run_says_so_and_can_be_deleted(make: Callable[..., Run], runs: Path) -> None:
    bad = make("completed")
    (bad.path / "run.json").write_text("{", encoding="utf-8")
    at = sound(open_page(PAGES[0]))
    assert "missing or damaged" in texts(at)
    at.checkbox(key=f"sure-{bad.id}").check().run()
    sound(at.button(key=f"delete-{bad.id}").click().run())
    assert list_runs(runs) == []


def test_two_hundred_runs_are_a_table_in_a_moment(make: Callable[..., Run], runs: Path) -> None:
    run = make("completed", epochs=20, epochs_done=20)
    for k in range(199):
        shutil.copytree(run.path, runs / f"{run.id}{k:03d}")
    started = time.perf_counter()
    table = run_table(list_runs(runs))
    assert len(table) == 200
    assert not table["problem"].any()
    assert time.perf_counter() - started < 2, "0.3 s on an idle machine"


@pytest.mark.parametrize("labels", ["single", "covid-implies-pneumonia"])
def test_evaluate_shows_figures_with_their_denominators(make: Callable[..., Run], labels: str) -> None:
    run = make("completed", labels=labels)
    report = run.metrics("test")
    assert report
    at = sound(open_page(PAGES[1], run=run.id))
    assert not at.error
    shown = texts(at)
    right = sum(report["confusion"][k][k] for k in range(3))
    assert f"{right} of {report['n']} images" in shown
    assert {metric.label: metric.value for metric in at.metric}["Accuracy"] == f"{report['accuracy']:.3f}"
    assert "test split was not used to choose anything" in shown
    assert all(warning in shown for warning in run.warnings)
    assert "highest macro F1" in shown
    assert ("Thresholds" in shown) == (labels != "single")
    # Matrix, distribution, three one-vs-rest, bars, ROC, precision-recall, three training curves.
    assert len(at.get("plotly_chart")) == 11
    table = at.dataframe[0].value.set_index("Class")
    for name in CLASSES:
        assert table.loc[name, "F1"] == pytest.approx(report["per_class"][name]["f1"])
        assert table.loc[name, "Support"] == report["per_class"][name]["support"]


def test_evaluate_shows_the_validation_split_and_its_caution(make: Callable[..., Run]) -> None:
    run = make("completed")
    at = open_page(PAGES[1], run=run.id)
    sound(at.segmented_control(key="split").set_value("val").run())
    report = run.metrics("val")
    assert report
    assert {metric.label: metric.value for metric in at.metric}["Accuracy"] == f"{report['accuracy']:.3f}"
    assert "chose the best epoch" in texts(at)


@pytest.mark.parametrize("name", ["metrics_test.json", "predictions_test.csv", "history.jsonl"])
def test_evaluate_without_one_of_its_files(make: Callable[..., Run], name: str) -> None:
    run = make("completed")
    (run.path / name).unlink()
    at = sound(open_page(PAGES[1], run=run.id))
    assert bool(at.error) == (name != "history.jsonl")
    if name == "predictions_test.csv":
        # The rest of the page stands.
        assert len(at.get("plotly_chart")) == 9
    elif name == "history.jsonl":
        assert "epoch of these weights is not known" in texts(at)


def test_a_class_without_an_image_leaves_its_ranking_empty(make: Callable[..., Run]) -> None:
    run = make("completed")
    path = run.path / "metrics_test.json"
    report = json.loads(path.read_text())
    report["per_class"]["NORMAL"] |= {"roc_auc": None, "average_precision": None}
    path.write_text(json.dumps(report))
    at = sound(open_page(PAGES[1], run=run.id))
    assert pd.isna(at.dataframe[0].value.set_index("Class").loc["NORMAL", "ROC AUC"])


def png(side: int = 48) -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((side, side)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def predict(completed_run: Run, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The Predict page, opened on a run that was really trained."""
    monkeypatch.setenv("CXR_RUNS", str(completed_run.path.parent))
    return sound(open_page(PAGES[2], timeout=60, run=completed_run.id))


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    at.file_uploader[0].set_value([(name, content, "application/octet-stream") for name, content in files])
    return sound(at.run())


def cards(at: AppTest) -> list[str]:
    return [metric.value.replace("\\", "") for metric in at.metric if metric.label == "Decision"]


def test_predict_says_what_the_run_is_worth(predict: AppTest, completed_run: Run) -> None:
    report = completed_run.metrics("test")
    assert report
    right = sum(report["confusion"][k][k] for k in range(3))
    shown = texts(predict)
    assert f"decided {right} of {report['n']} images rightly" in shown
    assert all(warning in shown for warning in completed_run.warnings)
    assert not cards(predict)


def test_one_upload_is_predicted_as_everywhere_else(predict: AppTest, completed_run: Run) -> None:
    from cxr_core.inference.predictor import Predictor

    at = upload(predict, ("x.dcm", png()))
    expected = next(Predictor.load(completed_run).predict([("x", png())]))
    assert cards(at) == [expected.label]
    assert expected.rule in texts(at)
    assert len(at.get("plotly_chart")) == 1
    assert not at.error
    assert not at.dataframe


def test_one_bad_file_among_twenty(predict: AppTest) -> None:
    files = [(f"{k}.png", png(40 + k)) for k in range(20)]
    files[7] = ("not an image.png", b"%PDF-1.4 no picture")
    at = upload(predict, *files)
    table = at.dataframe[0].value
    assert len(table) == 20
    assert list(table.index[table["error"] != ""]) == [7]
    assert (table["decision"] != "").sum() == 19
    assert "19 of 20 files" in texts(at)
    probabilities = table.drop(index=7)[[f"p_{name}" for name in CLASSES]]
    assert probabilities.notna().all().all()
    assert ["not an image.png" in error.value.replace("\\", "") for error in at.error] == [True]
    assert len(cards(at)) == 6
    at = sound(at.pagination[0].set_value(4).run())
    assert len(cards(at)) == 1


HOSTILE: dict[str, tuple[str, bytes]] = {
    "empty": ("empty.png", b""),
    "half a picture": ("half.png", png()[:200]),
    "a zip that climbs": ("../../etc/x.zip", b"PK\x03\x04" + b"../../evil" * 20),
    "a pickle": ("model.pkl", b"\x80\x04\x95cos\nsystem\n"),
    "a page": ("<script>alert(1)</script>.svg", b"<svg onload='alert(1)'/>"),
    "half a DICOM": ("IM0001", b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0"),
    "a huge picture": ("huge.png", png()[:16] + b"\x00\xff\xff\xff\x00\xff\xff\xff" + png()[24:]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_upload_gets_a_message(predict: AppTest, isolated: Path, kind: str) -> None:
    before = sorted(isolated.rglob("*"))
    at = upload(predict, ("good.png", png()), HOSTILE[kind])
    assert len(cards(at)) == 1
    assert len(at.error) == 1
    assert "Traceback" not in at.error[0].value
    assert "<script>" not in at.error[0].value
    assert sorted(isolated.rglob("*")) == before


def test_a_name_is_text_and_never_a_path(predict: AppTest, tmp_path: Path) -> None:
    target = tmp_path / "written.png"
    at = upload(predict, (str(target), png()), ("..\\..\\up.png", png(50)), ("a\u202eb\n.png", png(60)))
    assert not target.exists()
    assert list(at.dataframe[0].value["file"]) == ["written.png", "up.png", "a�b�.png"]
    assert len(cards(at)) == 3


def test_the_same_upload_twice_is_two_rows(predict: AppTest) -> None:
    at = upload(predict, ("a.png", png()), ("a.png", png()))
    table = at.dataframe[0].value
    assert len(table) == 2
    assert table.drop_duplicates().shape[0] == 1


def test_predict_without_the_weights(completed_run: Run, runs: Path) -> None:
    copy = Run(Path(shutil.copytree(completed_run.path, runs / completed_run.id)))
    copy.weights_file.unlink()
    at = upload(open_page(PAGES[2], timeout=60, run=copy.id), ("a.png", png()))
    assert len(at.error) == 1
    assert not cards(at)


def test_a_cleared_or_unknown_choice_is_the_first_run(make: Callable[..., Run]) -> None:
    run = make("completed")
    at = sound(open_page(PAGES[1], run="no-such-run"))
    assert at.selectbox(key="run").value == run.id
    sound(at.selectbox(key="run").set_value(None).run())
    assert at.selectbox(key="run").value == run.id
