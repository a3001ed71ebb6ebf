"""The nine defects of the notebook this project starts from, each shown to be absent.

Each test is a short real check; the laws behind it are tested with the modules named in its docstring.
"""

import ast
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from cxr_core.data.cautions import cautions
from cxr_core.data.dataset import scan
from cxr_core.inference.trained import Trained
from cxr_core.labels import decide, targets
from cxr_core.model.features import FeatureStore, kept_spaces
from cxr_core.model.losses import sigmoid_focal_loss, softmax_focal_loss
from cxr_core.model.network import initial_suffix, load_prefix, space_of
from cxr_core.runs.run import Run
from tests import ROOT
from tests.runs_support import CLASSES, FROZEN, noise, train

PACKAGE = ROOT / "cxr_core"


def test_1_the_convolutions_are_really_frozen(frozen_run: Run) -> None:
    """model.network: what is frozen asks for no gradient, and a training leaves every bit of it as it was."""
    prefix = Trained.load(frozen_run).prefix
    assert any(isinstance(module, torch.nn.Conv2d) for module in prefix.modules())
    assert not any(parameter.requires_grad for parameter in prefix.parameters())
    before = load_prefix(frozen_run.config, FeatureStore(space_of(frozen_run.config))).state_dict()
    after = load_file(frozen_run.prefix_file)
    assert all(torch.equal(before[name], value) for name, value in after.items())
    trained = initial_suffix(frozen_run.config, len(CLASSES))
    assert not any(isinstance(module, torch.nn.Conv2d) for module in trained.modules())
    assert all(parameter.requires_grad for parameter in trained.parameters())


def test_2_the_focal_factor_belongs_to_each_element() -> None:
    """model.losses: one hard example among easy ones keeps its full weight."""
    easy, hard = torch.tensor([[6.0, -6.0, -6.0]]), torch.tensor([[-6.0, 6.0, 6.0]])
    batch, truth = torch.cat([easy] * 7 + [hard]), torch.tensor([[1.0, 0.0, 0.0]]).repeat(8, 1)
    alone = sigmoid_focal_loss(hard, truth[:1], gamma=1.2) / 8 + sigmoid_focal_loss(easy, truth[:1], gamma=1.2) * 7 / 8
    assert sigmoid_focal_loss(batch, truth, gamma=1.2).item() == pytest.approx(alone.item(), rel=1e-6)
    # The notebook's: a factor made of the batch's mean loss.
    mean = torch.nn.functional.binary_cross_entropy_with_logits(batch, truth)
    theirs = (1 - torch.exp(-mean)) ** 1.2 * mean
    assert abs(theirs.item() - alone.item()) > 0.1 * alone.item()
    several = torch.cat([softmax_focal_loss(row[None], torch.tensor([0]), gamma=1.2)[None] for row in batch])
    together = softmax_focal_loss(batch, torch.zeros(8, dtype=torch.long), gamma=1.2)
    assert together.item() == pytest.approx(several.mean().item(), rel=1e-6)


def test_3_implied_labels_do_not_compete() -> None:
    """labels: COVID19 with PNEUMONIA above it in probability is COVID19, and nothing that fires is NORMAL."""
    implied = {"COVID19": ("PNEUMONIA",)}
    assert targets(np.array([0]), CLASSES, implied).tolist() == [[1, 0, 1]]
    limits = dict.fromkeys(CLASSES, 0.5)
    probabilities = np.array([[0.7, 0.1, 0.95], [0.2, 0.1, 0.9], [0.1, 0.4, 0.2], [0.1, 0.9, 0.2]])
    assert [CLASSES[k] for k in decide(probabilities, CLASSES, implied, limits)] == [
        "COVID19",
        "PNEUMONIA",
        "NORMAL",
        "NORMAL",
    ]
    assert probabilities[0].argmax() == 2  # argmax would have said PNEUMONIA


def test_4_the_loss_is_a_mean_over_images(tiny_dataset: Path, tmp_path: Path) -> None:
    """training.trainer: the size of the batches, which divide nothing evenly here, does not move it."""
    still = {**FROZEN, "lr": 1e-30, "dropout": 0, "epochs": 1}
    runs = [train(tiny_dataset, tmp_path / "runs", **{**still, "batch_size": size}) for size in (1, 5, 100)]
    losses = [run.history[0].train.loss for run in runs]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


