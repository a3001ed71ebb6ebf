"""The report on one image, from a real run and real files: what is on it, what is withheld, what never is."""

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxr_core.images.reading import content_digest, decode
from cxr_core.inference.predictor import Prediction, Predictor
from cxr_core.reports import html, pdf
from cxr_core.reports.answered import answered
from cxr_core.reports.document import Document, Pictures
from cxr_core.reports.image import FORCED, HEAT_SENTENCE, image_report
from cxr_core.runs.decision import save_operating_point
from cxr_core.runs.run import Run
from tests.images.files import radiograph
from tests.runs_support import copy_of

REASON = "It is a picture in colour; a chest X-ray is grey."
SECRETS: dict[str, Any] = {
    "PatientName": "Zebedee^Quuxington",
    "PatientID": "PID-90210",
    "PatientBirthDate": "19470811",
    "InstitutionName": "St Swithin",
    "ReferringPhysicianName": "Fooberg^Barbazian",
    "StudyDate": "20190807",
    "AccessionNumber": "ACC-77123",
    "StudyInstanceUID": "1.2.840.99999.7.1",
    "SeriesInstanceUID": "1.2.840.99999.7.2",
    "StationName": "ROOM-XQ9",
    "StudyDescription": "quuxington thorax study",
    "BodyPartExamined": "ZEBEDEE",
    "Modality": "CR",
}


@pytest.fixture(scope="module")
def predictor(completed_run: Run) -> Predictor:
    return Predictor.load(completed_run)


@pytest.fixture(scope="module")
def phantom(tiny_dataset: Path) -> bytes:
    return sorted(tiny_dataset.glob("test/*/*.png"))[0].read_bytes()


def predicted(predictor: Predictor, content: bytes, withheld: str | None = None, name: str = "a.png") -> Prediction:
    return replace(next(predictor.predict([(name, content)])), withheld=withheld)


def reported(
    predictor: Predictor, prediction: Prediction, content: bytes, forced: bool = False, heat: str | None = None
) -> Document:
    given = answered(predictor, prediction, content, forced, (heat, 0.45) if heat else None)
    return image_report(predictor.trained.run, given)


def seen(document: Document) -> str:
    """What the HTML report shows, without tags and pictures."""
    shown = re.sub(r"<(style|title).*?</\1>|<[^>]*>", " ", html.render(document), flags=re.DOTALL)
    return " ".join(shown.replace("&#x27;", "'").split())


def test_an_answer_with_all_that_belongs_to_it(predictor: Predictor, phantom: bytes) -> None:
    prediction, run = predicted(predictor, phantom), predictor.trained.run
    shown = seen(reported(predictor, prediction, phantom))
    assert prediction.probabilities
    assert f"Decision: {prediction.label}" in shown
    p = prediction.probabilities
    leaves = {"COVID19": p["COVID19"], "NORMAL": 1 - p["PNEUMONIA"], "PNEUMONIA of any kind": p["PNEUMONIA"]}
    leaves["PNEUMONIA without COVID19"] = p["PNEUMONIA"] - p["COVID19"]
    for name, value in leaves.items():
        assert f"{name} {value:.3f} –" in shown
    assert prediction.rule in shown
    nearest, shares = predictor.similar("a", phantom)
    for neighbour in nearest:
        assert f"{neighbour.label} · distance {neighbour.distance:.3g}" in shown
        assert neighbour.file not in shown
        assert not neighbour.patient or neighbour.patient not in shown
    assert all(f"{name} {count} of {sum(shares.values())}" in shown for name, count in shares.items())
    assert all(warning in shown for warning in run.warnings)
    assert f"torch {run.info.versions['torch']}" in shown
    assert "Research use only" in shown
    assert "95 % bootstrap intervals" in shown
    assert content_digest(phantom) in shown
    assert HEAT_SENTENCE not in shown


def test_an_answer_of_flat_labels_stands_beside_their_thresholds(flat_run: Run, phantom: bytes) -> None:
    predictor = Predictor.load(flat_run)
    prediction = predicted(predictor, phantom)
    shown = seen(reported(predictor, prediction, phantom))
    for name, value in (prediction.probabilities or {}).items():
        limit = "–" if name == "NORMAL" else f"{predictor.thresholds[name]:.3f}"
        assert f"{name} {value:.3f} {limit}" in shown


