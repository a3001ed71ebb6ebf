"""The verdict on a run: one sentence, the worst first, from nothing but what the run carries."""

import json
from pathlib import Path
from typing import Any

import pytest

from cxr_core.reports import markdown
from cxr_core.reports.card import model_card
from cxr_core.reports.verdict import NO_EXTERNAL, NOT_AUDITED, audit_of, verdict
from cxr_core.runs import controls
from cxr_core.runs.companions import CONTROLS
from cxr_core.runs.decision import Decision
from cxr_core.runs.files import EXTERNAL
from cxr_core.runs.measured import measure, measured
from cxr_core.runs.run import Run
from cxr_core.training.stages import keep_audit
from tests.pages.support import tiny_dataset, tiny_run


@pytest.fixture
def run(isolated: Path) -> Run:
    """Of a data set without sources and patients; it carries no audit."""
    return tiny_run(isolated / "runs", tiny_dataset(isolated / "tiny", images=24), "completed", labels="single")


@pytest.fixture
def leaking(isolated: Path) -> Run:
    """Trained although its test holds pictures of its training: squares of the same seed."""
    for split, images in (("train", 12), ("test", 6)):
        tiny_dataset(isolated / "leaking" / split, images)
    return tiny_run(isolated / "runs", isolated / "leaking", "completed", train_anyway=True)


def write_audit(run: Run, **facts: Any) -> None:
    """An audit that found nothing, but for ``facts``."""
    shortcut = {"macro_f1": 0.2, "chance_macro_f1": 0.33, "claimed": False, "n": 36}
    nothing = {"images": len(run.split), "duplicates": [], "source_only": None, "shortcut": shortcut, "findings": []}
    (run.path / "audit.json").write_text(json.dumps({**nothing, **facts}), encoding="utf-8")


def write_controls(run: Run, without: float, middle: float = 0.3) -> None:
    """Controls as if they had been measured."""
    scores = {"lungs-erased": without, "middle-only": middle}
    kept = {kind: {"macro_f1": value, "interval": None, "n": 12, "on": "test images"} for kind, value in scores.items()}
    (run.path / CONTROLS.file).write_text(json.dumps({"chance_macro_f1": 0.33, **kept}), encoding="utf-8")


def write_external(run: Run, name: str, wrong: bool) -> None:
    """The run on an external data set, its test's images under other names: ``wrong`` decides none of them rightly."""
    table = run.predictions("test")
    if wrong:
        columns = [f"p_{label}" for label in run.classes]
        table[columns] = [list(row[1:]) + list(row[:1]) for row in table[columns].to_numpy()]
    figures, table = measure(table, run.classes, run.implied, Decision.load(run))
    facts = {"name": name, "data": name, "data_digest": name, "split": "all", "evaluated": "2026-01-01", "shared": 0}
    folder = run.path / EXTERNAL
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.json").write_text(json.dumps({**facts, "metrics": {**figures, "split": "all"}}))


def test_a_run_without_an_audit_says_so(run: Run) -> None:
    found = verdict(run)
    assert found.sentence.startswith("It was not audited")
    assert found.details[0] == NOT_AUDITED
    assert {*run.warnings, controls.NOT_MEASURED, NO_EXTERNAL} <= set(found.details)
    assert NOT_AUDITED in markdown.render(model_card(run))


def test_a_leak_is_the_first_thing_said_with_and_without_the_audits_own_words(leaking: Run) -> None:
    assert verdict(leaking).sentence.startswith("Trained although the audit found a leak, ")
    keep_audit(leaking, lambda done, total: None)
    audit = audit_of(leaking)
    assert audit
    assert audit.blocks
    message = next(issue.message for issue in audit.issues if issue.kind == "leak")
    found = verdict(leaking)
    assert found.sentence.startswith(f"Trained although the audit found a leak, {message.partition(':')[0]};")
    assert found.details[0] == leaking.leak
    # The audit's message stands in the warning already.
    assert sum(message in sentence for sentence in found.details) == 1
    assert found.sentence.count(";") <= 3
    card = markdown.render(model_card(leaking))
    assert found.sentence in card
    assert "| blocks a training | leak |" in card


