"""A run of findings on every page but Evaluate and Dataset: macro ROC AUC and each finding, where classes have F1."""

import json
import shutil
from pathlib import Path

import pytest

from cxr_core.data.dataset import scan
from cxr_core.findings import learnt
from cxr_core.runs.run import Run
from cxr_core.settings import remember_dataset, write_atomic
from cxr_core.ui.run.table import facts
from tests.pages.support import open_page, sound, texts, tiny_dataset, tiny_run, trained_findings


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained_findings(tmp_path_factory.mktemp("findings"))


@pytest.fixture
def run(trained: Run, isolated: Path) -> Run:
    """The run in the folder that the pages read."""
    there = isolated / "runs" / trained.id
    shutil.copytree(trained.path, there)
    return Run(there)


def test_home_names_macro_auc_and_findings(run: Run) -> None:
    remember_dataset(run.data)
    shown = texts(sound(open_page("dashboard.py")))
    metrics = run.metrics("test")
    assert metrics is not None
    assert f"macro ROC AUC {metrics['macro_roc_auc']:.3f} over" in shown
    yes = scan(run.data).labels()["yes"]
    assert f"{yes.index[1]} {yes.iloc[1]:,}" in shown


def test_runs_table_has_macro_auc_beside_the_f1_of_others(run: Run, tmp_path: Path) -> None:
    row, metrics = facts(run), run.metrics("test")
    assert metrics is not None
    assert run.best is not None
    assert row["test_auc"] == metrics["macro_roc_auc"]
    assert row["val_auc"] == run.best.val.macro_roc_auc
    assert row["val_images"] == len(run.predictions("val"))
    assert open_page("pages/3_Runs.py").segmented_control[0].value == "macro_roc_auc"
    other = tiny_run(run.path.parent, tiny_dataset(tmp_path / "tiny"), "completed")
    assert facts(other).get("test_auc") is None
    assert facts(other)["test_f1"] is not None
    at = sound(open_page("pages/3_Runs.py", run=run.id))
    assert set(at.segmented_control[0].options) == {"Macro F1", "Macro ROC AUC", "Accuracy", "Loss"}
    table = at.dataframe[0].value
    assert {"test_auc", "val_auc", "test_f1", "test_recall"} <= set(table.columns)


def test_live_view_draws_the_findings_that_are_chosen(run: Run) -> None:
    at = sound(open_page("pages/2_Train.py", run=run.id))
    findings = [run.classes[k] for k in learnt(run.classes)]
    chosen = at.multiselect(key=f"live-findings-{run.id}")
    assert chosen.options == findings
    assert chosen.value == findings[:5]
    labels = {metric.label: metric.value for metric in at.metric}
    assert run.best is not None
    assert labels["Best epoch"] == str(run.best.epoch)
    assert labels["Macro ROC AUC, validation"] == f"{run.best.val.macro_roc_auc:.3f}"
    sound(chosen.set_value([]).run())


def test_live_view_while_it_trains(run: Run) -> None:
    """Before the end there is no test, and an epoch in which nothing could be judged."""
    lines = [json.loads(line) for line in (run.path / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["val"] |= {"macro_roc_auc": None, "roc_auc": dict.fromkeys(line["val"]["roc_auc"])}
    (run.path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (run.path / "metrics_test.json").unlink()
    write_atomic(run.path / "status.json", json.dumps({**run.status.model_dump(), "state": "stopped"}))
    sound(open_page("pages/2_Train.py", run=run.id))
    assert "macro ROC AUC not known after epoch" in texts(sound(open_page("dashboard.py")))
    sound(open_page("pages/3_Runs.py", run=run.id))
