"""Predictions: the same through every door and in any company, one per file, whatever the files are."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_core.caches import clear as clear_kept
from cxr_core.inference.predictor import Prediction, Predictor
from cxr_core.model.features import kept_spaces
from cxr_core.runs.run import Run, find_run
from tests.runs_support import noise


@pytest.fixture(params=["completed_run", "frozen_run", "pooled_run"])
def run(request: pytest.FixtureRequest) -> Run:
    """A small-cnn of its own, a head on a frozen ResNet18, one on pooled stages."""
    found: Run = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def files(tiny_dataset: Path) -> list[Path]:
    """All 36 images."""
    return sorted(tiny_dataset.rglob("*.png"))


def answers(run: Run, files: list[Path]) -> list[Prediction]:
    return list(Predictor.load(run).predict((file.name, file) for file in files))


def test_path_upload_single_and_company_agree_to_the_last_bit(run: Run, files: list[Path]) -> None:
    together = answers(run, files)
    predictor = Predictor.load(run)
    assert together == list(predictor.predict((file.name, file.read_bytes()) for file in files))
    alone = [next(predictor.predict([(file.name, file)])) for file in files]
    assert together == alone
    assert together[::-1] == answers(run, files[::-1])
    assert together[5:9] == answers(run, files[5:9])


def test_they_equal_the_run_s_own_predictions(run: Run, tiny_dataset: Path) -> None:
    table = run.predictions("test")
    found = answers(run, [tiny_dataset / file for file in table["file"]])
    for answer, (_, row) in zip(found, table.iterrows(), strict=True):
        assert answer.probabilities == {name: row[f"p_{name}"] for name in run.classes}
        assert answer.label == row["decision"]
        assert answer.error is None
        assert answer.rule


def test_kept_features_neither_help_nor_change_an_answer(run: Run, files: list[Path]) -> None:
    before = answers(run, files[:3])
    assert kept_spaces() == []
    clear_kept()
    assert answers(run, files[:3]) == before


def test_the_zip_predicts_elsewhere_as_the_run_did_here(run: Run, files: list[Path], tmp_path: Path) -> None:
    archive = run.export_zip(tmp_path / "run.zip")
    with zipfile.ZipFile(archive) as unpacked:
        unpacked.extractall(tmp_path / "elsewhere")
    moved = find_run(tmp_path / "elsewhere", run.id)
    assert moved.state == "completed"
    assert answers(moved, files) == answers(run, files)


def test_a_bad_file_among_good_ones_gets_its_own_error(completed_run: Run, files: list[Path], tmp_path: Path) -> None:
    items: list[tuple[str, bytes | Path]] = [(file.name, file) for file in files[:20]]
    items[3] = ("empty.png", b"")
    items[7] = ("notes.txt", b"these are words")
    items[11] = ("gone.png", tmp_path / "gone.png")
    (tmp_path / "folder.png").mkdir()
    items[12] = ("folder.png", tmp_path / "folder.png")
    items[19] = ("cut.png", files[19].read_bytes()[:-400])
    found = list(Predictor.load(completed_run).predict(items))
    good = answers(completed_run, files[:20])
    assert [answer.file for answer in found] == [name for name, _ in items]
    for position, answer in enumerate(found):
        if position in (3, 7, 11, 12, 19):
            assert answer.error
            assert answer.label is None
            assert answer.probabilities is None
            assert items[position][0] in answer.error
        else:
            assert answer == good[position]


def test_only_bad_files_and_no_files(completed_run: Run) -> None:
    predictor = Predictor.load(completed_run)
    assert list(predictor.predict([])) == []
    (answer,) = predictor.predict([("x.png", b"x")])
    assert answer.error


def test_answers_come_as_the_files_do(completed_run: Run, files: list[Path]) -> None:
    """A page shows the first answers before the last file is read: the predictor draws a group at a time."""
    drawn: list[str] = []

    def one_by_one() -> Iterator[tuple[str, Path]]:
        for file in files:
            drawn.append(file.name)
            yield file.name, file

    stream = Predictor.load(completed_run).predict(one_by_one())
    next(stream)
    assert len(drawn) < len(files)


def test_a_name_is_only_a_name(completed_run: Run, files: list[Path], tmp_path: Path) -> None:
    """The content decides what a file is: a PNG under another ending, or under none, is the same picture."""
    (expected,) = answers(completed_run, files[:1])
    for name in ("x.jpg", "x", "..", "a/b\\c.dcm", "\u202egnp.exe"):
        (answer,) = Predictor.load(completed_run).predict([(name, files[0].read_bytes())])
        assert answer.probabilities == expected.probabilities
        assert answer.file == name


def test_a_picture_unlike_the_training_still_has_an_answer_and_its_doubt(completed_run: Run, tmp_path: Path) -> None:
    (answer,) = answers(completed_run, [noise(tmp_path / "noise.png", seed=1)])
    assert answer.error is None
    if answer.withheld:
        assert answer.shown().label is None
        assert answer.shown().probabilities is None
        assert answer.shown(force=True) == answer