def test_5_the_best_epoch_on_a_validation_split_is_kept(tmp_path: Path) -> None:
    """training.worker: validation contradicts the training here, so the first epochs are the best."""
    for k in range(6):
        for split, dark, bright in (("train", "A", "B"), ("val", "B", "A"), ("test", "A", "B")):
            noise(tmp_path / "data" / split / dark / f"{k}.png", 100 + k, high=90)
            noise(tmp_path / "data" / split / bright / f"{k}.png", 200 + k, low=160)
    config = {"epochs": 5, "image_size": 32, "monitor": "loss", "dropout": 0, "train_anyway": True}
    run = train(tmp_path / "data", tmp_path / "runs", **config)
    kept = json.loads((run.path / "decision.json").read_text())["epoch"]
    losses = [row.val.loss or 0.0 for row in run.history]
    assert kept == losses.index(min(losses)) + 1 < 5
    assert run.weights_file.read_bytes() != (run.path / "last.safetensors").read_bytes()
    used = Trained.load(run).suffix.state_dict()
    assert all(torch.equal(used[name], value) for name, value in load_file(run.weights_file).items())


def test_5_a_validation_split_is_taken_where_there_is_none(completed_run: Run) -> None:
    """data.splits: from train alone; the test stays as it was given."""
    counts = completed_run.split.groupby("split").size()
    given = scan(Path(completed_run.info.data)).samples.groupby("split").size()
    assert counts["val"] > 0
    assert counts["train"] + counts["val"] == given["train"]
    assert counts["test"] == given["test"]


def test_6_different_collections_in_train_and_test_are_said(tiny_dataset: Path, tmp_path: Path) -> None:
    """data.cautions: in the run, and so beside each of its results."""
    rows = [(label, split, source) for label in CLASSES for split, source in (("train", "one"), ("test", "another"))]
    table = pd.DataFrame(rows, columns=["label", "split", "source"]).assign(
        patient="", digest=range(6), file=[f"{k}.png" for k in range(6)]
    )
    (sentence,) = cautions(table.assign(digest=table["digest"].astype(str)), tmp_path)
    assert sentence.startswith("Train is from one and test from another")

    folder = Path(shutil.copytree(tiny_dataset, tmp_path / "data set"))
    listed = pd.read_csv(folder / "sources.csv", dtype=str)
    listed["source"] = listed["file"].str.startswith("train").map({True: "one", False: "another"})
    listed.to_csv(folder / "sources.csv", index=False)
    run = train(folder, tmp_path / "runs", epochs=1)
    assert sentence in run.warnings
    assert sentence in (run.metrics("test") or {})["warnings"]


def test_7_the_counts_are_counted(tiny_dataset: Path, tmp_path: Path) -> None:
    """data.dataset: a file more is one more, and the classes are the folders."""
    folder = Path(shutil.copytree(tiny_dataset, tmp_path / "data set"))
    before = scan(folder).counts()
    noise(folder / "train" / "NORMAL" / "new.png", seed=1)
    noise(folder / "train" / "TUBERCULOSIS" / "new.png", seed=2)
    after = scan(folder).counts()
    assert after.loc["train", "NORMAL"] == before.loc["train", "NORMAL"] + 1
    assert after.loc["train", "TUBERCULOSIS"] == 1
    assert after.to_numpy().sum() == before.to_numpy().sum() + 2
    for split in after.index:
        for name in before.columns:
            assert after.loc[split, name] == len(list((folder / split / name).glob("*.png")))


def test_8_no_file_of_a_run_runs_code(completed_run: Run, frozen_run: Run) -> None:
    """inference.trained: weights are safetensors, all else is text, and nothing is ever unpickled unguarded."""
    for run in (completed_run, frozen_run):
        for file in run.path.rglob("*"):
            if file.suffix == ".safetensors":
                with safe_open(file, framework="pt") as weights:
                    assert list(weights.keys())
            elif file.suffix == ".npz":
                assert np.load(file, allow_pickle=False).files
            elif file.is_file():
                file.read_text(encoding="utf-8")
    for source in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            flags = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert called not in ("pickle.load", "pickle.loads", "torch.save", "joblib.load"), source
            if called in ("torch.load", "torch.hub.load_state_dict_from_url"):
                assert flags.get("weights_only") == "True", source
            assert flags.get("allow_pickle", "False") == "False", source


def test_9_the_frozen_part_sees_each_image_once(tiny_dataset: Path, tmp_path: Path) -> None:
    """model.features: not again in the second epoch, nor in a second training with other hyperparameters."""
    first = train(tiny_dataset, tmp_path / "runs", **{**FROZEN, "epochs": 3})
    (kept,) = kept_spaces()
    assert kept.rows == len(scan(tiny_dataset).samples)
    second = train(tiny_dataset, tmp_path / "runs", **{**FROZEN, "lr": 0.1, "gamma": 0.0, "hidden": (4,)})
    assert kept_spaces() == [kept]
    assert first.state == second.state == "completed"
