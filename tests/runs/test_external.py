"""A run on external data sets: what is kept, what is none, and the drop with its interval."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cxr_core.data.dataset import scan
from cxr_core.errors import RunError
from cxr_core.evaluation.intervals import paired, unpaired
from cxr_core.inference.evaluate import evaluate_external
from cxr_core.runs.decision import save_operating_point
from cxr_core.runs.external import (
    against,
    externals,
    forget,
    own_reason,
    stamps,
)
from cxr_core.runs.measured import measured
from cxr_core.runs.run import Run
from tests.runs_support import copy_of


@pytest.fixture
def run(completed_run: Run, isolated: Path) -> Run:
    return copy_of(completed_run, isolated)


def test_an_external_data_set_is_kept_with_its_predictions(run: Run, hospital: Path) -> None:
    seen: list[tuple[int, int]] = []
    outcome = evaluate_external(run, hospital, progress=lambda done, total: seen.append((done, total)))
    digest = scan(hospital).digest
    assert (outcome.note, outcome.own) == ("", False)
    assert outcome.kept
    assert outcome.kept.path == run.path / "external" / f"hospital-b-{digest[:8]}.json"
    assert seen
    (kept,) = externals(run)
    metrics, table = kept.measured
    assert metrics == json.loads(json.dumps(outcome.metrics))
    assert table["decision"].tolist() == outcome.table["decision"].tolist()
    assert (kept.name, kept.facts.split, kept.facts.shared) == ("hospital b", "test", 0)
    assert sorted(path.name for path in (run.path / "external").iterdir()) == sorted(
        [kept.path.name, kept.path.with_suffix(".csv").name]
    )


def test_again_it_takes_its_own_place_and_another_split_does_not(run: Run, hospital: Path) -> None:
    for _ in range(2):
        evaluate_external(run, hospital)
    assert len(externals(run)) == 1
    evaluate_external(run, hospital, "train")
    assert [kept.facts.split for kept in externals(run)] == ["train", "test"]


def test_the_runs_own_data_set_is_none(run: Run, tiny_dataset: Path, tmp_path: Path) -> None:
    assert "trained on" in own_reason(run, scan(tiny_dataset))
    outcome = evaluate_external(run, tiny_dataset)
    assert outcome.own
    assert outcome.kept is None
    assert outcome.metrics == run.metrics("test")
    # Under another name, and without splits.
    copied = Path(shutil.copytree(tiny_dataset / "test", tmp_path / "elsewhere"))
    outcome = evaluate_external(run, copied)
    assert outcome.own
    assert f"{outcome.metrics['n']} of the {outcome.metrics['n']} images" in outcome.note
    assert not (run.path / "external").exists()
    assert stamps(run) == ()


def test_a_few_shared_images_are_counted(run: Run, tiny_dataset: Path, hospital: Path, tmp_path: Path) -> None:
    mixed = Path(shutil.copytree(hospital / "test", tmp_path / "mixed"))
    own = next((tiny_dataset / "train" / "NORMAL").iterdir())
    shutil.copy(own, mixed / "NORMAL" / "own.png")
    outcome = evaluate_external(run, mixed)
    assert outcome.kept
    assert outcome.kept.facts.shared == 1


def test_a_folder_that_cannot_be_written_still_gives_the_figures(run: Run, hospital: Path) -> None:
    (run.path / "external").write_text("in the way")
    outcome = evaluate_external(run, hospital)
    assert outcome.metrics["n"] > 0
    assert outcome.kept is None
    assert "could not be kept" in outcome.note
    assert externals(run) == []


@pytest.mark.parametrize("damage", ["{", "[]", '{"name": 1}', "csv"])
def test_a_damaged_one_is_left_out_and_can_be_made_again(run: Run, hospital: Path, damage: str) -> None:
    kept = evaluate_external(run, hospital).kept
    assert kept
    if damage == "csv":
        kept.path.with_suffix(".csv").write_text("file\n1\n")
    else:
        kept.path.write_text(damage)
    assert externals(run) == []
    evaluate_external(run, hospital)
    assert len(externals(run)) == 1


def test_it_is_decided_under_the_thresholds_as_they_stand(run: Run, hospital: Path) -> None:
    evaluate_external(run, hospital)
    save_operating_point(run, {"COVID19": 1e-6})
    metrics, table = externals(run)[0].measured
    assert set(table["decision"]) == {"COVID19"}
    assert metrics["thresholds"]["COVID19"] == 1e-6
    assert metrics["accuracy"] == pytest.approx((table["label"] == "COVID19").mean())


def test_one_is_forgotten_by_its_file_or_by_a_name_that_only_it_has(run: Run, hospital: Path) -> None:
    whole, part = (evaluate_external(run, hospital, split).kept for split in ("test", "train"))
    assert whole
    assert part
    with pytest.raises(RunError, match="is the name of 2"):
        forget(run, "hospital b")
    for wrong in ("nowhere", f"../{run.id}/run.json", "../metrics_test.json", ""):
        with pytest.raises(RunError, match="there is none called"):
            forget(run, wrong)
    # A damaged one has no name but its file's.
    part.path.write_text("{")
    assert forget(run, part.path.name) == part.path.name
    assert [kept.path for kept in externals(run)] == [whole.path]
    assert forget(run, "hospital b") == whole.path.name
    assert not list((run.path / "external").iterdir())
    assert run.metrics("test")
    evaluate_external(run, hospital)
    assert len(externals(run)) == 1


def test_internal_against_external(run: Run, hospital: Path) -> None:
    evaluate_external(run, hospital)
    (kept,) = externals(run)
    found, internal, external = against(run, kept), measured(run, "test")[0], kept.measured[0]
    assert found["labels"] == run.classes
    assert found["n"] == [internal["n"], external["n"]]
    for figure in ("accuracy", "macro_f1"):
        assert found[figure]["a"] == pytest.approx(internal[figure])
        assert found[figure]["b"] == pytest.approx(external[figure])
        assert found[figure]["drop"] == pytest.approx(internal[figure] - external[figure])
        low, high = found[figure]["ci"]
        assert low <= found[figure]["drop"] <= high


def test_a_class_that_is_absent_there_is_left_out_on_both_sides(run: Run, hospital: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(hospital / "test", tmp_path / "no covid"))
    shutil.rmtree(other / "COVID19")
    evaluate_external(run, other)
    found = against(run, externals(run)[0])
    assert found["labels"] == ["NORMAL", "PNEUMONIA"]
    table = run.predictions("test")
    assert found["n"][0] == (table["label"] != "COVID19").sum()


def test_the_export_takes_it_along(run: Run, hospital: Path, tmp_path: Path) -> None:
    evaluate_external(run, hospital)
    shutil.unpack_archive(run.export_zip(tmp_path / "run.zip"), tmp_path / "unpacked")
    assert len(externals(Run(tmp_path / "unpacked" / run.id))) == 1


# --- the difference of two independent bootstraps


def test_two_alike_have_no_drop_and_an_interval_wider_than_a_paired_one() -> None:
    random = np.random.default_rng(1)
    true = random.integers(0, 3, 300)
    decisions = np.where(random.random(300) < 0.7, true, (true + 1) % 3)
    found = unpaired((true, decisions, None), (true, decisions, None), 3)
    assert found["accuracy"]["drop"] == 0
    low, high = found["accuracy"]["ci"]
    assert low < 0 < high
    assert paired(true, decisions, decisions, 3)["ci"] == [0, 0]
    # Two standard errors of a difference of independent shares.
    expected = 1.96 * np.sqrt(2 * 0.7 * 0.3 / 300)
    assert high == pytest.approx(expected, rel=0.15)


def test_the_interval_covers_the_true_drop_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for seed in range(120):
        sides = []
        for share in (0.85, 0.65):
            true = random.integers(0, 2, 150)
            sides.append((true, np.where(random.random(150) < share, true, 1 - true), None))
        low, high = unpaired(sides[0], sides[1], 2, resamples=400, seed=seed)["accuracy"]["ci"]
        covered += low <= 0.2 <= high
    assert covered >= 105


def test_one_patient_on_a_side_has_no_interval() -> None:
    found = unpaired(([0, 1], [0, 1], ["p", "p"]), ([0, 1, 0], [0, 0, 0], None), 2)
    assert found["accuracy"]["ci"] is None
    assert found["accuracy"]["a_ci"] is None
    assert found["accuracy"]["b_ci"] is not None
