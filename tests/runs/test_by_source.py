"""Findings source by source: the figures of a source are those of its images alone."""

import json
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.runs.by_source import by_source_of, possible
from cxr_core.runs.decision import Decision
from cxr_core.runs.measured import measure_of, measured
from cxr_core.runs.run import Run


def test_a_source_has_the_figures_of_its_images(findings_run: Run) -> None:
    report, table = measured(findings_run, "test")
    rows = by_source_of(findings_run, table)
    assert [row["source"] for row in rows] == sorted(table["source"].unique())
    assert sum(row["n"] for row in rows) == report["n"]
    for name in report["classes"]:
        assert sum(row["classes"][name] for row in rows) == report["per_class"][name]["positives"]
    part = table[table["source"] == rows[0]["source"]].reset_index(drop=True)
    again, _ = measure_of(findings_run, part, Decision.load(findings_run))
    assert {key: rows[0][key] for key in ("macro_roc_auc", "counted", "per_class", "ci")} == {
        key: again[key] for key in ("macro_roc_auc", "counted", "per_class", "ci")
    }


def test_what_is_not_learnt_without_a_source_is_not_judged_there(findings_run: Run) -> None:
    _, table = measured(findings_run, "test")
    source = table["source"].iloc[0]
    rows = by_source_of(findings_run, table, {source: ["Nodule"]})
    assert [row["source"] for row in rows if "Nodule" not in row["per_class"]] == [source]


def test_nothing_is_said_of_a_finding_that_the_labels_do_not_tell_of(findings_run: Run) -> None:
    table = findings_run.split.assign(y_Nodule=float("nan"))
    assert "Nodule" in possible(findings_run, table)["single"]
    assert "Nodule" not in possible(findings_run, table, ["Nodule"])["single"]
    assert all(
        "Nodule" not in row["per_class"]
        for row in by_source_of(findings_run, measured(findings_run, "test")[1], absent=["Nodule"])
    )


def test_evaluate_prints_and_gives_them(findings_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(findings_run.path), "--by-source", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sources"] == possible(findings_run, findings_run.split)
    assert document["sources"]["possible"]
    assert main(["evaluate", str(findings_run.path), "--by-source"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{row['source']}: macro ROC AUC" in shown for row in document["by_source"])
    assert document["sources"]["message"] in shown
