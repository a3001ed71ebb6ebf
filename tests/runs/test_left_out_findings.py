"""Left-out sources of a run of findings: really trained on drawings of three sources, areas counted within a source."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from cxr_core.__main__ import main
from cxr_core.errors import RunError
from cxr_core.findings import column
from cxr_core.reports.card import model_card
from cxr_core.reports.markdown import render
from cxr_core.reports.verdict import verdict
from cxr_core.runs import files, jobs, left_out
from cxr_core.runs.companions import LEFT_OUT
from cxr_core.runs.measured import measured
from cxr_core.runs.run import Run
from tests.runs_support import copy_of


@pytest.fixture
def run(findings_left_out: Run, isolated: Path) -> Run:
    return copy_of(findings_left_out, isolated)


def unmeasured(run: Run) -> Run:
    (run.path / LEFT_OUT.file).unlink()
    return run


def rewritten(run: Run, **columns: object) -> None:
    table = run.split
    for name, values in columns.items():
        table[name] = values
    table.to_csv(run.path / files.SPLIT, index=False)


def area(table: pd.DataFrame, name: str) -> float | None:
    known = table[table[column(name)] != -1]
    there = known[column(name)] == 1
    return float(roc_auc_score(there, known[f"p_{name}"])) if there.nunique() == 2 else None


def test_nothing_of_a_source_is_learnt_from_where_it_is_left_out(findings_left_out: Run) -> None:
    whole, plan = findings_left_out.split, left_out.planned(findings_left_out)
    assert len(plan.companions) == whole["source"].nunique() == 3
    for companion in plan.companions:
        split = pd.read_csv(StringIO(companion.split or ""), dtype=str, keep_default_na=False)
        source = companion.title.removeprefix("Without ")
        test, rest = split[split["split"] == "test"], split[split["split"] != "test"]
        assert set(test["file"]) == set(whole.loc[whole["source"] == source, "file"])
        assert not {source} & set(rest["source"])
        assert not set(rest["patient"]) & set(test["patient"])


def test_the_loss_is_that_of_the_same_images_within_each_source(findings_left_out: Run) -> None:
    found = left_out.scores(findings_left_out)
    assert found
    assert found.difference
    _, own = measured(findings_left_out, "test")
    without = pd.read_csv(findings_left_out.path / files.LEFT_OUT_TABLE).set_index("file").loc[own["file"]]
    assert {row["source"]: row["n"] for row in found.rows} == dict(findings_left_out.split["source"].value_counts())
    lost = []
    for name in findings_left_out.findings:
        pairs = [(area(part, name), area(without.loc[part["file"]], name)) for _, part in own.groupby("source")]
        drops = [a - b for a, b in pairs if a is not None and b is not None]
        lost += drops
        row = found.difference["per_finding"][name]
        assert row["sources"] == len(drops)
        assert row["difference"] == pytest.approx(np.mean(drops))
    assert found.difference["n"] == len(own)
    assert found.difference["macro_roc_auc_difference"] == pytest.approx(np.mean(lost))
    low, high = found.difference["macro_roc_auc_ci"]
    assert low <= found.difference["macro_roc_auc_difference"] <= high


def test_it_is_told_everywhere(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    found = left_out.scores(run)
    assert found
    said = left_out.verdict(found)
    assert "acro ROC AUC" in said
    assert said in verdict(run).details
    assert said in render(model_card(run))
    assert main(["audit", "--run", str(run.path), "--only", "left-out", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sources"]["verdict"] == said
    assert [row["source"] for row in document["sources"]["unseen"]] == sorted(run.split["source"].unique())
    assert "macro_f1" not in document["sources"]["unseen"][0], "another network chose its own thresholds"
    assert main(["audit", "--run", str(run.path), "--only", "left-out"]) == 0
    shown = capsys.readouterr()
    assert said in shown.out
    assert shown.err == "", "what is kept is not measured again"


def test_one_source_is_no_source_to_leave_out(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    rewritten(unmeasured(run), source="A")
    assert main(["audit", "--run", str(run.path), "--only", "left-out"]) == 1
    assert "are from A, so this data set cannot tell disease from source" in capsys.readouterr().err
    with pytest.raises(RunError, match="needs two"):
        jobs.start_experiment(run, LEFT_OUT)


def test_a_finding_of_one_source_is_not_judged_where_it_is_left_out(run: Run) -> None:
    table, name = run.split, "Nodule"
    here = table["source"] == sorted(table["source"].unique())[0]
    rewritten(run, **{column(name): np.where(here, table[column(name)], 0.0)})
    plan = left_out.planned(run)
    source = str(table.loc[here, "source"].iloc[0])
    assert plan.unlearnt == {source: [name]}
    assert f"{name} ({source})" in plan.message
    (run.path / LEFT_OUT.file).write_text(json.dumps(plan.note()))
    found = left_out.scores(run)
    assert found
    row = next(row for row in found.rows if row["source"] == source)
    assert name not in row["per_class"]
    assert row["unlearnt"] == [name]


def test_where_no_finding_is_left_with_both_the_reason_is_said(run: Run) -> None:
    table = run.split
    names = {column(name): np.where(table["split"] == "val", 0.0, table[column(name)]) for name in run.classes}
    rewritten(run, **names)
    plan = left_out.planned(run)
    assert not plan.companions
    assert "none can be left out of this run" in plan.message
    assert "both present and absent in train and in validation" in plan.message
