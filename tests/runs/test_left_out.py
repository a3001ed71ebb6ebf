"""Each source left out of training in turn. Really trained, on drawings of three sources."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from cxr_core import demo
from cxr_core.__main__ import main
from cxr_core.errors import RunError
from cxr_core.evaluation.metrics import report
from cxr_core.reports.card import model_card
from cxr_core.reports.markdown import render
from cxr_core.reports.verdict import verdict
from cxr_core.runs import files, jobs, left_out
from cxr_core.runs.companions import LEFT_OUT, active, laid_down, request_stop, unfinished
from cxr_core.runs.measured import measured
from cxr_core.runs.run import Run
from cxr_core.training.companion_worker import measure_left_out
from tests.pages.support import open_page, texts
from tests.runs_support import copy_of, measured_copy, train, wait_until

PAGE = "pages/5_Evaluate.py"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on drawings enough that each class is left in train and val without any one source; only to be read."""
    folder = tmp_path_factory.mktemp("sources")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", str(folder / "cache"))
        data = demo.draw(folder / "drawn", images=150, seed=3)
        return train(data, folder / "runs", image_size=32, epochs=1)


@pytest.fixture(scope="module")
def measured_run(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return measured_copy(trained, tmp_path_factory.mktemp("left-out"), measure_left_out)


@pytest.fixture
def run(trained: Run, isolated: Path) -> Iterator[Run]:
    """A copy of the run; whatever still measures it is told to stop."""
    copy = copy_of(trained, isolated)
    yield copy
    if (left := active(copy, LEFT_OUT)) is not None:
        left.request_stop()
        wait_until(lambda: active(copy, LEFT_OUT) is None, "the end of the process")


def rewritten(run: Run, change: Callable[[pd.DataFrame], None]) -> None:
    """The run's split.csv with ``change(table)`` applied."""
    table = run.split
    change(table)
    table.to_csv(run.path / "split.csv", index=False)


def parts(run: Run) -> dict[str, pd.DataFrame]:
    """Source -> the split of the training without it."""
    tables = {
        companion.title: pd.read_csv(StringIO(companion.split or ""), dtype=str, keep_default_na=False)
        for companion in left_out.planned(run).companions
    }
    return {title.removeprefix("Without "): table for title, table in tables.items()}


def test_nothing_of_a_source_is_learnt_from_where_it_is_left_out(trained: Run) -> None:
    whole = trained.split
    found = parts(trained)
    assert set(found) == set(whole["source"])
    for source, split in found.items():
        test, rest = split[split["split"] == "test"], split[split["split"] != "test"]
        assert set(test["file"]) == set(whole.loc[whole["source"] == source, "file"])
        assert source not in set(rest["source"])
        assert not set(rest["patient"]) & set(test["patient"])
        assert not set(rest["digest"]) & set(test["digest"])
        # What the run locked away stays locked away.
        own = whole.set_index("file")["split"]
        assert (rest["split"] == rest["file"].map(own)).all()
        assert set(rest["split"]) == {"train", "val"}


def test_copies_and_patients_of_the_source_are_not_learnt_from(run: Run) -> None:
    whole = run.split
    first = whole.index[(whole["source"] == "drawn-a") & (whole["split"] == "train")][0]
    mate, copy, twin = whole.index[(whole["source"] == "drawn-b") & (whole["split"] == "train")][:3]

    def change(table: pd.DataFrame) -> None:
        table.loc[mate, "patient"] = table.loc[first, "patient"]
        table.loc[copy, "digest"] = table.loc[first, "digest"]
        table.loc[table.index[-1], "source"] = ""

    rewritten(run, change)
    pair = {"a": whole.loc[twin, "file"], "b": whole.loc[first, "file"]}
    (run.path / "audit.json").write_text(json.dumps({"duplicates": [pair], "findings": []}))
    without = parts(run)["drawn-a"]
    gone = set(whole.loc[[mate, copy, twin], "file"])
    assert not gone & set(without["file"])
    assert all(whole["file"].iloc[-1] not in set(split["file"]) for split in parts(run).values())


def test_what_was_reached_is_counted_on_every_image_once(measured_run: Run) -> None:
    found = left_out.scores(measured_run)
    assert found
    whole = measured_run.split
    counts = whole["source"].value_counts()
    assert {row["source"]: row["n"] for row in found.rows} == dict(counts)
    table = pd.read_csv(measured_run.path / files.LEFT_OUT_TABLE, dtype={"patient": str}, keep_default_na=False)
    assert sorted(table["file"]) == sorted(whole["file"])
    assert not list(measured_run.path.glob("sources-*")), "the folders of the trainings go"
    _, own = measured(measured_run, "test")
    assert sum(row["n"] for row in found.seen) == len(own)


def test_the_drop_is_that_of_the_same_images(measured_run: Run) -> None:
    found = left_out.scores(measured_run)
    assert found
    assert found.difference
    classes, implied = measured_run.classes, measured_run.implied
    _, own = measured(measured_run, "test")
    table = (
        pd.read_csv(measured_run.path / files.LEFT_OUT_TABLE, keep_default_na=False).set_index("file").loc[own["file"]]
    )

    def macro_f1(rows: pd.DataFrame) -> float:
        true, decided = (rows[name].map(classes.index).to_numpy() for name in ("label", "decision"))
        return float(report(true, rows[[f"p_{c}" for c in classes]].to_numpy(), decided, classes, implied)["macro_f1"])

    assert found.difference["n"] == len(own)
    assert found.difference["macro_f1_difference"] == pytest.approx(macro_f1(own) - macro_f1(table))


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ([0.1, 0.3], "falls by 0.20"),
        ([-0.3, -0.1], "does not fall"),
        ([-0.1, 0.3], "no clear change"),
        (None, "others"),
    ],
)
def test_the_verdict_follows_the_interval(ends: list[float] | None, said: str) -> None:
    difference = {"n": 40, "macro_f1_difference": 0.2, "macro_f1_ci": ends}
    assert said in left_out.verdict(left_out.LeftOutScores([], [], difference, {}))


