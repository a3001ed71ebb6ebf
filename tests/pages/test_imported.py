"""Every page copes with a run that has no data set: a published network that was imported."""

import shutil
from pathlib import Path

import pytest

from cxr_core.inference import Predictor
from cxr_core.published import PUBLISHED
from cxr_core.reports.answered import answered
from cxr_core.reports.card import model_card
from cxr_core.reports.image import image_report
from cxr_core.reports.markdown import render
from cxr_core.runs import Run, list_runs
from cxr_core.runs.pinned import pin
from cxr_core.settings import runs_dir
from tests.model.published_support import save_densenet
from tests.pages.support import open_page, texts


@pytest.fixture
def run(imported_run: Run, isolated: Path) -> Run:
    shutil.copytree(imported_run.path, runs_dir() / imported_run.id)
    run = Run(runs_dir() / imported_run.id)
    pin(run)
    return run


PAGES = {
    "dashboard.py": "no score yet",
    "pages/3_Train.py": "TorchXRayVision",
    "pages/4_Runs.py": "is pinned",
    "pages/5_Evaluate.py": "No figures yet.** Evaluate it on a data set below",
    "pages/6_Predict.py": "nothing of it was measured here",
    "pages/2_Audit.py": "",
}


def test_every_page_says_what_it_has_and_what_it_has_not(run: Run) -> None:
    for page, said in PAGES.items():
        at = open_page(page, run=run.id)
        assert not at.exception, page
        assert not at.error, (page, [error.value for error in at.error])
        assert said in texts(at), page
    evaluate = open_page("pages/5_Evaluate.py", run=run.id)
    assert any(button.label == "Evaluate on it" for button in evaluate.button)
    assert "CheXpert" in texts(evaluate)
    assert "not probabilities of disease" in texts(evaluate)


def test_a_report_of_an_answer_and_the_card(run: Run, tiny_dataset: Path) -> None:
    file = sorted(tiny_dataset.rglob("*.png"))[0]
    predictor = Predictor.load(run)
    prediction = next(predictor.predict([(file.name, file)]))
    assert "0.5 is the published operating point" in prediction.rule
    shown = answered(predictor, prediction, file.read_bytes(), forced=True, heat=("Edema", 0.4))
    report = render(image_report(run, shown))
    assert "published with the network" in report
    assert "Calibrated with temperature" not in report
    assert "Nearest training images" not in report
    card = render(model_card(run))
    for said in ("CheXpert", "ab" * 32, "not known to be that of the published file", "Apache-2.0", "Cohen"):
        assert said in card
    assert "None is here" in card


def test_train_says_what_the_network_has_seen_and_waits_for_consent(
    tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    at = open_page("pages/3_Train.py", data=str(tiny_dataset))
    assert not at.button(key="start").disabled
    at.selectbox(key="config-backbone").set_value("xrv_densenet121").run()
    assert not at.exception
    assert at.selectbox(key="config-weights").value == "densenet121-res224-all"
    said = texts(at)
    assert "the network may have seen them" in said
    assert "runs none of that code" in said
    assert at.button(key="start").disabled
    assert not at.checkbox(key="trust-train-densenet121-res224-all").value
    at.selectbox(key="config-weights").set_value("densenet121-res224-nih").run()
    assert "Get the file" in texts(at)
    at.selectbox(key="config-weights").set_value("none").run()
    assert "may have seen" not in texts(at)
    assert not at.button(key="start").disabled


def test_a_file_is_imported_on_the_page_after_a_tick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    network = PUBLISHED["densenet121-res224-rsna"]
    save_densenet(tmp_path / network.file)
    at = open_page("pages/4_Runs.py", timeout=90)
    at.selectbox(key="import-name").set_value(network.name).run()
    at.text_input(key="import-file").set_value(str(tmp_path / network.file)).run()
    assert at.button(key="import").disabled
    at.checkbox(key=f"trust-import-{network.name}").check().run()
    at.button(key="import").click().run()
    assert not at.exception
    (made,) = list_runs(runs_dir())
    assert made.imported is not None
    assert made.imported.sets == ["RSNA Pneumonia 2018"]
    assert "no code of the file is run" in made.imported.protection
