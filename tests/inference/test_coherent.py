"""Labels that imply others, through every door of a run that was really trained; and a run of before, which keeps its
own rule.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxr_core.errors import ConfigError, RunError
from cxr_core.evaluation.calibration import calibrate
from cxr_core.hierarchy import Coherent
from cxr_core.inference.evaluate import evaluate_external, evaluate_folder, evaluate_split
from cxr_core.inference.predictor import Predictor
from cxr_core.labels import decide
from cxr_core.runs.decision import save_operating_point
from cxr_core.runs.external import externals
from cxr_core.runs.measured import measured
from cxr_core.runs.run import Run
from tests.runs_support import copy_of, new_run, noise, train

SHOWN = ["p_COVID19", "p_NORMAL", "p_PNEUMONIA"]


@pytest.fixture(params=["completed_run", "frozen_run"])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.getfixturevalue(request.param)
    return found


def coherent(run: Run, table: pd.DataFrame) -> bool:
    """To the last bit: no specific label above a general one, NORMAL what PNEUMONIA leaves; and leaves that add up."""
    assert isinstance(run.implied, Coherent)
    covid, normal, pneumonia = table[SHOWN].to_numpy(dtype=float).T
    leaves = run.implied.tree.leaves(table[SHOWN].to_numpy(dtype=float))
    np.testing.assert_allclose(leaves.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(leaves.T, [covid, normal, pneumonia - covid], atol=1e-12)
    decided = [run.classes[k] for k in leaves.argmax(axis=1)]
    return bool((covid <= pneumonia).all() and (normal == 1 - pneumonia).all() and decided == list(table["decision"]))


def test_every_door_shows_what_is_coherent_and_the_same(run: Run, hospital: Path, tmp_path: Path) -> None:
    kept = run.predictions("test")
    again = evaluate_split(run, "test")[1]
    for table in (run.predictions("val"), kept, again, evaluate_folder(run, hospital, "test")[1]):
        assert coherent(run, table)
    assert np.array_equal(kept[SHOWN], again[SHOWN])
    answers = list(Predictor.load(run).predict([(file, run.folder / file) for file in kept["file"]]))
    asked = pd.DataFrame([{f"p_{name}": value for name, value in (a.probabilities or {}).items()} for a in answers])
    assert coherent(run, asked.assign(decision=[answer.label for answer in answers]))
    assert np.array_equal(asked[SHOWN], kept[SHOWN])
    # Kept in the run, and read back under an operating point.
    copy = copy_of(run, tmp_path)
    evaluate_external(copy, hospital)
    (external,) = externals(copy)
    assert coherent(copy, external.measured[1])


def test_a_threshold_moves_decisions_and_nothing_else(run: Run, tmp_path: Path) -> None:
    copy = copy_of(run, tmp_path)
    before = copy.predictions("test")
    for limit, others in ((0.999, "PNEUMONIA COVID19"), (0.001, "NORMAL")):
        save_operating_point(copy, {"PNEUMONIA": limit})
        table = measured(copy, "test")[1]
        assert np.array_equal(table[SHOWN], before[SHOWN])
        assert not set(table["decision"]) & set(others.split())
        prediction = next(Predictor.load(copy).predict([("a", copy.folder / before["file"].iloc[0])]))
        assert prediction.label == table["decision"].iloc[0]


def test_the_same_seed_trains_the_same(tiny_dataset: Path, tmp_path: Path) -> None:
    one, two = (train(tiny_dataset, tmp_path / name, alpha="balanced", lr=0.01) for name in ("a", "b"))
    assert isinstance(one.implied, Coherent)
    assert one.weights_file.read_bytes() == two.weights_file.read_bytes()
    for name in ("predictions_test.csv", "decision.json", "metrics_test.json"):
        assert (one.path / name).read_bytes() == (two.path / name).read_bytes()


def test_a_run_of_before_keeps_its_rule(flat_run: Run, tmp_path: Path) -> None:
    """As it was written before there was a choice: format 2, no word of a hierarchy."""
    copy = copy_of(flat_run, tmp_path)
    info = json.loads((copy.path / "run.json").read_text())
    assert info["format"] == 3
    del info["config"]["hierarchy"]
    (copy.path / "run.json").write_text(json.dumps({**info, "format": 2}))
    old = Run(copy.path)
    assert old.config.hierarchy == "flat"
    assert not isinstance(old.implied, Coherent)
    table = old.predictions("test")
    thresholds = json.loads((old.path / "decision.json").read_text())["thresholds"]
    expected = decide(table[SHOWN].to_numpy(), old.classes, {"COVID19": ("PNEUMONIA",)}, thresholds)
    assert [old.classes[k] for k in expected] == list(table["decision"])
    again = evaluate_split(old, "test")[1]
    assert again[["decision", *SHOWN]].equals(table[["decision", *SHOWN]])
    # Each label by itself: what each logit says.
    assert not np.array_equal(table["p_NORMAL"], 1 - table["p_PNEUMONIA"])
    assert calibrate(np.zeros((1, 3)), 1, old.implied).tolist() == [[0.5, 0.5, 0.5]]


def test_a_description_that_makes_no_hierarchy_is_a_damaged_one(tiny_dataset: Path, tmp_path: Path) -> None:
    run = new_run(tiny_dataset, tmp_path / "runs")
    info = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**info, "implied": {"COVID19": ["TB"]}}))
    with pytest.raises(RunError, match=r"run.json is damaged"):
        _ = Run(run.path).implied


def test_two_classes_without_a_finding_are_refused_before_the_training(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for k, name in enumerate(("COVID19", "NORMAL", "PNEUMONIA", "healthy")):
            for image in range(4):
                noise(tmp_path / "data" / split / name / f"{image}.png", 100 * k + image + 10 * (split == "test"))
    with pytest.raises(ConfigError, match=r"NORMAL and healthy\. Join them\. Or choose hierarchy = flat, or labels"):
        new_run(tmp_path / "data", tmp_path / "runs")
    assert not isinstance(new_run(tmp_path / "data", tmp_path / "runs", hierarchy="flat").implied, Coherent)
