"""A run fitted to local images: halves by patient, refusals, what is kept, and predictions that a hand can repeat."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import cxr_core.inference.site as site_module
from cxr_core import demo
from cxr_core.data import scan
from cxr_core.errors import ConfigError, DatasetError, RunError
from cxr_core.evaluation.calibration import calibrate
from cxr_core.inference import Predictor, evaluate_external, fit_site
from cxr_core.inference.evaluate import logits_of_samples
from cxr_core.inference.site import IMAGES, PATIENTS
from cxr_core.inference.trained import Trained
from cxr_core.labels import decide
from cxr_core.runs import Decision, Run, profiles
from cxr_core.runs.records import ProfileNote
from tests.runs_support import copy_of


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawings of another place, as many as are needed; only to be read."""
    return demo.draw(tmp_path_factory.mktemp("site") / "St Anna", images=96, seed=7)


@pytest.fixture
def run(completed_run: Run, tmp_path: Path) -> Run:
    return copy_of(completed_run, tmp_path)


@pytest.fixture
def kept(run: Run, site: Path) -> ProfileNote:
    return profiles.keep(run, fit_site(run, site, "anna"))


def test_what_is_kept_says_what_it_rests_on(run: Run, kept: ProfileNote, site: Path) -> None:
    assert profiles.read(run, "anna") == kept
    assert (kept.images, kept.fit.images + kept.judged.images) == (96, 96)
    assert kept.fit.patients + kept.judged.patients == kept.patients < 96
    assert (kept.dataset_name, kept.data_digest) == ("St Anna", scan(site).digest)
    assert kept.own.temperature == Decision.own(run).temperature
    assert kept.by
    assert str(site.parent) not in kept.model_dump_json()
    assert fit_site(run, site, "again").model_dump(exclude={"name", "fitted"}) == kept.model_dump(
        exclude={"name", "fitted"}
    )


def test_no_patient_is_in_both_halves_and_both_have_every_class(
    run: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = site_module._halves
    seen: list[pd.DataFrame] = []

    def looked(run: Run, there: site_module._Site, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        found = halves(run, there, seed)
        seen.extend(there.samples.iloc[rows] for rows in found)
        return found

    monkeypatch.setattr(site_module, "_halves", looked)
    for seed in range(3):
        fit_site(run, site, "anna", seed)
        fit, judged = seen[-2:]
        assert not set(fit["patient"]) & set(judged["patient"])
        counts = [part["label"].value_counts() for part in (fit, judged)]
        assert (counts[0] - counts[1]).abs().max() <= 3
    assert not seen[0]["file"].equals(seen[2]["file"])


def test_predictions_by_a_profile_are_those_of_a_hand(run: Run, kept: ProfileNote, site: Path) -> None:
    there = profiles.using(run, "anna")
    samples = scan(site).samples.iloc[::12]
    trained = Trained.load(run)
    paths = {file: site / file for file in samples["file"]}
    _, logits, _ = logits_of_samples(trained, samples, site, "all", lambda done, total: None, paths)
    expected = calibrate(logits, kept.temperature, run.implied)
    decided = decide(expected, run.classes, run.implied, kept.thresholds)
    answers = list(Predictor.load(there).predict((file, site / file) for file in samples["file"]))
    assert [list((answer.probabilities or {}).values()) for answer in answers] == expected.tolist()
    assert [answer.label for answer in answers] == [run.classes[k] for k in decided]
    assert all("Site profile: anna." in answer.rule for answer in answers)
    own = list(Predictor.load(run).predict((file, site / file) for file in samples["file"]))
    assert all("Site profile" not in answer.rule for answer in own)


def test_figures_of_a_place_by_its_profile_are_not_kept_as_the_runs_own(
    run: Run, kept: ProfileNote, site: Path
) -> None:
    outcome = evaluate_external(profiles.using(run, "anna"), site)
    assert outcome.kept is None
    assert "anna" in outcome.note
    assert outcome.metrics["calibration"]["temperature"] == kept.temperature
    assert outcome.metrics["thresholds"] == kept.thresholds


def test_too_few_images_are_refused_with_what_is_needed(run: Run, tmp_path: Path) -> None:
    few = demo.draw(tmp_path / "few", images=20, seed=3)
    with pytest.raises(DatasetError) as refused:
        fit_site(run, few, "few")
    assert "Too few images to fit on: 20 images (COVID19 6 images of" in str(refused.value)
    assert f"At least {IMAGES} images are needed, and for each class images of {PATIENTS} patients" in str(
        refused.value
    )
    assert profiles.names(run) == []


def test_many_images_of_few_patients_are_refused(run: Run, site: Path, tmp_path: Path) -> None:
    there = Path(shutil.copytree(site, tmp_path / "few patients"))
    table = pd.read_csv(there / "sources.csv")
    table["patient"] = [f"p{number % 9}" for number in range(len(table))]
    table.to_csv(there / "sources.csv", index=False)
    with pytest.raises(DatasetError, match=r"Too few images to fit on: 96 images"):
        fit_site(run, there, "few")


def test_images_of_the_runs_own_training_are_left_out_and_counted(
    run: Run, site: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    there = Path(shutil.copytree(site, tmp_path / "both"))
    own = sorted((tiny_dataset / "train" / "NORMAL").glob("*.png"))
    for file in own:
        shutil.copy(file, there / "train" / "NORMAL" / f"own-{file.name}")
    note = fit_site(run, there, "both")
    assert (note.shared, note.images) == (len(own), 96)
    with pytest.raises(DatasetError, match=rf"0 images .*{36} images that the run's own data set has too were left"):
        fit_site(run, tiny_dataset, "own")


def test_flat_labels_get_a_threshold_each_and_keep_their_ranking(flat_run: Run, site: Path, tmp_path: Path) -> None:
    note = fit_site(copy_of(flat_run, tmp_path), site, "anna")
    assert set(note.thresholds) == set(flat_run.classes)
    assert note.overall["macro_roc_auc"].difference == pytest.approx(0, abs=1e-12)


def test_a_run_of_findings_is_fitted_where_there_are_enough(findings_run: Run, tmp_path: Path) -> None:
    run = copy_of(findings_run, tmp_path)
    note = profiles.keep(run, fit_site(run, demo.draw_findings(tmp_path / "there", images=120, seed=9), "there"))
    assert set(note.thresholds) == set(run.findings)
    assert set(note.kept) < set(run.findings)
    assert set(note.per_class) == set(run.findings)
    assert note.overall["macro_roc_auc"].difference == pytest.approx(0, abs=1e-12)
    there = profiles.using(run, "there")
    assert Trained.load(there).thresholds == note.thresholds
    with pytest.raises(DatasetError, match="for one finding at least images of 10 patients with it"):
        fit_site(run, demo.draw_findings(tmp_path / "few", images=20, seed=9), "few")


def test_a_name_that_is_taken_is_refused_before_anything_is_read(run: Run, kept: ProfileNote, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="already"):
        fit_site(run, tmp_path / "nowhere", "Anna")
    with pytest.raises(RunError, match="has no profile"):
        profiles.using(run, "leeds")
