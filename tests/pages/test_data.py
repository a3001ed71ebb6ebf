"""Home, Dataset and Train in every state: no data set, unreadable files, no run, and a run in each of its states."""

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cxr_core import demo
from cxr_core.config import PRESETS, TrainConfig
from cxr_core.errors import DatasetError
from cxr_core.runs import jobs
from cxr_core.runs.run import ACTIVE, RESUMABLE, Run, list_runs
from cxr_core.settings import recent_datasets, remember_dataset
from cxr_core.ui.cached import forget_scans
from cxr_core.ui.frame import NOTICE, STATES
from tests.pages.support import open_page, sound, texts, tiny_run
from tests.pages.support import tiny_dataset as draw_squares

HOME, DATASET, TRAIN = "dashboard.py", "pages/1_Dataset.py", "pages/3_Train.py"
PAGES = (HOME, DATASET, TRAIN)


@pytest.fixture(autouse=True)
def _fresh_scans() -> None:
    """Scans are held for a minute by path; a test may use a path again."""
    forget_scans()


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """A data set of class folders, without splits, patients and sources."""
    return draw_squares(tmp_path / "squares")


@pytest.fixture
def make(isolated: Path, squares: Path) -> Callable[..., Run]:
    """``make("completed")``: a run in that state."""
    return lambda state, **given: tiny_run(isolated / "runs", squares, state, **given)


def opened(page: str, **query: str) -> AppTest:
    return sound(open_page(page, 30, False, **query))


def links(at: AppTest) -> set[str]:
    return {link.proto.label for link in at.get("page_link")}


def buttons(at: AppTest) -> dict[str, object]:
    return {button.label: button for button in at.button}


def fields(at: AppTest) -> dict[str, Any]:
    """The form's widgets by the hyperparameter that each holds."""
    widgets = (*at.selectbox, *at.number_input, *at.text_input, *at.checkbox)
    return {w.key.removeprefix("config-"): w for w in widgets if w.key and w.key.startswith("config-")}


def press(at: AppTest, label: str) -> AppTest:
    return sound(next(button for button in at.button if button.label == label).click().run())


def ended(run: Run, seconds: float = 90) -> str:
    """The run's state once it is no longer active."""
    until = time.monotonic() + seconds
    while run.is_active and time.monotonic() < until:
        time.sleep(0.2)
    return run.state


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_it_is_not_for(page: str) -> None:
    at = opened(page)
    assert NOTICE in texts(at)
    assert not at.error


# Home


def test_home_without_anything_offers_both_ways_to_begin() -> None:
    at = opened(HOME)
    assert "Quick start" in buttons(at)
    assert "drawings" in texts(at)
    assert "Open a data set" in links(at)


