"""What is known against a run stands in each answer, counted by hand on runs whose figures are made up."""

import json
from pathlib import Path

import pytest

from cxr_core.reports import html, known
from cxr_core.reports.image import Answered, image_report
from cxr_core.reports.verdict import verdict
from cxr_core.runs.run import Run
from tests.pages.support import open_page, texts, tiny_dataset, tiny_run
from tests.reports.test_verdict import write_audit, write_controls, write_external


@pytest.fixture
def run(isolated: Path) -> Run:
    """Twelve test images of each class and no source, so that nothing but what a test writes is against it."""
    root = tiny_dataset(isolated / "tiny", images=60)
    run = tiny_run(isolated / "runs", root, "completed", labels="single")
    write_audit(run)
    return run


def test_a_sound_run_lacks_external_data_alone(run: Run) -> None:
    assert verdict(run).against == (known.NO_EXTERNAL,)
    assert known.line(()) == "Known against this run: nothing so far."


def test_what_speaks_against_it_is_named_the_worst_first(run: Run) -> None:
    write_controls(run, without=0.99)
    write_external(run, "elsewhere", wrong=True)
    said = verdict(run).against
    assert said[0] == "its macro F1 is reached without lungs (0.99)"
    table = run.predictions("test")
    for name in run.classes:
        images = int((table["label"] == name).sum())
        (clause,) = (text for text in said if text.startswith(f"{name} fails on elsewhere"))
        assert clause.endswith(f" of {images} right)")
    assert "lower on an external data set" in said
    assert known.NO_EXTERNAL not in said
    shown = known.line(said)
    assert shown.count(";") == 4
    assert shown.endswith(f"and {len(said) - 4} more.")


def test_a_run_without_an_audit_and_with_few_images_says_so(isolated: Path) -> None:
    run = tiny_run(isolated / "runs", tiny_dataset(isolated / "few"), "completed", labels="single")
    said = verdict(run).against
    assert said[0] == "not audited"
    counts = run.predictions("test")["label"].value_counts()
    named = ", ".join(f"{name} {counts[name]}" for name in run.classes)
    assert f"too few test patients or images to judge ({named})" in said


def test_it_stands_above_the_probabilities_of_a_report(run: Run) -> None:
    write_controls(run, without=0.99)
    shares = dict.fromkeys(run.classes, 1 / 3)
    page = html.render(image_report(run, Answered("a.png", "0" * 32, b"", run.classes[0], shares)))
    said = known.line(verdict(run).against)
    assert page.index(said) < page.index("Probability, calibrated")


def test_old_intervals_are_made_anew(run: Run) -> None:
    """A run that was evaluated before few images were widened is not shown with its narrow intervals."""
    file = run.path / "metrics_test.json"
    kept = json.loads(file.read_bytes())
    kept["ci"].pop("few")
    kept["ci"]["macro_f1"] = [0.5, 0.5]
    file.write_text(json.dumps(kept))
    shown = texts(open_page("pages/5_Evaluate.py", run=run.id))
    assert "0.500 to 0.500" not in shown
    assert "recall: COVID19" in shown