def test_an_audited_run_tells_its_drawings_and_every_warning(completed_run: Run) -> None:
    found, audit = verdict(completed_run), audit_of(completed_run)
    assert audit
    assert found.sentence.startswith("Its images are drawings")
    for issue in audit.issues:
        if issue.severity != "informs":
            assert any(issue.message in sentence for sentence in found.details)
    assert set(completed_run.warnings) <= set(found.details)
    assert len(set(found.details)) == len(found.details)
    card = markdown.render(model_card(completed_run))
    assert all(issue.kind in card for issue in audit.issues)
    source = audit.facts["source_only"]
    assert f"| Source alone, macro F1 | {source['macro_f1']:.3f}" in card
    assert f"| Source alone, accuracy | {source['accuracy']:.3f} | {source['n']} images |" in card


def test_nothing_wrong_is_said_with_what_was_not_asked(run: Run) -> None:
    write_audit(run)
    sentence = verdict(run).sentence
    assert sentence.startswith("The audit found nothing against this score")
    assert "controls without lungs were not measured" in sentence
    assert "no external data set was evaluated" in sentence
    write_controls(run, without=0.1)
    write_external(run, "hospital-b", wrong=False)
    sentence = verdict(run).sentence
    assert "nothing that sees no lungs reaches it" in sentence
    assert "hospital-b macro F1 drops by 0.00" in sentence


def test_what_reaches_the_score_without_lungs_is_named_and_what_does_not_is_not(run: Run) -> None:
    own, _ = measured(run, "test")
    low = own["ci"]["macro_f1"][0]
    write_audit(run)
    write_controls(run, without=low)
    assert f"is reached without lungs ({low:.2f})" in verdict(run).sentence
    write_controls(run, without=low - 0.01)
    assert "is reached" not in verdict(run).sentence
    shortcut = {"macro_f1": 1.0, "chance_macro_f1": 0.33, "claimed": True, "n": 36}
    write_audit(run, shortcut=shortcut, source_only={"macro_f1": 0.99, "accuracy": 1.0, "n": 9, "interval": None})
    sentence = verdict(run).sentence
    assert "by size, file, brightness and border alone (1.00) and by the source alone (0.99)" in sentence


def test_the_largest_drop_to_an_external_data_set_is_in_the_sentence(run: Run) -> None:
    write_audit(run)
    write_external(run, "alike", wrong=False)
    write_external(run, "far-away", wrong=True)
    found = verdict(run)
    assert found.sentence.startswith("On the external data set far-away macro F1 is lower by ")
    assert sum("external data set" in sentence for sentence in found.details) == 2
    assert NO_EXTERNAL not in found.details
    card = markdown.render(model_card(run))
    assert "| Drop (95 % interval) |" in card
    assert "is lower by" in card


@pytest.mark.parametrize(
    "content",
    [
        *("{", "[]", '"text"', "{}", '{"findings": 3}', '{"findings": [{"kind": "leak"}]}', '{"findings": []}'),
        '{"images": 3, "findings": [], "shortcut": 3}',
    ],
)
def test_an_audit_that_somebody_edited_counts_as_none(run: Run, content: str) -> None:
    (run.path / "audit.json").write_text(content)
    assert verdict(run).sentence.startswith("It was not audited")
    assert NOT_AUDITED in markdown.render(model_card(run))


def test_without_a_test_score_or_with_damaged_controls_the_reason_is_told(run: Run) -> None:
    write_audit(run)
    (run.path / CONTROLS.file).write_text("{")
    assert any("controls.json is damaged" in sentence for sentence in verdict(run).details)
    (run.path / "metrics_test.json").unlink()
    assert any("no metrics for test" in sentence for sentence in verdict(run).details)
