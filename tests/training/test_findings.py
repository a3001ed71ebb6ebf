"""Training on findings: what is learnt and judged of labels that are uncertain or blank, and what an epoch says."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as reference
import torch
from torch import nn

from cxr_core.config import TrainConfig
from cxr_core.errors import RunError
from cxr_core.findings import Policy, column
from cxr_core.hierarchy import Hierarchy
from cxr_core.model.features import FeatureStore, Space
from cxr_core.training.findings import JUDGED, LEARNT, TARGET, TRUTH, Findings, labelled
from cxr_core.training.trainer import Part, Trainer

NAMES = ["No Finding", "Opacity", "Pneumonia", "Nodule"]
TREE = Hierarchy(NAMES, {"Pneumonia": ("Opacity",)})
WIDTH = 8
CPU = torch.device("cpu")
NAN = float("nan")


def table(rows: list[list[float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[column(name) for name in NAMES])


def drawn(images: int, seed: int) -> pd.DataFrame:
    """Labels of made-up images: each finding by itself, a tenth uncertain, a tenth blank."""
    random = np.random.default_rng(seed)
    values = (random.random((images, 4)) < 0.4).astype(float)
    values[:, 2] *= values[:, 1]
    kind = random.random(values.shape)
    values[kind < 0.2] = -1
    values[kind < 0.1] = NAN
    values[:, 0] = NAN
    return table(values.tolist())


def part(folder: Path, images: int, seed: int, policy: Policy) -> Part:
    """Kept features in which each finding shows as a direction of its own."""
    samples = drawn(images, seed)
    label = labelled(samples, TREE, policy)
    random = np.random.default_rng(seed + 100)
    directions = np.random.default_rng(7).normal(size=(4, WIDTH))
    features = label[:, TRUTH] @ directions + random.normal(scale=0.8, size=(images, WIDTH))
    store = FeatureStore(Space("made-up", f"{seed}", 1, 32, (WIDTH,), "float16"), folder)
    names = [f"{k:032x}:0" for k in range(images)]
    if store.missing(names):
        with store.lock:
            store.append(names, features.astype(np.float16))
    return Part(store, store.rows(names)[:, None], label)


def trainer(folder: Path, state: str = "last", **config: Any) -> Trainer:
    given = {"weights": "none", "epochs": 6, "batch_size": 16, "lr": 0.1, "dropout": 0.0, **config}
    checked = TrainConfig.create(**given)
    torch.manual_seed(checked.seed)
    suffix = nn.Sequential(nn.Linear(WIDTH, 4))
    train, val = part(folder, 120, 1, checked.policy), part(folder, 60, 2, checked.policy)
    objective = Findings(checked, TREE, train.label, val.label, CPU)
    return Trainer(checked, objective, train, val, suffix, folder / state, CPU)


def history(training: Trainer) -> list[dict[str, Any]]:
    return [
        {key: row[key] for key in row if key not in ("seconds", "images_per_second")}
        for row in training.epochs(lambda: False)
    ]


def test_the_labels_of_an_image() -> None:
    label = labelled(table([[0, 0, 1, -1], [1, NAN, NAN, NAN], [0, 1, -1, 0.25]]), TREE, Policy(uncertain="1"))
    assert label.shape == (3, 4, 4)
    # A pneumonia is an opacity, whatever was said of that; what is uncertain is learnt as the policy says, and judged
    # by nothing.
    assert label[0, :, 1].tolist() == [1, 1, 1, 1]
    assert label[0, :, 3].tolist() == [0, 0, 1, 1]
    # No Finding says that nothing is there; pneumonia is learnt where there is an opacity alone.
    assert label[1, [TRUTH, JUDGED]].tolist() == [[1, 0, 0, 0], [1, 1, 1, 1]]
    assert label[1, LEARNT].tolist() == [0, 1, 0, 1]
    assert label[2, [TARGET, LEARNT], 2].tolist() == [1, 1]
    assert label[2, [TRUTH, JUDGED], 2].tolist() == [0, 0]
    # A quarter of the readers saw the nodule: learnt as that, judged as not there.
    assert label[2, :, 3].tolist() == [0, 1, 0.25, 1]
    # What means none of the findings is never learnt.
    assert not label[:, LEARNT, 0].any()


def test_same_seed_same_history_and_the_findings_are_learnt(tmp_path: Path) -> None:
    first = history(trainer(tmp_path, "a"))
    assert first == history(trainer(tmp_path, "b"))
    assert first != history(trainer(tmp_path, "c", seed=1))
    last = first[-1]["val"]
    assert last["macro_roc_auc"] > 0.8
    assert last["roc_auc"].keys() == {"Opacity", "Pneumonia", "Nodule"}
    best = max(first, key=lambda row: (row["val"]["macro_roc_auc"], -row["val"]["loss"]))
    assert [row["epoch"] for row in first if row["best"]][-1] == best["epoch"]


def test_the_figures_of_an_epoch_are_scikit_learns_over_what_is_certain(tmp_path: Path) -> None:
    training = trainer(tmp_path)
    list(training.epochs(lambda: False))
    row = training.objective.figures(training.val.label, (p := training.validate()[1]))
    label, areas, best = training.val.label, [], []
    for k in (1, 2, 3):
        known = label[:, JUDGED, k] > 0
        truth, score = label[known, TRUTH, k], p[known, k]
        areas.append(reference.roc_auc_score(truth, score))
        best.append(max(reference.f1_score(truth, score >= limit) for limit in score))
    assert list(row["roc_auc"].values()) == pytest.approx(areas)
    assert row["macro_roc_auc"] == pytest.approx(np.mean(areas))
    assert row["macro_f1"] == pytest.approx(np.mean(best))


def test_what_is_shown_is_coherent_and_the_rule_has_no_threshold_for_none(tmp_path: Path) -> None:
    training = trainer(tmp_path)
    list(training.epochs(lambda: False))
    p = training.validate()[1]
    assert (p[:, 2] <= p[:, 1]).all()
    assert p[:, 0] == pytest.approx((1 - p[:, 1]) * (1 - p[:, 3]))
    rule = training.rule()
    assert rule["thresholds"].keys() == {"Opacity", "Pneumonia", "Nodule"}
    assert 0.05 <= rule["temperature"] <= 20


def test_a_wanted_sensitivity_is_reached_on_validation(tmp_path: Path) -> None:
    training = trainer(tmp_path, threshold_by="sensitivity", sensitivity=0.9)
    list(training.epochs(lambda: False))
    rule = training.rule()
    label = training.val.label
    logits = training._validation_logits()[1].double().numpy()
    p = training.objective.probabilities(logits, rule["temperature"])
    for k in (1, 2, 3):
        there = (label[:, JUDGED, k] > 0) & (label[:, TRUTH, k] > 0)
        assert (p[there, k] >= rule["thresholds"][NAMES[k]]).mean() >= 0.9


def test_what_is_not_learnt_has_no_gradient(tmp_path: Path) -> None:
    training = trainer(tmp_path)
    logits = torch.zeros(120, 4, requires_grad=True)
    torch.autograd.backward(training.objective.loss(logits, training.train.label))
    assert logits.grad is not None
    learnt = training.train.label[:, LEARNT] > 0
    assert (logits.grad.numpy()[~learnt] == 0).all()
    assert (logits.grad.numpy()[learnt] != 0).all()


def test_guessing_is_the_best_that_one_answer_for_all_reaches(tmp_path: Path) -> None:
    training = trainer(tmp_path, gamma=0)
    guess = training.guessing().train
    answer = torch.tensor(training.objective.guess(), dtype=torch.float32)
    for k in (1, 2, 3):
        for step in (-0.2, 0.2):
            other = answer.clone()
            other[k] += step
            assert training.objective.loss(other.expand(120, -1), training.train.label).item() > guess


def test_a_validation_split_that_cannot_choose_is_refused() -> None:
    config = TrainConfig.create(weights="none")
    train, val = labelled(drawn(40, 1), TREE, config.policy), labelled(table([[1, 0, 0, 0]] * 5), TREE, config.policy)
    with pytest.raises(RunError, match="no finding is both present and absent in the 5 validation images"):
        Findings(config, TREE, train, val, CPU)
    Findings(TrainConfig.create(weights="none", monitor="loss"), TREE, train, val, CPU)
