"""Controls of a run of findings: really trained on drawings, each finding held against the run's, paired by patient."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cxr_core.__main__ import main
from cxr_core.errors import RunError
from cxr_core.reports.card import model_card
from cxr_core.reports.markdown import render
from cxr_core.reports.verdict import verdict
from cxr_core.runs import controls, jobs
from cxr_core.runs.companions import CONTROLS, folder_of
from cxr_core.runs.control_findings import GONE, IN_PART, REMAINS, UNTOLD, mean_area, remaining, sentence
from cxr_core.runs.measured import measured
from cxr_core.runs.run import Run
from tests.runs_support import copy_of


@pytest.fixture
def run(findings_controlled: Run, isolated: Path) -> Run:
    return copy_of(findings_controlled, isolated)


def changed(run: Run, **kinds: Any) -> dict[str, Any]:
    """``controls.json`` with what it says of a kind replaced."""
    file = run.path / CONTROLS.file
    document: dict[str, Any] = {**json.loads(file.read_text()), **kinds}
    file.write_text(json.dumps(document))
    return document


def telling(run: Run) -> list[str]:
    """The run as if it told every finding, on patients enough; these findings."""
    file = run.path / "metrics_test.json"
    metrics = json.loads(file.read_text())
    for name in metrics["counted"]:
        metrics["per_class"][name] |= {"roc_auc": 0.9, "patients": 40, "others": 40}
        metrics["ci"]["per_class"][name]["roc_auc"] = [0.85, 0.95]
    metrics |= {"macro_roc_auc": 0.9, "ci": {**metrics["ci"], "macro_roc_auc": [0.85, 0.95]}}
    file.write_text(json.dumps(metrics))
    return list(metrics["counted"])


def like_the_run(run: Run, fall: dict[str, float] | None = None) -> dict[str, Any]:
    """A score that has what the run has, less ``fall`` of some findings; every interval is 0.02 wide."""
    own, _ = measured(run, "test")
    findings: dict[str, Any] = {}
    for name, row in own["per_class"].items():
        area = row["roc_auc"] - (fall or {}).get(name, 0.0)
        ends = [area - 0.01, area + 0.01]
        findings[name] = {"roc_auc": area, "interval": ends, "n": row["n"], "positives": row["positives"]}
    mean = float(np.mean([findings[name]["roc_auc"] for name in own["counted"]]))
    return {"macro_roc_auc": mean, "interval": None, "n": own["n"], "on": "test images", "findings": findings}


def test_each_control_is_judged_on_the_images_of_the_run(findings_controlled: Run) -> None:
    run = findings_controlled
    own, table = measured(run, "test")
    found = controls.scores(run)
    assert found
    assert [bar.kind for bar in found.bars[:3]] == ["run", *controls.MASKS]
    assert (found.bars[0].value, found.chance) == (own["macro_roc_auc"], 0.5)
    for bar in found.bars[1:3]:
        assert bar.n == own["n"]
        assert bar.interval
        assert bar.interval[0] <= bar.value <= bar.interval[1]
        assert bar.difference
        assert bar.difference[0] == pytest.approx(own["macro_roc_auc"] - bar.value)
        areas = [row.areas[bar.kind][0] or 0.0 for row in found.findings if row.name in own["counted"]]
        assert bar.value == pytest.approx(np.mean(areas))
    for row in found.findings:
        known = table[table[f"y_{row.name}"] != -1]
        assert row.areas["run"][0] == pytest.approx(roc_auc_score(known[f"y_{row.name}"] == 1, known[f"p_{row.name}"]))
        assert row.n == len(known)
    assert not folder_of(run, CONTROLS, "lungs-erased").path.exists()


def test_every_finding_is_in_one_state_and_the_sentence_counts_them(findings_controlled: Run) -> None:
    found = controls.scores(findings_controlled)
    assert found
    said = sentence(found.findings)
    states = [row.state for row in found.findings]
    assert set(states) <= {REMAINS, IN_PART, GONE, UNTOLD}
    assert all(row.name in said for row in found.findings)
    assert sum(int(part.split(" of ")[0].split()[-1]) for part in said.split(";") if " of " in part) == len(states)


def test_a_finding_that_the_control_tells_as_well_remains_and_is_named_everywhere(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, *others = telling(run)
    own, _ = measured(run, "test")
    gone = dict.fromkeys(others, 0.4)
    changed(run, **{"lungs-erased": like_the_run(run, gone), "shortcut": None, "source-only": None})
    found = controls.scores(run)
    assert found
    states = {row.name: row.state for row in found.findings}
    assert remaining(found.findings) == [kept]
    assert all(states[name] == GONE for name in others)
    assert f"remain as they are ({kept})" in controls.verdict(found)
    of_run = verdict(run)
    assert f"findings remain as they are without lungs ({kept})" in " ".join([of_run.sentence, *of_run.against])
    assert f"remain as they are ({kept})" in render(model_card(run))
    assert main(["audit", "--run", str(run.path), "--only", "controls", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["remaining"] == [kept]
    assert document["verdict"] == controls.verdict(found)
    assert {row["finding"] for row in document["findings"]} == set(own["classes"])
    assert main(["audit", "--run", str(run.path), "--only", "controls"]) == 0
    assert "Remains without lungs" in capsys.readouterr().out


def test_a_control_that_reaches_the_runs_lower_end_is_said_to_reach_it(run: Run) -> None:
    telling(run)
    changed(run, **{"lungs-erased": like_the_run(run), "shortcut": None, "source-only": None})
    found = controls.scores(run)
    assert found
    low = measured(run, "test")[0]["ci"]["macro_roc_auc"][0]
    assert f"({low:.2f}) is reached by the control without lungs" in controls.verdict(found)
    of_run = verdict(run)
    assert any("macro ROC AUC is reached without lungs" in said for said in of_run.against)
    changed(run, **{"lungs-erased": {**like_the_run(run), "macro_roc_auc": low - 0.01}})
    again = controls.scores(run)
    assert again
    assert "Nothing that sees no lungs reaches" in controls.verdict(again)


def test_a_mean_over_other_findings_is_never_held_against_the_run() -> None:
    rows: list[dict[str, Any]] = [
        {"finding": "A", "roc_auc": 0.7},
        {"finding": "B", "roc_auc": None},
        {"finding": "C", "roc_auc": 0.9},
    ]
    assert mean_area(rows, ["A", "C"]) == pytest.approx(0.8)
    assert mean_area(rows, ["A", "B"]) is None
    assert mean_area(None, ["A"]) is None


def test_scores_of_classes_in_their_place_are_damage(run: Run) -> None:
    (run.path / CONTROLS.file).write_text('{"chance_macro_f1": 0.3}')
    with pytest.raises(RunError, match=r"controls.json is damaged.*finding by finding"):
        controls.scores(run)


def test_a_test_without_both_of_any_finding_has_nothing_to_hold_against(run: Run) -> None:
    file = run.path / "metrics_test.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "counted": []}))
    with pytest.raises(RunError, match="no finding is both present and absent in the test"):
        jobs.start_experiment(run, CONTROLS)
