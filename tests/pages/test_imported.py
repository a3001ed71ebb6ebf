"""Every page copes with a run that has no data set: a published network that was imported."""

import shutil
from pathlib import Path

import pytest

from cxr_core.inference import Predictor
from cxr_core.reports.answered import answered
from cxr_core.reports.card import model_card
from cxr_core.reports.image import image_report
from cxr_core.reports.markdown import render
from cxr_core.runs import Run
from cxr_core.runs.pinned import pin
from cxr_core.settings import runs_dir
from tests.pages.support import open_page, texts


@pytest.fixture
def run(imported_run: Run, isolated: Path) -> Run:
    shutil.copytree(imported_run.path, runs_dir() / imported_run.id)
    run = Run(runs_dir() / imported_run.id)
    pin(run)
    return run


PAGES = {
    "dashboard.py": "no score yet",
    "pages/2_Train.py": "TorchXRayVision",
    "pages/3_Runs.py": "is pinned",
    "pages/4_Evaluate.py": "No figures yet.** Evaluate it on a data set below",
    "pages/5_Predict.py": "nothing of it was measured here",
    "pages/6_Audit.py": "",
}


def test_every_page_says_what_it_has_and_what_it_has_not(run: Run) -> None:
    for page, said in PAGES.items():
        at = open_page(page, run=run.id)
        assert not at.exception, page
        assert not at.error, (page, [error.value for error in at.error])
        assert said in texts(at), page
    evaluate = open_page("pages/4_Evaluate.py", run=run.id)
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
    for said in ("CheXpert", "ab" * 32, "no checksum of that file is known here", "Apache-2.0", "Cohen"):
        assert said in card
    assert "None is here" in card
