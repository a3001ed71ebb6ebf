"""Images that vanish after a run was made: a few are named and left out, many are no data set any more."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_core.errors import DatasetError
from cxr_core.model.extraction import Unreadable
from cxr_core.runs.jobs import queue_again
from cxr_core.runs.run import SPLITS
from cxr_core.training.unreadable import Missing
from cxr_core.training.worker import work
from tests.runs_support import measured, new_run, train

NOWHERE = Path("/nowhere")


def lacking(total: dict[str, int], missing: dict[str, int]) -> Missing:
    rows = [(f"{split}-{k}", split) for split, count in total.items() for k in range(count)]
    lost = [Unreadable(NOWHERE / f"{split}-{k}", "gone") for split, count in missing.items() for k in range(count)]
    paths = {file: NOWHERE / file for file, _ in rows}
    return Missing.of(pd.DataFrame(rows, columns=["file", "split"]), paths, lost)


def test_sixty_of_180_are_too_many_and_six_are_named() -> None:
    total = {"train": 120, "val": 30, "test": 30}
    many = lacking(total, {"train": 40, "val": 10, "test": 10})
    assert many.problem.startswith("60 of 180 images of the data set cannot be read any more (train 40 of 120, val 10 ")
    few = lacking(total, {"train": 4, "test": 2})
    assert few.problem == ""
    assert (
        "6 images could not be decoded and were left out (train 4 of 120, test 2 of 30; 6 of them not" in few.sentence
    )
    assert lacking(total, {}).sentence == lacking(total, {}).problem == ""
    # A tenth of all is not reached, three tenths of the test are passed.
    assert lacking(total, {"test": 10}).problem
    assert not lacking(total, {"test": 9}).problem


@given(st.tuples(*[st.integers(1, 60)] * 3), st.data())
def test_the_limits_are_a_tenth_of_all_and_three_of_a_split(sizes: tuple[int, int, int], data: st.DataObject) -> None:
    total = dict(zip(SPLITS, sizes, strict=True))
    missing = {name: data.draw(st.integers(0, count)) for name, count in total.items()}
    over = 10 * sum(missing.values()) > sum(sizes) or any(10 * missing[name] > 3 * total[name] for name in SPLITS)
    assert bool(lacking(total, missing).problem) == over


def test_a_third_of_the_files_vanishes_and_comes_back(
    tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Path(shutil.copytree(tiny_dataset, tmp_path / "data set"))
    run = new_run(data, tmp_path / "runs")
    away = tmp_path / "away"
    gone = [data / file for file in run.split["file"][::3]]
    for file in gone:
        (away / file.relative_to(data)).parent.mkdir(parents=True, exist_ok=True)
        file.rename(away / file.relative_to(data))
    with pytest.raises(DatasetError, match=r"12 of 36 images of the data set cannot be read any more .*12 of them not"):
        work(run)
    assert run.state == "failed"
    assert run.status.left_out == 12
    assert len(run.unreadable) == 12
    assert run.metrics("test") is None
    for file in gone:
        (away / file.relative_to(data)).rename(file)
    queue_again(run)
    assert work(run).state == "completed"
    assert run.status.left_out == 0
    assert run.unreadable.empty
    monkeypatch.setenv("CXR_CACHE", str(tmp_path / "other cache"))
    assert measured(run) == measured(train(data, tmp_path / "runs"))


def test_one_that_vanished_is_in_the_log_the_status_and_beside_the_results(tiny_dataset: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(tiny_dataset, tmp_path / "data set"))
    run = new_run(data, tmp_path / "runs")
    table = run.split
    (data / table[table["split"] == "train"]["file"].iloc[0]).unlink()
    work(run)
    sentence = "1 image could not be decoded and was left out (train 1 of "
    assert run.status.left_out == 1
    assert any(warning.startswith(sentence) for warning in run.warnings)
    metrics = run.metrics("test")
    assert metrics is not None
    assert any(warning.startswith(sentence) for warning in metrics["warnings"])
