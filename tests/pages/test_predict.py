"""Predict with uploads: one, many, folders, zips, hostile ones; answers given, withheld and forced; tables, reports."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxr_core import images
from cxr_core.data.uploads import members
from cxr_core.inference.predictor import Predictor
from cxr_core.reports import known
from cxr_core.reports.verdict import NO_EXTERNAL
from cxr_core.runs.decision import Decision, save_operating_point
from cxr_core.runs.run import Run
from cxr_core.sheets import safe
from cxr_core.ui.frame import escaped
from cxr_core.ui.predict import answer, table, uploads
from cxr_core.ui.predict.headline import headline
from cxr_core.ui.run import care
from tests.data.test_uploads import zipped
from tests.images.files import encoded, noise, radiograph
from tests.pages.support import open_page, sound, texts
from tests.runs_support import copy_of

PAGE = "pages/6_Predict.py"
EXPANDER = st.expander
NOISE = encoded(noise(0, 200, 200), "PNG")


@pytest.fixture(scope="module")
def drawings(tiny_dataset: Path) -> list[bytes]:
    """Drawn chest X-rays that the run learnt from: their answers are not withheld."""
    return [path.read_bytes() for path in sorted(tiny_dataset.glob("train/*/*.png"))]


@pytest.fixture
def run(completed_run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CXR_RUNS", str(completed_run.path.parent))
    return completed_run


@pytest.fixture
def predict(run: Run) -> AppTest:
    """The Predict page, opened on a run that was really trained."""
    return sound(open_page(PAGE, timeout=60, run=run.id))


def upload(at: AppTest, *files: tuple[str, bytes], folder: bool = False) -> AppTest:
    uploader = at.file_uploader[int(folder)]
    uploader.set_value([(name, content, "application/octet-stream") for name, content in files])
    return sound(at.run())


def visit(at: AppTest, page: str, run: Run) -> AppTest:
    at.query_params.clear()
    at.query_params["run"] = run.id
    return sound(at.switch_page(page).run())


def test_answers_are_there_again_after_a_look_at_another_page(
    predict: AppTest, run: Run, drawings: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = upload(predict, ("a.png", drawings[0]), ("b.png", drawings[1]))
    before = decisions(at)
    assert len(before) == 2
    calls: list[object] = []
    monkeypatch.setattr(uploads, "cached_predictor", lambda run: calls.append(run))
    at = visit(visit(at, "pages/5_Evaluate.py", run), PAGE, run)
    assert decisions(at) == before
    assert "2 files from before" in texts(at)
    assert not calls, "they were kept, not computed again"
    at = sound(at.button(key="uploads-remove").click().run())
    assert not decisions(at)
    assert not decisions(visit(visit(at, "pages/5_Evaluate.py", run), PAGE, run))


def test_what_is_kept_has_a_bound(
    predict: AppTest, run: Run, drawings: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "KEPT_BYTES", len(drawings[0]) - 1)
    at = upload(predict, ("a.png", drawings[0]))
    assert "gone when you leave this page" in texts(at)
    assert uploads.KEPT not in at.session_state
    assert not decisions(visit(visit(at, "pages/5_Evaluate.py", run), PAGE, run))


def decisions(at: AppTest) -> list[str]:
    """The decisions on the page: in the list, or of the one answer that is open."""
    if at.dataframe:
        return [text for text in at.dataframe[0].value["decision"] if text]
    lines = [str(text.value) for text in at.subheader]
    return [line.split(",")[0].split(" without ")[0] for line in lines if line.endswith(" % probable")]


def opened(at: AppTest, name: str) -> AppTest:
    """The answer to this file, opened from the list, by Next."""
    at = sound(at.button(key="worklist-begin").click().run())
    for _ in range(40):
        if any(str(caption.value).split(" · ")[0].replace("\\", "") == name for caption in at.caption):
            return at
        at = sound(at.button(key="worklist-next").click().run())
    raise AssertionError(f"{name} was not reached")


def listed(at: AppTest) -> AppTest:
    return sound(at.button(key="worklist-all").click().run())


def boxes(at: AppTest) -> list[Any]:
    return [box for box in at.checkbox if box.label == "Show anyway"]


def unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    """All fold-outs as a reader who has opened them sees them."""
    monkeypatch.setattr(st, "expander", unfold)


def unfold(label: str, **given: Any) -> Any:
    return EXPANDER(label, **{**given, "expanded": True, "key": f"{given.get('key', label)}-opened"})


def test_predict_says_what_the_run_is_worth(predict: AppTest, run: Run) -> None:
    report = run.metrics("test")
    assert report
    right = sum(report["confusion"][k][k] for k in range(3))
    shown = texts(predict)
    assert f"classified {right} of {report['n']} images correctly" in shown
    assert all(warning in shown for warning in run.warnings)
    assert not decisions(predict)


def test_what_is_too_large_to_upload_has_a_way_on(predict: AppTest) -> None:
    most = st.get_option("server.maxUploadSize")
    assert f"A file of more than {most} MB: `python -m cxr_core predict` reads up to 256 MB" in texts(predict)


def test_one_upload_is_predicted_as_everywhere_else(
    predict: AppTest, run: Run, drawings: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    unfolded(monkeypatch)
    at = upload(predict, ("x.dcm", drawings[0]))
    predictor = Predictor.load(run)
    expected = next(predictor.predict([("x", drawings[0])]))
    shown = texts(at)
    assert decisions(at) == [expected.label]
    assert expected.rule in shown
    assert expected.probabilities
    whole = f"PNEUMONIA of any kind: {100 * expected.probabilities['PNEUMONIA']:.1f} %."
    assert (expected.reason or whole) in shown
    assert ("is the most probable class" in shown) == bool(expected.reason)
    (chart,) = at.get("plotly_chart")
    drawn = json.loads(chart.proto.spec)["data"][0]["x"]
    assert sum(drawn) == pytest.approx(1)
    assert expected.label == ["COVID19", "NORMAL", "PNEUMONIA"][int(np.argmax(drawn))]
    assert "Probabilities are calibrated" in shown
    nearest, shares = predictor.similar("x", drawings[0])
    assert [f"distance {neighbour.distance:.3f}" in shown for neighbour in nearest] == [True] * 5
    assert all(f"{name} {count} of {sum(shares.values())}" in shown for name, count in shares.items())
    assert not at.error
    assert not at.dataframe
    assert not boxes(at)


def test_a_heat_map_comes_on_demand(predict: AppTest, drawings: list[bytes]) -> None:
    at = upload(predict, ("x.png", drawings[0]))
    (switch,) = at.toggle
    assert switch.value is False
    assert "not that the score is right" not in texts(at)
    at = sound(switch.set_value(True).run())
    assert "not that the score is right" in texts(at)
    label = next(box for box in at.selectbox if str(box.key).startswith("heat-label-"))
    at = sound(label.set_value("NORMAL").run())
    assert "moved the score of NORMAL" in texts(at)


def test_a_withheld_answer_is_shown_on_request_and_marked(predict: AppTest, drawings: list[bytes]) -> None:
    at = upload(predict, ("chest.png", drawings[0]), ("noise.png", NOISE))
    assert len(decisions(at)) == 1
    assert "1 answered, 1 withheld" in texts(at)
    table = at.dataframe[0].value
    assert list(table["file"]) == ["noise.png", "chest.png"], "withheld ones come first"
    assert table["withheld"].iloc[0].endswith(".")
    assert (table["decision"].iloc[0], table["withheld"].iloc[1]) == ("", "")
    assert table.filter(like="p_").iloc[0].isna().all()
    at = opened(at, "noise.png")
    assert "The answer is withheld" in texts(at)
    assert not decisions(at)
    at = sound(boxes(at)[0].check().run())
    assert len(decisions(at)) == 1
    assert "Shown on request: this answer is withheld" in texts(at)
    assert listed(at).dataframe[0].value["decision"].iloc[0]
    at = opened(at, "noise.png")
    at = sound(boxes(at)[0].uncheck().run())
    assert not decisions(at)
    assert len(decisions(listed(at))) == 1


def test_what_dicom_may_say_is_shown_and_heeded(predict: AppTest, drawings: list[bytes]) -> None:
    values = np.asarray(Image.open(io.BytesIO(drawings[0])).convert("L")).astype(np.uint16)
    frontal = radiograph(values, 8, Modality="DX", ViewPosition="PA", BodyPartExamined="CHEST", ImageLaterality="U")
    lateral = radiograph(values, 8, Modality="DX", ViewPosition="LL")
    at = upload(predict, ("IM1", frontal), ("IM2", lateral))
    size = f"Size {values.shape[1]} x {values.shape[0]}"
    assert len(decisions(at)) == 1
    assert "view LL" in at.dataframe[0].value["withheld"][1]
    at = opened(at, "IM1")
    assert f"IM1 · Modality DX · View PA · Body part CHEST · Laterality U · {size}" in texts(at)


def test_nothing_that_identifies_a_patient_is_shown_logged_or_written(
    predict: AppTest, run: Run, drawings: list[bytes], isolated: Path, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    planted: dict[str, Any] = {
        "PatientName": "Zebedee^Quuxington",
        "PatientID": "PID-90210",
        "PatientBirthDate": "19470811",
        "InstitutionName": "St Swithin",
        "StudyDate": "20190807",
        "StudyInstanceUID": "1.2.840.99999.7.1",
        "Modality": "MR Zebedee",
        "ViewPosition": "Quuxington",
        "BodyPartExamined": "PID-90210",
    }
    values = np.asarray(Image.open(io.BytesIO(drawings[0])).convert("L")).astype(np.uint16)
    content = radiograph(values, 8, **planted)
    caplog.set_level(logging.DEBUG)
    before = sorted(isolated.rglob("*"))
    at = upload(predict, ("IM1", content), ("IM2", content[: len(content) // 2]), ("IM3", content[:700]))
    shown = texts(at) + at.dataframe[0].value.to_csv() + str(at.main)
    at = opened(at, "IM1")
    for box in boxes(at):
        at = sound(box.check().run())
    shown += texts(at) + str(at.main) + "".join(capfd.readouterr()) + caplog.text + run.log
    for secret in ("Zebedee", "Quuxington", "90210", "19470811", "Swithin", "20190807", "99999"):
        assert secret.lower() not in shown.lower()
    assert sorted(isolated.rglob("*")) == before


def test_a_zip_and_a_folder_stand_for_their_files(predict: AppTest, drawings: list[bytes]) -> None:
    archive = zipped({"study/a.png": drawings[0], "study/b.png": drawings[1], "study/notes.txt": b"hello"})
    at = upload(predict, ("all.zip", archive))
    assert list(at.dataframe[0].value.sort_index()["file"]) == ["a.png", "b.png", "notes.txt"]
    assert len(decisions(at)) == 2
    assert ["notes.txt" in error.value for error in at.error] == [True]
    at = upload(at, ("smith/1/c.png", drawings[2]), folder=True)
    assert list(at.dataframe[0].value.sort_index()["file"]) == ["a.png", "b.png", "notes.txt", "c.png"]
    assert "smith" not in texts(at)


def test_one_bad_file_among_twenty(predict: AppTest, run: Run, drawings: list[bytes]) -> None:
    files = [(f"{k}.png", drawings[k]) for k in range(20)]
    files[7] = ("not an image.png", b"%PDF-1.4 no picture")
    at = upload(predict, *files)
    table = at.dataframe[0].value
    assert len(table) == 20
    assert list(table.index[table["error"] != ""]) == [7]
    withheld = int((table["withheld"] != "").sum())
    assert f"{19 - withheld} answered" in texts(at)
    assert "1 unreadable" in texts(at)
    assert [table["error"].iloc[-1] != "", table["withheld"].iloc[:withheld].ne("").all()] == [True, True]
    given = table[(table["withheld"] == "") & (table["error"] == "")]
    assert len(given) > 10
    assert given[[f"p_{name}" for name in run.classes]].notna().all().all()
    assert set(given["decision"]) <= set(run.classes)
    # The leaves are shown, and the longest decides; the file keeps the labels' probabilities.
    leaves = given[[f"p_{name}" for name in run.classes]].to_numpy(dtype=float)
    assert [run.classes[k] for k in leaves.argmax(axis=1)] == list(given["decision"])
    np.testing.assert_allclose(leaves.sum(axis=1), 1)
    assert ["not an image.png" in error.value.replace("\\", "") for error in at.error] == [True]
    at = opened(at, "19.png")
    assert len(decisions(at)) <= 1
    assert "of 20" in texts(at)


def test_a_choice_outlives_a_look_at_the_next_answer(predict: AppTest, drawings: list[bytes]) -> None:
    at = upload(predict, ("noise.png", NOISE), *((f"{k}.png", drawings[k]) for k in range(3)))
    at = opened(at, "noise.png")
    at = sound(boxes(at)[0].check().run())
    at = sound(at.button(key="worklist-next").click().run())
    assert listed(at).dataframe[0].value["decision"][0]
    at = opened(at, "noise.png")
    assert boxes(at)[0].value is True


def test_least_sure_first_or_most_probable_first_or_as_uploaded(
    predict: AppTest, run: Run, drawings: list[bytes]
) -> None:
    at = upload(predict, *((f"{k}.png", drawings[k]) for k in range(6)), ("noise.png", NOISE), ("bad.png", b"bad"))
    columns = [f"p_{name}" for name in run.classes]
    for by in table.ORDERS:
        at = sound(at.selectbox(key="worklist-box").set_value(by).run())
        shown = at.dataframe[0].value
        if by == table.AS_UPLOADED:
            assert list(shown.index) == list(range(8))
            continue
        given = shown[shown["decision"] != ""]
        assert list(shown.index[: len(shown) - len(given) - 1]) == list(shown.index[shown["withheld"] != ""])
        leaves = np.sort(given[columns].to_numpy(dtype=float), axis=1)
        value = leaves[:, -1] - leaves[:, -2] if by == table.LEAST_SURE else -leaves[:, -1]
        assert (np.diff(value) >= 0).all()


def test_what_the_reader_says_stands_in_the_list_and_nowhere_else(
    predict: AppTest, run: Run, drawings: list[bytes], isolated: Path
) -> None:
    before = sorted(isolated.rglob("*"))
    at = upload(predict, ("a.png", drawings[0]), ("b.png", drawings[1]), ("noise.png", NOISE))
    at = opened(at, "a.png")
    said = decisions(at)[0]
    confirm = next(button for button in at.button if button.label == "Confirm")
    at = sound(confirm.click().run())
    assert f"You confirmed: **{said}**" in texts(at)
    at = opened(listed(at), "b.png")
    other = next(name for name in run.classes if name != decisions(at)[0])
    pills = next(group for group in at.button_group if str(group.key).startswith("right-"))
    at = sound(pills.set_value(other).run())
    at = sound(next(button for button in at.button if button.label == "Save").click().run())
    assert f"You corrected: **{other}**" in texts(at)
    at = opened(listed(at), "noise.png")
    assert not [button for button in at.button if button.label == "Confirm"], "the answer is not on the page"
    rows = listed(at).dataframe[0].value.set_index("file")
    assert list(rows.loc[["a.png", "b.png", "noise.png"], "reader"]) == ["confirmed", "corrected", ""]
    assert list(rows.loc[["a.png", "b.png"], "reader_label"]) == [said, other]
    at = opened(at, "a.png")
    at = sound(next(button for button in at.button if button.label == "Undo").click().run())
    assert listed(at).dataframe[0].value.set_index("file").loc["a.png", "reader"] == ""
    assert sorted(isolated.rglob("*")) == before


def test_what_changes_how_an_answer_is_read_is_one_box(predict: AppTest, run: Run, drawings: list[bytes]) -> None:
    at = upload(predict, ("a.png", drawings[0]))
    (box,) = at.warning
    assert "trained on drawings" in box.value
    assert known.NO_EXTERNAL not in box.value, "what nobody asked yet stands below"
    assert NO_EXTERNAL in texts(at)


@pytest.mark.parametrize("limits", [{}, {"COVID19": 1e-6}, {"COVID19": 0.999999}])
def test_the_headline_says_what_how_sure_and_at_which_threshold(
    completed_run: Run, isolated: Path, drawings: list[bytes], limits: dict[str, float]
) -> None:
    copy = copy_of(completed_run, isolated)
    if limits:
        save_operating_point(copy, limits)
    prediction = next(Predictor.load(copy).predict([("a.png", drawings[0])]))
    said = headline(copy, prediction, Decision.load(copy))
    assert prediction.label
    assert said.found.startswith(prediction.label)
    assert said.found.endswith(" % probable")
    if not limits:
        assert said.sure == "The most probable of 3."
    else:
        words = "COVID19 is called from 0.0 % on" if prediction.label == "COVID19" else "(called from 100.0 %)"
        assert words in said.sure
        assert "Thresholds chosen by hand on 20" in said.sure


def png(side: int = 48) -> bytes:
    return encoded(Image.radial_gradient("L").resize((side, side)), "PNG")


HOSTILE: dict[str, tuple[str, bytes]] = {
    "empty": ("empty.png", b""),
    "half a picture": ("half.png", png()[:200]),
    "a zip that climbs": ("../../etc/x.zip", b"PK\x03\x04" + b"../../evil" * 20),
    "an empty zip": ("x.zip", zipped({})),
    "a bomb": ("x.zip", zipped({"bomb.png": bytes(100 * 2**20)})),
    "a zip in a zip": ("x.zip", zipped({"y.zip": zipped({"a.png": png()})})),
    "a pickle": ("model.pkl", b"\x80\x04\x95cos\nsystem\n"),
    "a page": ("<script>alert(1)</script>.svg", b"<svg onload='alert(1)'/>"),
    "half a DICOM": ("IM0001", b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0"),
    "a huge picture": ("huge.png", png()[:16] + b"\x00\xff\xff\xff\x00\xff\xff\xff" + png()[24:]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_upload_gets_a_message(predict: AppTest, drawings: list[bytes], isolated: Path, kind: str) -> None:
    before = sorted(isolated.rglob("*"))
    at = upload(predict, ("good.png", drawings[0]), HOSTILE[kind])
    assert len(decisions(at)) == 1
    assert len(at.error) == 1
    assert "Traceback" not in at.error[0].value
    assert "<script>" not in at.error[0].value
    assert sorted(isolated.rglob("*")) == before


def test_a_name_is_text_and_never_a_path(predict: AppTest, tmp_path: Path) -> None:
    target = tmp_path / "written.png"
    at = upload(predict, (str(target), png()), ("..\\..\\up.png", png(50)), ("a\u202eb\n.png", png(60)))
    assert not target.exists()
    assert list(at.dataframe[0].value.sort_index()["file"]) == ["written.png", "up.png", "a�b�.png"]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)"])
def test_a_cell_is_no_formula(predict: AppTest, name: str) -> None:
    at = upload(predict, (name, b"no image"), ("b.png", png()))
    row = at.dataframe[0].value.loc[0]
    assert row["file"] == f"'{name}"
    assert row["error"].startswith(f"'{name}")
    assert safe("a=1") == "a=1"


def test_the_same_upload_twice_is_two_rows(predict: AppTest) -> None:
    table = upload(predict, ("a.png", png()), ("a.png", png())).dataframe[0].value
    assert len(table) == 2
    assert table.drop_duplicates().shape[0] == 1


@pytest.mark.parametrize("missing", ["best.safetensors", "embedding.safetensors"])
def test_predict_without_a_file_of_the_run(completed_run: Run, isolated: Path, missing: str) -> None:
    copy = copy_of(completed_run, isolated)
    (copy.path / missing).unlink()
    at = upload(open_page(PAGE, timeout=60, run=copy.id), ("a.png", png()))
    assert len(at.error) == 1
    assert not decisions(at)


def test_thresholds_that_a_person_chose_count_at_once(
    completed_run: Run, isolated: Path, drawings: list[bytes]
) -> None:
    copy = copy_of(completed_run, isolated)
    at = upload(open_page(PAGE, timeout=60, run=copy.id), ("a.png", drawings[0]))
    for specific in ("COVID19", "PNEUMONIA"):
        limits = dict.fromkeys(("COVID19", "PNEUMONIA"), 0.999999) | {specific: 1e-6}
        save_operating_point(copy, limits)
        assert decisions(sound(at.run())) == [specific]


@pytest.fixture
def answered(run: Run, drawings: list[bytes]) -> uploads.Answer:
    (member,) = members("a.png", drawings[0], "k")
    prediction = next(Predictor.load(run).predict([("a.png", drawings[0])]))
    return uploads.Answer("a.png", "k", None, prediction, member)


def test_the_report_is_a_file(run: Run, answered: uploads.Answer) -> None:
    assert answered.prediction
    page = answer.report_of(run, answered, answered.prediction, False, ("NORMAL", 0.3), "HTML").decode()
    assert f"Decision: {answered.prediction.label}" in page
    assert "Heat map of NORMAL (Grad-CAM, opacity 0.30)" in page
    assert answer.report_of(run, answered, answered.prediction, False, None, "PDF").startswith(b"%PDF-")


def test_the_model_card_is_on_the_runs_page(run: Run) -> None:
    at = sound(open_page("pages/4_Runs.py", run=run.id))
    labels = [str(button.proto.label) for button in at.get("download_button")]
    assert {"Model card, Markdown", "Model card, HTML"} <= set(labels)
    assert care.model_card_of(run, ".md").startswith("# Model card")
    assert care.model_card_of(run, ".html").startswith("<!doctype html>")


def test_a_model_card_that_cannot_be_made_says_why(run: Run, tmp_path: Path) -> None:
    copy = copy_of(run, tmp_path)
    (copy.path / "metrics_test.json").unlink()
    assert "no figures for test" in care.model_card_of(copy, ".md")


def test_a_picture_that_the_run_learnt_from_is_said_to_be_one(predict: AppTest, run: Run, tiny_dataset: Path) -> None:
    mine = tiny_dataset / run.split["file"][run.split["split"] == "train"].iloc[0]
    at = upload(predict, ("mine.png", mine.read_bytes()), ("noise.png", NOISE))
    sentence = "This picture is in the training set of this run: the answer says nothing about new images."
    assert list(at.dataframe[0].value.sort_index()["seen"]) == [sentence, ""]
    assert [str(box.value).replace("\\", "").count(sentence) for box in opened(at, "mine.png").warning] == [1]


def test_the_fold_out_says_how_the_file_was_read(
    predict: AppTest, drawings: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.asarray(Image.open(io.BytesIO(drawings[0])).convert("L"))
    film = radiograph(255 - values, 8, Modality="DX", PhotometricInterpretation="MONOCHROME1")
    at = upload(predict, ("film.dcm", film))
    fold = next(block for block in at.expander if block.label == "How this file was read")
    assert not fold.markdown, "decoded only once it is opened"
    unfolded(monkeypatch)
    at = sound(at.run())
    fold = next(block for block in at.expander if block.label == "How this file was read")
    steps = images.decoded(film, "film.dcm").steps
    assert len(steps) > 2
    assert [line.removeprefix("1. ") for line in str(fold.markdown[0].value).split("\n")] == [
        escaped(step.text) for step in steps
    ]


@pytest.fixture
def home(run: Run) -> AppTest:
    return sound(open_page("dashboard.py", timeout=60))


def test_an_xray_dropped_on_home_is_answered_on_predict(home: AppTest, run: Run, drawings: list[bytes]) -> None:
    at = upload(home, ("a.png", drawings[0]))
    prediction = next(Predictor.load(run).predict([("a.png", drawings[0])]))
    assert decisions(at) == [prediction.label]
    assert "1 file from before" in texts(at)
    assert at.query_params["run"] == run.id


def test_a_drawn_sample_is_one_click_from_its_answer(home: AppTest, isolated: Path) -> None:
    before = sorted(isolated.rglob("*"))
    at = sound(home.button(key="sample-drawn-pneumonia.png").click().run())
    assert decisions(at) or "The answer is withheld" in texts(at)
    assert "drawn-pneumonia.png" in texts(at)
    assert sorted(isolated.rglob("*")) == before


def test_home_without_a_run_says_what_to_do() -> None:
    at = sound(open_page("dashboard.py"))
    assert "No run can answer yet" in texts(at)
    assert not at.file_uploader


def test_too_much_for_home_is_sent_to_predict(
    home: AppTest, drawings: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "KEPT_BYTES", len(drawings[0]) - 1)
    at = upload(home, ("a.png", drawings[0]))
    assert "drop them on Predict" in texts(at)
    assert uploads.KEPT not in at.session_state
