"""The rule of a run: the worker's, and a person's over it until it is taken back."""

import json
import math
from pathlib import Path

import pytest

from cxr_core.errors import ConfigError, RunError
from cxr_core.runs.decision import Decision, clear_operating_point, save_operating_point
from cxr_core.runs.files import OPERATING_POINT
from cxr_core.runs.run import Run

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
THRESHOLDS = {"COVID19": 0.25, "NORMAL": 0.5, "PNEUMONIA": 0.75}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """What a finished training leaves of its rule."""
    implied = {"COVID19": ["PNEUMONIA"]}
    info = {"config": {}, "classes": CLASSES, "implied": implied, "data": "x", "folder": "x"}
    kept = {"temperature": 1.5, "thresholds": THRESHOLDS, "epoch": 3, "monitor": "loss"}
    (tmp_path / "run.json").write_text(json.dumps(info))
    (tmp_path / "decision.json").write_text(json.dumps(kept))
    (tmp_path / "status.json").write_text(json.dumps({"state": "completed"}))
    (tmp_path / "best.safetensors").touch()
    return Run(tmp_path)


def single(run: Run) -> Run:
    """The same where the classes exclude each other."""
    info = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**info, "implied": {}}))
    return Run(run.path)


def coherent(run: Run) -> Run:
    """The same as it is trained by default."""
    info = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**info, "config": {"hierarchy": "conditional"}}))
    return Run(run.path)


def test_the_workers_rule(run: Run) -> None:
    assert Decision.load(run) == Decision(1.5, THRESHOLDS, 3, "loss")
    assert Decision.load(single(run)) == Decision(1.5, {}, 3, "loss")


def test_a_rule_without_a_temperature_changes_no_probability(run: Run) -> None:
    kept = json.loads((run.path / "decision.json").read_text())
    del kept["temperature"]
    (run.path / "decision.json").write_text(json.dumps(kept))
    assert Decision.load(run).temperature == 1.0


@pytest.mark.parametrize("file", ["decision.json", "best.safetensors"])
def test_an_unfinished_run_has_no_rule(run: Run, file: str) -> None:
    (run.path / file).unlink()
    with pytest.raises(RunError, match="expected a completed training"):
        Decision.load(run)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"thresholds": {"COVID19": 0.5}, "epoch": 1, "monitor": "loss"}'])
def test_a_damaged_rule_is_refused(run: Run, content: str) -> None:
    (run.path / "decision.json").write_text(content)
    with pytest.raises(RunError, match=r"decision.json is damaged"):
        Decision.load(run)


def test_a_persons_thresholds_stand_over_the_workers_until_taken_back(run: Run) -> None:
    clear_operating_point(run)
    save_operating_point(run, {"COVID19": 0.9})
    found = Decision.load(run)
    assert found.thresholds == {**THRESHOLDS, "COVID19": 0.9}
    assert (found.temperature, found.epoch, found.monitor) == (1.5, 3, "loss")
    assert found.chosen
    save_operating_point(run, {"COVID19": 0.5, "PNEUMONIA": 0.125})
    assert Decision.load(run).thresholds == {"COVID19": 0.5, "NORMAL": 0.5, "PNEUMONIA": 0.125}
    clear_operating_point(run)
    assert Decision.load(run) == Decision(1.5, THRESHOLDS, 3, "loss")


def test_single_labels_can_be_given_thresholds(run: Run) -> None:
    save_operating_point(single(run), {"NORMAL": 0.125})
    assert Decision.load(single(run)).thresholds == {"NORMAL": 0.125}


@pytest.mark.parametrize("limit", [0, 1, -0.5, 1.5, math.nan, math.inf])
def test_a_threshold_lies_between_nought_and_one(run: Run, limit: float) -> None:
    with pytest.raises(ConfigError, match="threshold of PNEUMONIA: expected a number between 0 and 1"):
        save_operating_point(run, {"COVID19": 0.5, "PNEUMONIA": limit})
    assert not (run.path / OPERATING_POINT).exists()


def test_what_means_none_of_the_findings_gets_no_threshold(run: Run) -> None:
    for other in (run, coherent(run)):
        with pytest.raises(ConfigError, match=r"threshold of NORMAL: it is what is left without a finding.*COVID19 or"):
            save_operating_point(other, {"COVID19": 0.5, "NORMAL": 0.5})
        assert not (run.path / OPERATING_POINT).exists()


def test_coherent_labels_have_the_thresholds_that_a_person_chose(run: Run) -> None:
    kept = json.loads((run.path / "decision.json").read_text())
    (run.path / "decision.json").write_text(json.dumps({**kept, "thresholds": {}}))
    run = coherent(run)
    assert Decision.load(run) == Decision(1.5, {}, 3, "loss")
    save_operating_point(run, {"PNEUMONIA": 0.125})
    assert Decision.load(run).thresholds == {"PNEUMONIA": 0.125}
    clear_operating_point(run)
    assert Decision.load(run).thresholds == {}


def test_a_threshold_is_of_a_class_of_the_run(run: Run) -> None:
    with pytest.raises(ConfigError, match="the run knows COVID19, NORMAL, PNEUMONIA; got TB"):
        save_operating_point(run, {"TB": 0.5})


@pytest.mark.parametrize(
    "kept",
    [
        *({"thresholds": {"NORMAL": limit, "COVID19": 0.5}, "chosen": "today"} for limit in (0, 1, -1, 2, "x", None)),
        {"thresholds": {"TB": 0.5}, "chosen": "today"},
        *({"thresholds": {"NORMAL": 0.5}}, {"chosen": "today"}, [], None),
    ],
)
def test_a_damaged_point_is_refused_with_the_way_on(run: Run, kept: object) -> None:
    (run.path / OPERATING_POINT).write_text(json.dumps(kept))
    with pytest.raises(RunError, match=r"operating_point.json is damaged.*Delete it to use the run's own"):
        Decision.load(run)
    clear_operating_point(run)
    assert Decision.load(run).thresholds == THRESHOLDS
