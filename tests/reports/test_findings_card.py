"""The model card of a run of findings: how its labels were made and learnt, and each finding's figures."""

import json
from pathlib import Path

import pytest

from cxr_core.errors import RunError
from cxr_core.findings import Policy, values_of
from cxr_core.reports import findings, html, markdown
from cxr_core.reports.card import model_card
from cxr_core.reports.document import Table, Text
from cxr_core.reports.findings_card import learnt_of
from cxr_core.reports.verdict import verdict
from cxr_core.runs.run import Run
from tests.runs_support import copy_of


@pytest.fixture
def run(findings_run: Run, tmp_path: Path) -> Run:
    return copy_of(findings_run, tmp_path)


def tables(run: Run) -> dict[str, Table]:
    return {block.columns[0]: block for block in model_card(run).blocks if isinstance(block, Table)}


def test_card_says_how_labels_were_made_and_learnt(run: Run) -> None:
    shown = "\n".join(block.text for block in model_card(run).blocks if isinstance(block, Text))
    assert f"How the labels were made: {run.info.origin['rule']}" in shown
    assert "Uncertain labels are left out of the loss." in shown
    assert "Blank labels are taken for no" in shown
    left_out = sum(row["n"] for row in run.info.origin["left_out"])
    assert f"{left_out} by the rule views" in shown
    assert "Macro ROC AUC" in shown
    assert verdict(run).sentence in shown
    assert html.render(model_card(run))
    assert "Pneumothorax" in markdown.render(model_card(run))


def test_counts_are_those_of_the_labels(run: Run) -> None:
    train = run.split.query("split == 'train'")
    values = values_of(train, run.classes)
    came = {row[0]: row[1:] for row in tables(run)["Training images"].rows}
    counts = {row[0]: row[1] for row in tables(run)["With it, of those known"].rows}
    assert "No Finding" not in came
    for k, name in enumerate(run.classes):
        yes, no = int((values[:, k] == 1).sum()), int((values[:, k] == 0).sum())
        assert counts[name] == f"{yes} of {yes + no}" or name not in came
        if name in came:
            assert came[name][:2] == [str(yes), str(no)]
            assert sum(map(int, came[name][4:])) == len(train)


def test_each_finding_has_its_figures(run: Run) -> None:
    metrics = run.metrics("test")
    assert metrics is not None
    rows = {row[0]: row for row in findings.per_finding(metrics).rows}
    assert list(rows) == metrics["classes"]
    for name, row in rows.items():
        found = metrics["per_class"][name]
        (_, _), (fn, tp) = metrics["one_vs_rest"][name]
        assert row[1] == str(found["n"])
        assert row[4].endswith(f", {tp} of {tp + fn}")
        assert f"{found['positives']} of {found['n']}" in row[2]


def test_policies_in_words() -> None:
    policy = Policy(uncertain="soft", soft=0.6, blank="unknown", uncertain_of=(("Edema", "1"),))
    assert learnt_of(policy) == [
        "Uncertain labels are learnt as 0.6; but: Edema taken for yes.",
        "Blank labels are left out of the loss.",
    ]


def test_damaged_figures_are_said(run: Run) -> None:
    path = run.path / "metrics_test.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    del metrics["units"]
    path.write_text(json.dumps(metrics), encoding="utf-8")
    with pytest.raises(RunError, match="is damaged: expected the figures of an evaluation"):
        model_card(run)