def test_what_is_lost_is_part_of_the_verdict_on_the_run(measured_run: Run) -> None:
    found = left_out.scores(measured_run)
    assert found
    assert left_out.verdict(found) in verdict(measured_run).details


def test_a_source_of_its_own_for_a_class_is_said_and_not_trained(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    rewritten(run, lambda table: table.__setitem__("source", table["label"]))
    assert not left_out.planned(run).companions
    assert main(["audit", "--run", str(run.path), "--only", "sources"]) == 1
    assert "cannot tell disease from source" in capsys.readouterr().err
    with pytest.raises(RunError, match="cannot tell disease from source"):
        jobs.start_experiment(run, LEFT_OUT)
    at = open_page(PAGE, timeout=60, run=run.id)
    at.segmented_control(key="section").set_value("Sources").run()
    assert not at.exception
    assert "cannot tell disease from source" in texts(at)
    assert not [button for button in at.button if button.key == "start-sources"]


def test_a_stop_that_comes_too_late_for_one_holds_for_the_next(run: Run) -> None:
    """A training past its last epoch completes; those that wait do not begin."""
    plan = left_out.planned(run)
    first, *others = [laid_down(run, LEFT_OUT, companion, "") for companion in plan.companions]
    request_stop(run, LEFT_OUT)
    (first.path / "stop").unlink()
    assert all(made.stop_requested for made in others)
    assert not measure_left_out(run)
    assert not (run.path / LEFT_OUT.file).exists()
    assert unfinished(run, LEFT_OUT) is not None
    assert measure_left_out(run)


def test_the_command_stops_goes_on_and_prints_one_document(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    plan = left_out.planned(run)
    laid_down(run, LEFT_OUT, plan.companions[0], "1 of 3").request_stop()
    assert main(["audit", "--run", str(run.path), "--only", "sources"]) == 1
    assert unfinished(run, LEFT_OUT) is not None
    capsys.readouterr()
    assert main(["audit", "--run", str(run.path), "--only", "sources", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"run", "sources"}
    assert {row["source"] for row in document["sources"]["unseen"]} == set(run.split["source"])
    assert main(["audit", "--run", str(run.path), "--only", "left-out"]) == 0
    shown = capsys.readouterr()
    assert "drawn-a: " in shown.out
    assert document["sources"]["verdict"] in shown.out
    assert shown.err == "", "what is kept is not measured again"
    assert document["sources"]["verdict"] in render(model_card(run))


def test_the_button_starts_it_and_the_result_appears(run: Run) -> None:
    at = open_page(PAGE, timeout=60, run=run.id)
    at.segmented_control(key="section").set_value("Sources").run()
    assert "3 trainings like this run" in texts(at)
    at.button(key="start-sources").click().run()
    assert not at.exception
    assert not at.error
    wait_until(lambda: (run.path / LEFT_OUT.file).exists(), "what was reached without each source")
    wait_until(lambda: active(run, LEFT_OUT) is None, "the end of the process")
    at.run()
    assert not at.exception
    found = left_out.scores(run)
    assert found
    assert left_out.verdict(found) in texts(at)


def test_damage_is_a_message(measured_run: Run, isolated: Path) -> None:
    run = copy_of(measured_run, isolated)
    (run.path / files.LEFT_OUT_TABLE).write_text("file,label\n")
    at = open_page(PAGE, timeout=60, run=run.id)
    at.segmented_control(key="section").set_value("Sources").run()
    assert not at.exception
    assert "damaged" in at.error[0].value
