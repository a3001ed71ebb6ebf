"""Evaluation of a run on its own splits and on other folders, with the decisions that Predict would give."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxr_core.caches import clear as clear_kept
from cxr_core.errors import DatasetError, RunError
from cxr_core.inference.evaluate import evaluate_folder, evaluate_split
from cxr_core.inference.predictor import Predictor
from cxr_core.model.features import kept_spaces
from cxr_core.runs.run import Run
from tests.runs_support import new_run

CONTRACT = {"split", "n", "classes", "accuracy", "macro_f1", "per_class", "confusion", "one_vs_rest"}
CONTRACT_OF_A_CLASS = {"precision", "recall", "f1", "support", "roc_auc"}


@pytest.fixture(params=["completed_run", "frozen_run"])
def run(request: pytest.FixtureRequest) -> Run:
    """A small-cnn of its own, and a head on a frozen ResNet18."""
    found: Run = request.getfixturevalue(request.param)
    return found


def same(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    """The same files with the same probabilities to the last bit, and the same decisions."""
    keys = ["digest", "label", "decision", *(name for name in one.columns if name.startswith("p_"))]
    ordered = [table.sort_values("digest")[keys].to_numpy().tolist() for table in (one, two)]
    return ordered[0] == ordered[1]


def test_the_metrics_hold_what_scripts_rely_on(run: Run) -> None:
    for split in ("val", "test"):
        metrics = run.metrics(split)
        assert metrics is not None
        assert set(metrics) >= CONTRACT
        assert metrics["split"] == split
        assert metrics["classes"] == run.classes
        assert list(metrics["per_class"]) == list(metrics["one_vs_rest"]) == run.classes
        for row in metrics["per_class"].values():
            assert set(row) >= CONTRACT_OF_A_CLASS
        confusion = np.array(metrics["confusion"])
        assert confusion.sum() == metrics["n"] == (run.split["split"] == split).sum()
        for k, name in enumerate(run.classes):
            (tn, fp), (fn, tp) = metrics["one_vs_rest"][name]
            assert (tp, fp, fn) == (
                confusion[k, k],
                confusion[:, k].sum() - confusion[k, k],
                confusion[k].sum() - confusion[k, k],
            )
            assert tn + fp + fn + tp == metrics["n"]


def test_the_predictions_are_those_that_the_metrics_count(run: Run) -> None:
    table, metrics = run.predictions("test"), run.metrics("test")
    assert metrics is not None
    confusion = pd.crosstab(table["label"], table["decision"]).reindex(
        index=run.classes, columns=run.classes, fill_value=0
    )
    assert confusion.to_numpy().tolist() == metrics["confusion"]
    assert set(table["file"]) == set(run.split.query("split == 'test'")["file"])


def test_evaluated_again_it_is_the_same(run: Run) -> None:
    """In a new cache: every feature is computed anew."""
    assert kept_spaces() == []
    metrics, table = evaluate_split(run, "test")
    assert metrics == run.metrics("test")
    assert same(table, run.predictions("test"))
    clear_kept()
    assert evaluate_split(run, "test")[0] == metrics


def test_on_its_own_folder_it_is_its_own_test(run: Run, tiny_dataset: Path) -> None:
    metrics, table = evaluate_folder(run, tiny_dataset)
    assert metrics == run.metrics("test")
    assert same(table, run.predictions("test"))


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_evaluation_and_prediction_agree_to_the_last_bit(run: Run, tiny_dataset: Path, split: str) -> None:
    _, table = evaluate_split(run, split)
    files = [tiny_dataset / file for file in table["file"]]
    answers = list(Predictor.load(run).predict((file.name, file.read_bytes()) for file in files))
    for answer, (_, row) in zip(answers, table.iterrows(), strict=True):
        assert answer.label == row["decision"]
        assert answer.probabilities == {name: row[f"p_{name}"] for name in run.classes}


@pytest.fixture
def plain(tiny_dataset: Path, tmp_path: Path) -> Path:
    """The test images as plain class folders, without splits."""
    return Path(shutil.copytree(tiny_dataset / "test", tmp_path / "other hospital"))


def test_a_folder_without_splits_is_taken_whole(completed_run: Run, plain: Path) -> None:
    metrics, table = evaluate_folder(completed_run, plain)
    expected = completed_run.metrics("test")
    assert expected is not None
    assert metrics["split"] == "all"
    assert metrics["confusion"] == expected["confusion"]
    assert same(table, completed_run.predictions("test"))


def test_a_class_that_is_absent_has_no_ranking(completed_run: Run, plain: Path) -> None:
    shutil.rmtree(plain / "COVID19")
    metrics, _ = evaluate_folder(completed_run, plain)
    assert metrics["classes"] == ["COVID19", "NORMAL", "PNEUMONIA"]
    assert metrics["per_class"]["COVID19"]["support"] == 0
    assert metrics["per_class"]["COVID19"]["roc_auc"] is None
    assert metrics["confusion"][0] == [0, 0, 0]
    json.dumps(metrics, allow_nan=False)


def test_one_class_alone_can_be_evaluated(completed_run: Run, plain: Path) -> None:
    shutil.rmtree(plain / "COVID19")
    shutil.rmtree(plain / "NORMAL")
    metrics, _ = evaluate_folder(completed_run, plain)
    assert metrics["n"] == metrics["per_class"]["PNEUMONIA"]["support"] == len(list((plain / "PNEUMONIA").iterdir()))
    json.dumps(metrics, allow_nan=False)


def test_a_class_that_the_run_does_not_know_is_refused(completed_run: Run, plain: Path) -> None:
    (plain / "NORMAL").rename(plain / "HEALTHY")
    with pytest.raises(DatasetError, match=r"has the class HEALTHY; the run .* knows COVID19, NORMAL, PNEUMONIA"):
        evaluate_folder(completed_run, plain)


def test_a_split_that_is_not_there_is_refused(completed_run: Run, tiny_dataset: Path) -> None:
    with pytest.raises(DatasetError, match=r"no split val: it has train, test"):
        evaluate_folder(completed_run, tiny_dataset, "val")
    with pytest.raises(RunError, match="expected one of train, val, test"):
        evaluate_split(completed_run, "holdout")


def test_a_file_that_cannot_be_read_is_named_and_left_out(completed_run: Run, plain: Path) -> None:
    victim = next((plain / "NORMAL").iterdir())
    victim.write_bytes(b"not an image")
    metrics, table = evaluate_folder(completed_run, plain)
    expected = completed_run.metrics("test")
    assert expected is not None
    assert metrics["n"] == len(table) == expected["n"] - 1


def test_files_that_changed_after_the_training_are_named(
    completed_run: Run, tiny_dataset: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(completed_run.path, tmp_path / "runs" / completed_run.id))
    data = Path(shutil.copytree(tiny_dataset, tmp_path / "data set"))
    info = json.loads((copied / "run.json").read_text())
    (copied / "run.json").write_text(json.dumps({**info, "folder": str(data)}))
    victim = data / completed_run.predictions("test")["file"].iloc[0]
    victim.write_bytes(b"not an image")
    metrics, _ = evaluate_split(Run(copied), "test")
    assert [row["file"] for row in metrics["unreadable"]] == [str(victim)]
    assert "has changed" in metrics["unreadable"][0]["reason"]

    clear_kept()
    for file in data.rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(DatasetError, match=r"None of the .* images of test can be read"):
        evaluate_split(Run(copied), "test")
    shutil.rmtree(data)
    with pytest.raises(DatasetError, match="is not there any more"):
        evaluate_split(Run(copied), "test")


def test_an_unfinished_run_is_refused(tiny_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is queued: expected a completed training"):
        evaluate_split(new_run(tiny_dataset, tmp_path / "runs"), "test")