def test_home_lists_data_sets_with_their_counts(squares: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    remember_dataset(empty)
    remember_dataset(squares)
    at = opened(HOME)
    assert "24 images: COVID19 8, NORMAL 8, PNEUMONIA 8" in texts(at)
    # One that cannot be read says why and does not hide the other.
    assert str(empty) in texts(at)
    assert "Train on it" in links(at)


@pytest.mark.parametrize("state", STATES)
def test_home_shows_a_run_in_every_state(make: Callable[..., Run], state: str) -> None:
    run = make(state)
    at = opened(HOME)
    shown = texts(at)
    assert run.id in shown
    assert STATES[state][0] in shown
    assert ("test images right" in shown) == (state == "completed")
    assert ({"Evaluate", "Predict"} <= links(at)) == (state == "completed")
    assert "Quick start" in buttons(at)


def test_quick_start_trains_and_shows_the_curves_on_home(isolated: Path) -> None:
    # Drawn before, and small: the click finds it there.
    demo.draw(isolated / "data" / "demo-600-0", images=36, seed=0)
    at = press(opened(HOME), "Quick start")
    run = list_runs(isolated / "runs")[0]
    assert run.config == TrainConfig.create(**PRESETS["Quick look (small CNN, from scratch)"], monitor="macro_f1")
    assert "Stop" in buttons(at)
    assert ended(run) == "completed", run.log
    at = sound(at.run())
    assert len(at.get("vega_lite_chart")) == 4
    assert {"Evaluate", "Predict"} <= links(at)


@pytest.mark.parametrize("page", [HOME, DATASET])
def test_the_demo_with_several_findings_is_one_click(page: str, isolated: Path) -> None:
    root = demo.draw_findings(isolated / "data" / "demo-findings-600-0", images=36, seed=0)
    at = press(opened(page), "Demo with several findings")
    assert "6 findings" in texts(at)
    assert recent_datasets() == [root]
    assert "Train on it" in links(at)
    assert not list_runs(isolated / "runs")


@pytest.mark.parametrize("page", [HOME, DATASET])
def test_a_demo_that_cannot_be_drawn_says_why(page: str, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> None:
    def full(*given: object) -> Path:
        raise DatasetError("No room for it.")

    monkeypatch.setattr(demo, "draw_findings", full)
    at = press(opened(page), "Demo with several findings")
    assert [error.value for error in at.error] == ["No room for it."]
    assert not recent_datasets()


# Dataset


@pytest.mark.parametrize("page", [DATASET, TRAIN])
def test_without_a_data_set_says_what_one_is(page: str) -> None:
    at = opened(page)
    assert "one subfolder per class" in texts(at)
    assert not at.get("plotly_chart")


@pytest.mark.parametrize("page", [DATASET, TRAIN])
def test_a_folder_that_is_none(page: str, tmp_path: Path) -> None:
    at = opened(page, data=str(tmp_path / "nothing"))
    assert len(at.error) == 1
    assert "no such folder" in at.error[0].value


def test_dataset_from_the_url(squares: Path) -> None:
    at = opened(DATASET, data=str(squares))
    shown = texts(at)
    assert "24 images, 3 classes" in shown
    assert "The source of the images is not known" in shown
    assert "no validation and no test split" in shown
    assert "all 24 files could be read" in shown
    assert len(at.get("plotly_chart")) == 4
    assert recent_datasets() == [squares]
    # Without the link, the page opens with the one that was opened last.
    assert "24 images, 3 classes" in texts(opened(DATASET))


def test_unreadable_files_are_named_with_reasons(squares: Path) -> None:
    (squares / "NORMAL" / "broken.png").write_bytes(b"not an image")
    at = opened(DATASET, data=str(squares))
    assert "1 of 25 files cannot be read" in texts(at)
    table = at.dataframe[-1].value
    assert table["file"].tolist() == ["NORMAL/broken.png"]
    assert "cannot be read as an image" in table["reason"][0]
    assert at.get("download_button")


def test_samples_page_by_page_and_by_class(squares: Path) -> None:
    at = press(opened(DATASET, data=str(squares)), "Next")
    assert "19 to 24 of 24 images" in texts(at)
    at = sound(at.selectbox(key="grid-class").set_value("NORMAL").run())
    # The second page is gone with the filter: the first one is shown.
    assert "1 to 8 of 8 images" in texts(at)
    assert not [button for button in at.button if button.label.startswith("covid19")]


def test_a_sample_opens_in_full_size(squares: Path) -> None:
    at = press(opened(DATASET, data=str(squares)), "covid19\\_0.png")
    assert "40 x 40" in texts(at)


def test_a_file_that_vanished_does_not_break_the_grid(squares: Path) -> None:
    at = opened(DATASET, data=str(squares))
    (squares / "COVID19" / "covid19_0.png").unlink()
    at = sound(at.run())
    assert "covid19_0.png: the file cannot be read" in texts(at)
    assert "covid19\\_1.png" in buttons(at)


def test_names_of_files_and_classes_are_text_only(squares: Path) -> None:
    (squares / "NORMAL").rename(squares / "a *b* :red[c] $x$")
    assert "a *b* :red[c] $x$" in texts(opened(DATASET, data=str(squares)))


def zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for file in folder.rglob("*.png"):
            archive.write(file, file.relative_to(folder.parent))
    return out.getvalue()


@pytest.mark.parametrize("page", [DATASET, TRAIN])
def test_an_uploaded_zip_is_opened(page: str, squares: Path) -> None:
    at = opened(page)
    sound(at.file_uploader(key="data-zip").set_value(("mine.zip", zipped(squares), "application/zip")).run())
    assert "24 images" in texts(at)
    assert "uploads" in str(recent_datasets()[0])


def test_a_zip_that_is_none_gets_its_message() -> None:
    at = opened(DATASET)
    assert "unpack it there and type the folder's path" in texts(at)
    sound(at.file_uploader(key="data-zip").set_value(("mine.zip", b"PK no", "application/zip")).run())
    assert "expected a whole, plain zip archive" in texts(at)


def test_browsing_goes_into_a_folder_and_up(squares: Path) -> None:
    at = press(opened(DATASET, data=str(squares.parent)), "squares")
    assert "24 images, 3 classes" in texts(at)
    at = press(at, "One up")
    assert at.selectbox(key="data").value == str(squares.parent)


# Train


# What only labels have of which an image has any number; ``test_findings`` looks at their form.
OF_FINDINGS = {"uncertain", "blank", "soft", "uncertain_of", "blank_of", "threshold_by", "sensitivity"}


def test_the_form_holds_every_hyperparameter_with_its_default_and_help() -> None:
    at = opened(TRAIN)
    widgets = fields(at)
    recommended = TrainConfig.create(**PRESETS["Recommended"])
    assert set(widgets) == set(TrainConfig.model_fields) - OF_FINDINGS
    for name, field in TrainConfig.model_fields.items():
        if name in OF_FINDINGS:
            continue
        widget = widgets[name]
        assert field.description in widget.help
        value = getattr(recommended, name)
        assert widget.value == ((",".join(map(str, value)) or "none") if isinstance(value, tuple) else value), name
    assert [e.label for e in at.expander if e.proto.expanded] == ["Model", "Optimisation"]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_the_form(preset: str, squares: Path) -> None:
    at = sound(opened(TRAIN, data=str(squares)).selectbox(key="preset").set_value(preset).run())
    for name, value in TrainConfig.create(**PRESETS[preset]).model_dump(exclude=OF_FINDINGS).items():
        held = fields(at)[name].value
        assert held == (",".join(map(str, value)) or "none" if isinstance(value, tuple) else value), name
    assert "Changed" not in texts(at)


def test_another_backbone_brings_its_defaults_to_untouched_fields(squares: Path) -> None:
    at = sound(opened(TRAIN, data=str(squares)).number_input(key="config-lr").set_value(0.01).run())
    at = sound(at.selectbox(key="config-backbone").set_value("small-cnn").run())
    assert at.selectbox(key="config-weights").value == "none"
    # Its whole network is trained: features of stages are for a head alone.
    assert (at.selectbox(key="config-trainable").value, at.selectbox(key="config-features").value) == ("all", "last")
    assert at.number_input(key="config-lr").value == 0.01
    assert not at.error
    at = sound(at.selectbox(key="config-backbone").set_value("resnet18").run())
    assert at.selectbox(key="config-weights").value == "imagenet"
    assert "Learning rate 0.01 (preset 0.001)" in texts(at)
    at = press(at, "Back to the preset")
    assert at.number_input(key="config-lr").value == 0.001


def test_a_value_out_of_bounds_is_explained_and_cannot_be_started(squares: Path) -> None:
    at = opened(TRAIN, data=str(squares))
    assert not at.button(key="start").disabled
    at = sound(at.text_input(key="config-hidden").set_value("0,128").run())
    assert "hidden: expected up to 6 layer sizes" in at.error[0].value.replace("\\", "")
    assert at.button(key="start").disabled


def test_weights_that_are_not_there_are_said_before_the_start(
    isolated: Path, squares: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # AppTest cannot type into a selectbox.
    typed = TrainConfig.create(backbone="resnet18", weights=str(isolated / "nowhere.pth"))
    monkeypatch.setattr("cxr_core.ui.config_form", lambda _: typed)
    at = opened(TRAIN, data=str(squares))
    assert "there is no file" in at.error[0].value.replace("\\", "")
    assert at.button(key="start").disabled
    (isolated / "nowhere.pth").touch()
    at.run()
    assert "it is empty" in at.error[0].value.replace("\\", "")
    (isolated / "nowhere.pth").write_bytes(b"x")
    assert not at.run().error
    assert not at.button(key="start").disabled


def test_a_class_of_one_image_is_said_before_the_start(squares: Path) -> None:
    for file in sorted((squares / "COVID19").iterdir())[1:]:
        file.unlink()
    assert "There is a single image of COVID19" in texts(opened(TRAIN, data=str(squares)))


def test_what_only_the_data_set_can_contradict_is_said_at_the_start(isolated: Path, squares: Path) -> None:
    (squares / "COVID19").rename(squares / "OTHER")
    at = opened(TRAIN, data=str(squares))
    at.selectbox(key="config-labels").set_value("covid-implies-pneumonia").run()
    at = press(at, "Start training")
    assert "needs the class COVID19" in at.error[0].value
    assert not list_runs(isolated / "runs")


def test_nothing_starts_without_a_data_set() -> None:
    assert opened(TRAIN).button(key="start").disabled


def test_the_time_is_estimated_before_the_start(squares: Path) -> None:
    assert "About" in texts(opened(TRAIN, data=str(squares)))


def test_start_watch_stop_resume(isolated: Path, squares: Path) -> None:
    at = opened(TRAIN, data=str(squares))
    at.selectbox(key="config-backbone").set_value("small-cnn").run()
    at.number_input(key="config-epochs").set_value(5000).run()
    at = press(at, "Start training")
    run = list_runs(isolated / "runs")[0]
    assert at.selectbox(key="run").value == run.id
    assert run.config.epochs == 5000
    at = press(at, "Stop")
    assert "Stopping" in buttons(at) or run.state == "stopped"
    assert ended(run) == "stopped", run.log
    at = press(sound(at.run()), "Resume")
    assert run.is_active
    jobs.stop(run)
    assert ended(run) == "stopped", run.log


@pytest.mark.parametrize("state", STATES)
def test_live_view_in_every_state(make: Callable[..., Run], state: str) -> None:
    run = make(state)
    (run.path / "log.txt").write_text("a line of the log\n", encoding="utf-8")
    at = opened(TRAIN, run=run.id)
    shown = texts(at)
    assert at.selectbox(key="run").value == run.id
    assert ("Stop" in buttons(at)) == (state in ACTIVE)
    assert ("Resume" in buttons(at)) == (state in RESUMABLE)
    assert ("Evaluate" in links(at)) == (state == "completed")
    assert bool(at.get("vega_lite_chart")) == bool(run.history)
    assert bool(run.history) == ("Before you read these numbers" in shown)
    assert at.code[0].value == "a line of the log"
    expected = {
        "queued": "Its worker is starting",
        "failed": "The loss is no longer a number.",
        "lost": "Its process is gone",
        "stopped": "Resume goes on from there",
    }
    assert expected.get(state, "") in shown


def test_live_view_says_where_it_is(make: Callable[..., Run]) -> None:
    run = make("training")
    (run.path / "progress.json").write_text(
        '{"stage": "training", "done": 450, "total": 1200, "per_second": 31.6, "seconds_left": 200, "epoch": 3,'
        ' "epochs": 8}',
        encoding="utf-8",
    )
    bar = opened(TRAIN).get("progress")[0].proto
    assert bar.value == 37
    assert bar.text.replace("\\", "") == "Training · epoch 3 of 8 · 32 images a second · about 3 min left in this stage"


def test_active_runs_come_first_and_a_queued_one_says_whom_it_waits_for(make: Callable[..., Run]) -> None:
    training, queued, completed = make("training"), make("queued"), make("completed")
    at = opened(TRAIN)
    assert at.selectbox(key="run").options[-1] == completed.id
    at = opened(TRAIN, run=queued.id)
    assert "Waits for 1 before it" in texts(at)
    assert training.id in texts(at)


@pytest.mark.parametrize("page", [HOME, TRAIN])
def test_a_damaged_history_is_one_message(make: Callable[..., Run], page: str) -> None:
    run = make("stopped")
    (run.path / "history.jsonl").write_text("{broken\n", encoding="utf-8")
    at = opened(page)
    assert all("history.jsonl" in error.value.replace("\\", "") for error in at.error)
    assert at.error


def test_a_link_to_a_run_that_is_gone_opens_no_other(make: Callable[..., Run]) -> None:
    run = make("completed")
    at = opened(TRAIN, run="20200101-000000-vgg16-ffff")
    assert at.selectbox(key="run").value is None
    assert run.id not in texts(at)
