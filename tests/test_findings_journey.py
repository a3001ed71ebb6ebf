"""Findings from a folder to an answer, by the command line: laid down, trained, judged, predicted alike."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as reference

from cxr_core.__main__ import main
from cxr_core.config import TrainConfig
from cxr_core.data import scan
from cxr_core.data.answers import Answers
from cxr_core.demo import draw_findings
from cxr_core.errors import ConfigError, DatasetError
from cxr_core.findings import FINDINGS, learnt, values_of
from cxr_core.inference import Predictor
from cxr_core.reports.verdict import verdict
from cxr_core.runs import Run, create_run
from cxr_core.runs.decision import save_operating_point
from cxr_core.runs.external import against, externals
from cxr_core.runs.measured import measured
from cxr_core.training import work
from tests.data.sets.standins import MAKERS
from tests.runs_support import SMALL


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_holds_the_labels_as_they_came(findings_run: Run, findings_dataset: Path) -> None:
    run, dataset = findings_run, scan(findings_dataset)
    assert (run.task, run.classes) == (FINDINGS, dataset.classes)
    samples = dataset.samples.set_index("file").loc[run.split["file"]]
    np.testing.assert_array_equal(values_of(run.split, run.classes), values_of(samples, run.classes))
    assert run.info.origin["rule"] == dataset.origin.rule
    assert run.config.monitor == "macro_roc_auc"
    patients = run.split.groupby("patient")["split"].nunique()
    assert patients.max() == 1
    for part in ("train", "val", "test"):
        there = run.split[run.split["split"] == part]
        assert run.info.counts[part] == {name: int((there[f"y_{name}"] == 1).sum()) for name in run.classes}


def test_every_epoch_says_each_finding(findings_run: Run) -> None:
    findings = {findings_run.classes[k] for k in learnt(findings_run.classes)}
    for row in findings_run.history:
        assert row.val.roc_auc.keys() == findings
        assert row.val.macro_roc_auc is not None
        assert row.train.macro_roc_auc is not None


def test_evaluate_says_of_each_finding_what_scikit_learn_says(
    findings_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    found = printed(capsys, "evaluate", str(findings_run.path), "--json")
    assert (found["task"], found["split"]) == (FINDINGS, "test")
    assert found["classes"] == [findings_run.classes[k] for k in learnt(findings_run.classes)]
    table = findings_run.predictions("test")
    for name, figures in found["per_class"].items():
        # In these drawings what is blank counts as no, and uncertain labels are judged by nothing.
        known = table[(table[f"y_{name}"] != -1)]
        truth, score = (known[f"y_{name}"] == 1).to_numpy(), known[f"p_{name}"].to_numpy()
        assert figures["n"] == len(known)
        called = score >= figures["threshold"]
        (tn, fp), (fn, tp) = reference.confusion_matrix(truth, called, labels=[False, True])
        assert found["one_vs_rest"][name] == [[tn, fp], [fn, tp]]
        assert figures["roc_auc"] == pytest.approx(reference.roc_auc_score(truth, score))
        assert figures["average_precision"] == pytest.approx(reference.average_precision_score(truth, score))
        assert figures["recall"] == pytest.approx(reference.recall_score(truth, called))
        assert figures["f1"] == pytest.approx(reference.f1_score(truth, called, zero_division=0))
    areas = [found["per_class"][name]["roc_auc"] for name in found["counted"]]
    assert found["macro_roc_auc"] == pytest.approx(np.mean(areas))


def test_a_prediction_is_that_of_the_evaluation(findings_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    _, table = measured(findings_run, "test")
    some = table.head(3)
    files = [str(findings_run.picture(file)) for file in some["file"]]
    rows = printed(capsys, "predict", str(findings_run.path), "--json", "--force", *files)
    for row, (_, kept) in zip(rows, some.iterrows(), strict=True):
        assert row["task"] == FINDINGS
        assert row["probabilities"] == {name: kept[f"p_{name}"] for name in findings_run.classes}
        assert row["label"] == kept["decision"]
        assert (
            row["present"]
            == [name for name in findings_run.classes if name in kept["decision"].split(" | ")][: len(row["present"])]
        )
        limits = Predictor.load(findings_run).thresholds
        assert set(row["present"]) == {name for name, limit in limits.items() if row["probabilities"][name] >= limit}


def test_none_reaches_its_threshold(findings_run: Run) -> None:
    _, table = measured(findings_run, "test")
    nothing = table[table["decision"] == "No Finding"]
    limits = Predictor.load(findings_run).thresholds
    findings = [name for name in limits if "Devices" not in name]
    assert all((nothing[f"p_{name}"] < limits[name]).all() for name in findings)


def test_evaluation_in_words(findings_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(findings_run.path)]) == 0
    said = capsys.readouterr().out
    assert "macro ROC AUC" in said
    assert "not for clinical use" in said


def test_the_list_of_runs_has_it_whole(findings_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    folder, metrics = str(findings_run.path.parent), findings_run.metrics("test")
    assert metrics is not None
    (row,) = printed(capsys, "runs", "--runs", folder, "--json")
    assert (row["state"], row["task"]) == ("completed", FINDINGS)
    assert row["test_macro_roc_auc"] == metrics["macro_roc_auc"]
    assert row["test_macro_f1"] == metrics["macro_f1"]
    assert main(["runs", "--runs", folder]) == 0
    assert f"test macro ROC AUC {metrics['macro_roc_auc']:.3f}, macro F1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"monitor": "accuracy"}, "monitor: expected one of macro_roc_auc, macro_f1, loss for findings"),
        ({"uncertain_of": "Edemaa=1"}, "Edemaa"),
        ({"alpha": "0.5,0.5"}, "alpha: expected 7 numbers"),
        ({"labels": "No Finding>Nodule"}, "No Finding"),
    ],
)
def test_what_does_not_fit_the_findings_is_refused(
    findings_dataset: Path, tmp_path: Path, config: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        create_run(scan(findings_dataset), TrainConfig.create(backbone="small-cnn", **config), tmp_path / "runs")


def test_an_external_data_set_is_judged_by_the_findings_that_both_have(
    findings_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = draw_findings(tmp_path / "other", images=80, seed=9)
    table = pd.read_csv(other / "labels.csv")
    table = table.rename(columns={"Pleural Effusion": "effusion", "Nodule": "Mass"})
    table.to_csv(other / "labels.csv", index=False)
    run = Run(Path(shutil.copytree(findings_run.path, tmp_path / "runs" / findings_run.id)))
    found = printed(capsys, "evaluate", str(run.path), "--data", str(other), "--json")
    assert {"ours": "Pleural Effusion", "theirs": "effusion", "rule": "another spelling"} in found["matched"]
    assert found["absent"] == ["Nodule"]
    assert "Nodule" not in found["per_class"]
    (kept,) = externals(run)
    assert kept.measured[0]["per_class"] == found["per_class"]
    judged = kept.measured[1]
    known = judged[judged["y_Pleural Effusion"] != -1]
    truth, score = known["y_Pleural Effusion"] == 1, known["p_Pleural Effusion"]
    assert found["per_class"]["Pleural Effusion"]["roc_auc"] == pytest.approx(reference.roc_auc_score(truth, score))
    assert found["unmatched"] == ["Mass"]
    external = found["external"]
    assert external["against"] == json.loads(json.dumps(against(run, kept)))
    assert "macro ROC AUC over 5 findings that both have" in external["drop"]
    assert external["drop"] in verdict(run).details
    areas = external["against"]["per_class"]["Pleural Effusion"]["roc_auc"]
    assert areas["b"] == found["per_class"]["Pleural Effusion"]["roc_auc"]
    assert areas["b_ci"] == found["ci"]["per_class"]["Pleural Effusion"]["roc_auc"]
    own = measured(run, "test")[0]["per_class"]
    assert external["against"]["macro_roc_auc"]["a"] == pytest.approx(
        sum(own[name]["roc_auc"] for name in external["against"]["labels"]) / 5
    )
    save_operating_point(run, {"Pleural Effusion": 0.01})
    again = externals(run)[0].measured[0]
    assert again["thresholds"]["Pleural Effusion"] == 0.01
    assert again["per_class"]["Pleural Effusion"]["recall"] >= found["per_class"]["Pleural Effusion"]["recall"]
    assert "Nodule" not in again["per_class"]


def test_a_data_set_of_classes_is_no_external_data_set_of_findings(
    findings_run: Run, tiny_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(findings_run.path), "--data", str(tiny_dataset)]) == 1
    assert "has classes of which an image has one" in capsys.readouterr().err


@pytest.mark.parametrize("name", MAKERS)
def test_every_public_set_is_trained_on_judged_and_answered_for(name: str, tmp_path: Path) -> None:
    made = MAKERS[name](tmp_path / "set", rounds=6)
    # What the radiologists of 2019 labelled is for validation and test alone.
    rules = {"validation": "from train"} if name == "NIH radiologists 2019" else {}
    dataset = scan(made.root, answers=Answers(rules=rules))
    run = create_run(dataset, TrainConfig.create(**SMALL | {"image_size": 32, "epochs": 1}), tmp_path / "runs")
    work(run)
    assert run.state == "completed"
    assert run.info.origin["set"] == name
    metrics, table = measured(run, "test")
    assert metrics["n"] == len(table) > 0
    first = table.iloc[0]
    answer = next(Predictor.load(run).predict([(first["file"], run.picture(first["file"]))]))
    assert answer.error is None
    assert answer.label == first["decision"]
    assert answer.probabilities == {label: first[f"p_{label}"] for label in run.classes}


def test_a_set_without_training_images_says_how_to_train(tmp_path: Path) -> None:
    made = MAKERS["NIH radiologists 2019"](tmp_path / "set", rounds=6)
    with pytest.raises(DatasetError, match="Choose the rule validation = from train"):
        create_run(scan(made.root), TrainConfig.create(backbone="small-cnn"), tmp_path / "runs")


def test_pseudonyms_hide_who_and_where(findings_dataset: Path, tmp_path: Path) -> None:
    config = TrainConfig.create(backbone="small-cnn", pseudonyms=True)
    run = create_run(scan(findings_dataset), config, tmp_path / "runs")
    plain = scan(findings_dataset).samples
    kept = pd.concat([run.split["file"], run.split["patient"], run.split["study"]])
    assert not set(kept) & {*plain["file"], *plain["patient"], *plain["study"]} - {""}
    assert run.info.origin["tables"] == []
