"""The model card says what the run's own files say, and nothing of a person or of this machine."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cxr_core.config import TrainConfig
from cxr_core.errors import RunError
from cxr_core.reports import html, markdown
from cxr_core.reports.card import model_card
from cxr_core.reports.document import Bullets, Heading, Table, Text
from cxr_core.runs.decision import save_operating_point
from cxr_core.runs.run import Run
from tests.runs_support import copy_of

MITCHELL = (
    *("Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data"),
    *("Quantitative analyses", "Ethical considerations", "Caveats and recommendations"),
)


@pytest.fixture
def run(completed_run: Run, tmp_path: Path) -> Run:
    return copy_of(completed_run, tmp_path)


def plain(run: Run) -> str:
    """Every text of the card in one."""
    parts = []
    for block in model_card(run).blocks:
        if isinstance(block, Heading | Text):
            parts.append(block.text)
        elif isinstance(block, Bullets):
            parts += block.items
        elif isinstance(block, Table):
            parts += [" | ".join(row) for row in [block.columns, *block.rows]]
    return "\n".join(parts)


def test_headings_are_the_model_cards(run: Run) -> None:
    headings = [block.text for block in model_card(run).blocks if isinstance(block, Heading)]
    assert [name for name in headings if name in MITCHELL] == list(MITCHELL)
    assert {"Calibration", "What was not tested", "CLAIM items"} <= set(headings)


def test_figures_are_those_of_the_run(run: Run) -> None:
    shown, metrics = plain(run), run.metrics("test")
    assert metrics
    right = sum(metrics["confusion"][k][k] for k in range(3))
    low, high = metrics["ci"]["accuracy"]
    assert f"Accuracy {metrics['accuracy']:.3f} ({low:.3f}–{high:.3f}), {right} of {metrics['n']} images." in shown
    for name in run.classes:
        (tn, fp), (fn, tp) = metrics["one_vs_rest"][name]
        assert f", {tp} of {tp + fn}" in shown
        assert f", {tn} of {tn + fp}" in shown
    for kind in ("ece_before", "ece_after", "brier_before", "brier_after"):
        assert f"{metrics['calibration'][kind]:.3f}" in shown


def test_counts_hyperparameters_warnings_and_versions_are_there(run: Run) -> None:
    shown, samples = plain(run), run.split
    for split, title in (("train", "Training"), ("val", "Validation"), ("test", "Test")):
        part = samples[samples["split"] == split]
        counts = " | ".join(str((part["label"] == name).sum()) for name in run.classes)
        assert f"{title} | {counts} | {len(part)} | {part['patient'].nunique()} patients" in shown
    assert all(f"{name} | " in shown for name in TrainConfig.model_fields)
    assert all(source in shown for source in set(samples["source"]))
    assert all(warning in shown for warning in run.warnings)
    assert f"torch {run.info.versions['torch']}" in shown


def test_no_person_and_no_path_is_in_it(run: Run) -> None:
    document = model_card(run)
    for shown in (markdown.render(document), html.render(document)):
        assert not [name for name in set(run.split["patient"]) if name and name in shown]
        assert not [name for name in run.split["file"] if name in shown]
        assert str(run.info.folder) not in shown


def test_thresholds_of_a_person_are_said_to_be_theirs(run: Run) -> None:
    assert "No thresholds: the most probable class is the decision." in plain(run)
    assert "COVID19 implies PNEUMONIA; each learnt where all that it implies is there" in plain(run)
    save_operating_point(run, {run.classes[0]: 0.125})
    assert f"{run.classes[0]} 0.125" in plain(run)
    assert "chosen by a person" in plain(run)


def test_thresholds_of_flat_labels_are_the_trainings(flat_run: Run, tmp_path: Path) -> None:
    flat = copy_of(flat_run, tmp_path)
    assert "chosen by the training" in plain(flat)
    assert "COVID19 implies PNEUMONIA; learnt apart" in plain(flat)
    # What means none of the findings has none.
    assert not re.search(r"NORMAL 0\.\d{3}[,;]", plain(flat))
    save_operating_point(flat, {flat.classes[0]: 0.125})
    assert f"{flat.classes[0]} 0.125, PNEUMONIA " in plain(flat)
    assert "chosen by a person" in plain(flat)


def test_the_date_is_the_one_given(run: Run) -> None:
    assert "2031-02-03 04:05 UTC" in model_card(run, datetime(2031, 2, 3, 4, 5, tzinfo=UTC)).subtitle


@pytest.mark.parametrize("content", [None, "{}", json.dumps({"n": 1, "classes": "ABC", "accuracy": "x"}), "["])
def test_without_its_figures_it_is_refused(run: Run, content: str | None) -> None:
    path = run.path / "metrics_test.json"
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(RunError):
        model_card(run)