def test_where_an_operating_point_decides_a_sentence_says_why(
    completed_run: Run, phantom: bytes, tmp_path: Path
) -> None:
    run = copy_of(completed_run, tmp_path)
    plain = predicted(Predictor.load(run), phantom)
    p = plain.probabilities or {}
    limit = round(p["PNEUMONIA"] - 0.001, 3) if plain.label == "NORMAL" else round(p["PNEUMONIA"] + 0.001, 3)
    save_operating_point(run, {"PNEUMONIA": limit})
    predictor = Predictor.load(run)
    prediction = predicted(predictor, phantom)
    assert (prediction.label == "NORMAL") == (plain.label != "NORMAL")
    assert "is more probable" in prediction.reason
    shown = seen(reported(predictor, prediction, phantom))
    assert prediction.reason in shown
    assert f"PNEUMONIA of any kind {p['PNEUMONIA']:.3f} {limit:.3f}" in shown
    assert "chosen by a person" in shown


def test_a_heat_map_if_asked_for(predictor: Predictor, phantom: bytes) -> None:
    document = reported(predictor, predicted(predictor, phantom), phantom, heat="COVID19")
    assert HEAT_SENTENCE in seen(document)
    pictures = document.blocks[0]
    assert isinstance(pictures, Pictures)
    # How much of it lies in the lungs, or that they were not found.
    assert "the lungs" in pictures.pictures[1].caption.lower()
    plain, heated = (Image.open(BytesIO(picture.jpeg or b"")) for picture in pictures.pictures)
    assert (plain.mode, heated.mode) == ("L", "RGB")
    assert plain.size == heated.size
    assert np.abs(np.asarray(plain, float) - np.asarray(decode(phantom, "a"), float)).mean() < 4


def test_a_withheld_answer_is_nowhere_unless_forced(predictor: Predictor, phantom: bytes) -> None:
    prediction = predicted(predictor, phantom, REASON)
    shown = seen(reported(predictor, prediction, phantom, heat="COVID19"))
    assert REASON in shown
    assert "Decision:" not in shown
    assert "Nearest training images" not in shown
    assert HEAT_SENTENCE not in shown
    assert prediction.probabilities
    assert not [value for value in prediction.probabilities.values() if f" {value:.3f} 0." in shown]
    forced = seen(reported(predictor, prediction, phantom, forced=True))
    assert FORCED in forced
    assert f"Decision, marked as withheld: {prediction.label}" in forced


def test_it_is_one_page_of_pdf(predictor: Predictor, phantom: bytes) -> None:
    prediction = predicted(predictor, phantom, REASON, name="Größe 正面 " + "long" * 40 + ".png")
    content = pdf.render(reported(predictor, prediction, phantom, forced=True, heat="NORMAL"))
    assert b"/Count 1" in content


def test_nothing_that_identifies_a_patient_gets_into_it(predictor: Predictor, phantom: bytes) -> None:
    values = np.asarray(decode(phantom, "a")).astype(np.uint16)
    content = radiograph(values, 8, SOPInstanceUID="1.2.840.99999.7.3", ViewPosition="PA", **SECRETS)
    prediction = predicted(predictor, content, name="IM1")
    document = reported(predictor, prediction, content, forced=True)
    shown, written = html.render(document), pdf.render(document)
    assert "Modality: CR" in shown
    assert "Body part: OTHER" in shown
    for name, value in SECRETS.items():
        if name != "Modality":
            for part in str(value).split("^"):
                assert part.lower() not in shown.lower(), name
                assert part.encode() not in written, name
    assert "1.2.840.99999" not in shown


def test_training_images_that_moved_leave_their_words(
    predictor: Predictor, phantom: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = predictor.trained.run
    monkeypatch.setitem(run.__dict__, "info", run.info.model_copy(update={"folder": str(tmp_path)}))
    document = reported(predictor, predicted(predictor, phantom), phantom)
    tiles = [block for block in document.blocks if isinstance(block, Pictures)][1]
    assert [picture.jpeg for picture in tiles.pictures] == [None] * 5
    assert "distance" in tiles.pictures[0].caption
    assert b"/Count 1" in pdf.render(document)
