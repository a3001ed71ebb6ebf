"""``predict``, ``explain`` and ``report`` as a script uses them: what is printed, what is written, exit status."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxr_core.__main__ import main
from cxr_core.images.reading import decode
from cxr_core.inference.heat import overlay
from cxr_core.inference.predictor import Predictor
from cxr_core.runs.run import Run
from tests.images.files import noise, radiograph

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(completed_run: Run, capsys: pytest.CaptureFixture[str]) -> Call:
    """``call("predict", file)``: exit status, standard output and standard error, for the shared run."""

    def run(command: str, *rest: object) -> tuple[int, str, str]:
        arguments = [command, str(completed_run.path), *map(str, rest)]
        try:
            status = main(arguments)
        except SystemExit as wrong:
            status = int(str(wrong.code))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def phantom(tiny_dataset: Path) -> Path:
    return sorted(tiny_dataset.glob("test/*/*.png"))[0]


@pytest.fixture
def unlike(tmp_path: Path) -> Path:
    """A file whose answer is withheld."""
    path = tmp_path / "noise.png"
    noise(0, 200, 200).save(path)
    return path


def test_a_withheld_answer_is_left_out_and_forced(call: Call, phantom: Path, unlike: Path) -> None:
    status, out, _ = call("predict", unlike, phantom, "--json")
    kept, answered = json.loads(out)
    assert status == 0
    assert set(kept) == {"file", "label", "probabilities", "reason", "error", "withheld", "seen", "known_against"}
    assert (kept["label"], kept["probabilities"], kept["error"]) == (None, None, None)
    assert kept["withheld"].endswith(".")
    assert answered["withheld"] is None
    assert answered["label"]
    forced, _ = json.loads(call("predict", unlike, phantom, "--json", "--force")[1])
    assert forced["withheld"] == kept["withheld"]
    assert kept["known_against"] == answered["known_against"]
    assert "trained on drawings" in kept["known_against"]
    assert forced["label"] in forced["probabilities"]
    assert (kept["reason"], isinstance(answered["reason"], str)) == ("", True)


def test_the_table_has_a_column_for_it(call: Call, phantom: Path, unlike: Path) -> None:
    kept, answered = csv.DictReader(io.StringIO(call("predict", unlike, phantom, "--csv")[1]))
    assert kept["withheld"]
    assert kept["label"] == kept["p_NORMAL"] == ""
    assert answered["withheld"] == ""
    assert "trained on drawings; " in answered["known_against"]
    assert 0 <= float(answered["p_NORMAL"]) <= 1


def test_a_reader_sees_why_and_how_to_see_it_all_the_same(call: Call, unlike: Path) -> None:
    _, out, _ = call("predict", unlike)
    assert "withheld" in out
    assert "--force" in out
    # What is known against the run names its classes; the answer's line names none.
    (answer,) = (line for line in out.splitlines() if unlike.name in line)
    assert "NORMAL" not in answer
    _, out, _ = call("predict", unlike, "--force")
    assert "NORMAL" in out
    assert "forced, though withheld" in out


def test_a_damaged_file_is_an_error_and_not_withheld(call: Call, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    status, out, err = call("predict", bad, "--json")
    assert status == 1
    assert json.loads(out)[0]["withheld"] is None
    assert len(err.strip().splitlines()) == 1


def test_explain_writes_the_picture_under_the_heat_map(
    call: Call, completed_run: Run, phantom: Path, tmp_path: Path
) -> None:
    plain, predictor = np.asarray(Image.open(phantom).convert("L")), Predictor.load(completed_run)
    empty = 0
    for name in completed_run.classes:
        out = tmp_path / f"{name}.png"
        status, printed, _ = call("explain", phantom, "--class", name, "--out", out)
        assert status == 0
        assert "not that the score is right" in printed
        expected = overlay(decode(phantom.read_bytes(), "x"), predictor.heat("x", phantom, name), 0.45)
        assert np.array_equal(np.asarray(Image.open(out)), np.asarray(expected))
        assert ("map is empty" in printed) == (not predictor.heat("x", phantom, name).any())
        assert ("the lungs" in printed.lower()) == ("map is empty" not in printed)
        empty += "map is empty" in printed
        assert call("explain", phantom, "--class", name, "--out", out, "--opacity", "0")[0] == 0
        assert np.array_equal(np.asarray(Image.open(out).convert("L")), plain)
    assert empty < len(completed_run.classes)


def test_explain_says_that_the_answer_is_withheld(call: Call, unlike: Path, tmp_path: Path) -> None:
    status, printed, _ = call("explain", unlike, "--class", "NORMAL", "--out", tmp_path / "x.png")
    assert status == 0
    assert "withheld" in printed


@pytest.mark.parametrize(
    ("suffix", "begin"), [(".html", b"<!doctype html>"), (".pdf", b"%PDF-"), (".HTML", b"<!doctype html>")]
)
def test_the_report_on_an_image(call: Call, phantom: Path, tmp_path: Path, suffix: str, begin: bytes) -> None:
    out = tmp_path / "new" / f"report{suffix}"
    assert call("report", phantom, "--out", out, "--heat", "NORMAL")[0] == 0
    assert out.read_bytes().startswith(begin)


@pytest.mark.parametrize(("suffix", "begin"), [(".md", b"# Model card"), (".html", b"<!doctype html>")])
def test_the_model_card_of_a_run(call: Call, tmp_path: Path, suffix: str, begin: bytes) -> None:
    out = tmp_path / f"card{suffix}"
    assert call("report", "--out", out)[0] == 0
    assert out.read_bytes().startswith(begin)


def test_a_withheld_answer_is_not_in_the_report_unless_forced(call: Call, unlike: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    call("report", unlike, "--out", out)
    assert "Decision" not in out.read_text(encoding="utf-8")
    call("report", unlike, "--out", out, "--force")
    assert "Decision, marked as withheld" in out.read_text(encoding="utf-8")


WRONG_USAGE = {
    "explain as a JPEG": ("explain", "FILE", "--class", "NORMAL", "--out", "x.jpg"),
    "explain without a class": ("explain", "FILE", "--out", "x.png"),
    "opacity above 1": ("explain", "FILE", "--class", "NORMAL", "--out", "x.png", "--opacity", "1.5"),
    "opacity in words": ("explain", "FILE", "--class", "NORMAL", "--out", "x.png", "--opacity", "half"),
    "opacity that is no number": ("report", "FILE", "--out", "x.pdf", "--opacity", "nan"),
    "an image as Markdown": ("report", "FILE", "--out", "x.md"),
    "a run as a PDF": ("report", "--out", "x.pdf"),
    "no suffix": ("report", "FILE", "--out", "x"),
    "a heat map of a run": ("report", "--out", "x.md", "--heat", "NORMAL"),
    "a run by force": ("report", "--out", "x.md", "--force"),
}


@pytest.mark.parametrize("arguments", WRONG_USAGE.values(), ids=WRONG_USAGE)
def test_wrong_usage_is_one_line_and_status_2(
    call: Call, phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    command, *rest = (str(phantom) if part == "FILE" else part for part in arguments)
    status, out, err = call(command, *rest)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.glob("x*"))


COULD_NOT = {
    "unknown class": ("explain", "FILE", "--class", "FLU", "--out", "x.png"),
    "unknown heat": ("report", "FILE", "--out", "x.pdf", "--heat", "FLU"),
    "missing file": ("report", "nowhere.png", "--out", "x.html"),
    "a folder": ("explain", ".", "--class", "NORMAL", "--out", "x.png"),
    "no picture": ("explain", "TEXT", "--class", "NORMAL", "--out", "x.png"),
    "no picture to report": ("report", "TEXT", "--out", "x.pdf"),
}


@pytest.mark.parametrize("arguments", COULD_NOT.values(), ids=COULD_NOT)
def test_what_cannot_be_done_is_one_line_and_status_1(
    call: Call, phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    names = {"FILE": str(phantom), "TEXT": "text.png"}
    command, *rest = (names.get(part, part) for part in arguments)
    status, _, err = call(command, *rest)
    assert status == 1
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("error: ")
    assert not list(tmp_path.glob("x*"))


def test_a_run_that_is_not_completed_has_no_card(completed_run: Run, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(completed_run.path, tmp_path / completed_run.id))
    (copy / "decision.json").unlink()
    assert main(["report", str(copy), "--out", str(tmp_path / "card.md")]) == 1
    assert not (tmp_path / "card.md").exists()


def test_nothing_of_a_dicom_patient_is_printed(call: Call, phantom: Path, tmp_path: Path) -> None:
    values = np.asarray(Image.open(phantom).convert("L")).astype(np.uint16)
    path = tmp_path / "IM1"
    path.write_bytes(radiograph(values, 8, PatientName="Zebedee^Quuxington", PatientID="PID-90210", Modality="CT"))
    for command, *rest in (("predict", "--json"), ("predict", "--csv"), ("predict", "--force")):
        assert not {"Zebedee", "PID-90210"} & set(" ".join(map(str, call(command, path, *rest))).split())
    said = json.loads(call("predict", path, "--json")[1])[0]
    assert "CT" in said["withheld"]


def test_a_picture_of_the_run_s_own_data_is_said_to_be_one(call: Call, completed_run: Run, tiny_dataset: Path) -> None:
    samples = completed_run.split
    files = {split: tiny_dataset / samples["file"][samples["split"] == split].iloc[0] for split in ("train", "val")}
    status, out, _ = call("predict", *files.values(), "--json")
    assert status == 0
    assert [row["seen"]["split"] for row in json.loads(out)] == ["train", "val"]
    assert all(row["seen"]["kind"] == "exact" for row in json.loads(out))
    sentence = "This picture is in the training set of this run: the answer says nothing about new images."
    assert f"Note: {sentence}" in call("predict", files["train"])[1]
    (row,) = csv.DictReader(io.StringIO(call("predict", files["train"], "--csv")[1]))
    assert row["seen"] == sentence


def test_a_new_picture_is_not(call: Call, tmp_path: Path) -> None:
    from cxr_core import demo

    root = demo.draw(tmp_path / "others", images=12, seed=99)
    status, out, _ = call("predict", min(root.glob("test/*/*.png")), "--json")
    assert status == 0
    assert json.loads(out)[0]["seen"] is None


def test_the_report_says_that_the_picture_was_learnt_from(
    call: Call, completed_run: Run, tiny_dataset: Path, tmp_path: Path
) -> None:
    samples = completed_run.split
    out = tmp_path / "report.html"
    call("report", tiny_dataset / samples["file"][samples["split"] == "train"].iloc[0], "--out", out)
    assert "This picture is in the training set of this run" in out.read_text(encoding="utf-8")


def picture(*arguments: object) -> int:
    return main(["picture", *map(str, arguments)])


def test_picture_writes_what_is_read_and_says_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48) * 5
    film = tmp_path / "film.dcm"
    film.write_bytes(
        radiograph(values, 14, WindowCenter=8000, WindowWidth=16000, PhotometricInterpretation="MONOCHROME1")
    )
    out = tmp_path / "out.png"
    assert picture(film, "--out", out, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert np.array_equal(np.asarray(Image.open(out)), np.asarray(decode(film.read_bytes(), "x")))
    assert (said["width"], said["height"]) == (48, 64)
    kinds = [step["kind"] for step in said["steps"]]
    assert kinds[0] == "file"
    assert {"bits", "voi", "inversion"} <= set(kinds)
    assert said["questioned"]["reason"].endswith(".")
    assert picture(film, "--out", out) == 0
    printed = capsys.readouterr().out
    assert "voi: Window: center 8000, width 16000" in printed
    assert "Note: an answer for this picture is withheld." in printed
    assert "Secret" not in printed


def test_picture_names_the_turn_and_refuses_what_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = tmp_path / "photo.jpg"
    noise(1, 60, 40).convert("RGB").save(photo, exif=exif)
    assert picture(photo, "--out", tmp_path / "out.png") == 0
    printed = capsys.readouterr().out
    assert "turn: Orientation 6 of EXIF: turned by 90 degrees clockwise." in printed
    assert "colour: Colour became grey" in printed
    with Image.open(tmp_path / "out.png") as written:
        assert written.size == (40, 60)
    (tmp_path / "note.png").write_text("nothing")
    assert picture(tmp_path / "note.png", "--out", tmp_path / "none.png") == 1
    assert "cannot be read as an image" in capsys.readouterr().err
    assert not (tmp_path / "none.png").exists()
    with pytest.raises(SystemExit):
        picture(photo, "--out", tmp_path / "out.jpg")
