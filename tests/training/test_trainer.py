"""The loop on kept features: what a history says, what it depends on, and how it is taken up again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cxr_core.config import TrainConfig
from cxr_core.errors import RunError
from cxr_core.hierarchy import Coherent
from cxr_core.model.features import FeatureStore, Space
from cxr_core.model.losses import softmax_focal_loss
from cxr_core.training.objectives import CoherentClasses, Exclusive
from cxr_core.training.trainer import Part, Trainer

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
WIDTH = 6
CPU = torch.device("cpu")


def part(folder: Path, images: int, seed: int, flipped: bool = False, views: int = 1) -> Part:
    """Kept features of made-up images: three clusters, each a class; ``flipped``: with the labels turned round."""
    random = np.random.default_rng(seed)
    label = np.arange(images) % 3
    centres = np.random.default_rng(99).normal(size=(3, WIDTH))
    store = FeatureStore(Space("made-up", f"{seed}", 1, 32, (WIDTH,), "float16"), folder)
    names = [f"{k:032x}:{view}" for view in range(views) for k in range(images)]
    if store.missing(names):
        features = np.tile(centres[label], (views, 1)) + random.normal(scale=0.7, size=(len(names), WIDTH))
        with store.lock:
            store.append(names, features.astype(np.float16))
    rows = store.rows(names).reshape(views, images).T
    return Part(store, np.ascontiguousarray(rows), (label + 1) % 3 if flipped else label)


def trainer(folder: Path, flipped: bool = False, state: str = "last", views: int = 1, **config: Any) -> Trainer:
    """A small head on 26 training and 12 validation images, which stands where ``folder/state`` says."""
    given = {"weights": "none", "epochs": 5, "batch_size": 8, "lr": 0.05, "labels": "single", **config}
    checked = TrainConfig.create(**given)
    torch.manual_seed(checked.seed)
    suffix = nn.Sequential(nn.Linear(WIDTH, 8), nn.ReLU(), nn.Dropout(checked.dropout), nn.Linear(8, 3))
    implied = {"COVID19": ("PNEUMONIA",)} if checked.labels != "single" else {}
    val = part(folder, 12, seed=2, flipped=flipped)
    train = part(folder, 26, 1, views=views)
    objective = Exclusive(checked, CLASSES, implied, train.label, CPU)
    if implied and checked.hierarchy == "conditional":
        objective = CoherentClasses(checked, CLASSES, Coherent(CLASSES, implied), train.label, CPU)
    return Trainer(checked, objective, train, val, suffix, folder / state, CPU)


def rows(training: Trainer, should_stop: Callable[[], bool] = lambda: False) -> list[dict[str, Any]]:
    """The history without times."""
    times = ("seconds", "images_per_second")
    return [{key: row[key] for key in row if key not in times} for row in training.epochs(should_stop)]


class StopAfter:
    """Asks to stop from the n-th time on that it is asked: once per step, and once at the end of each epoch."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


VARIANTS = [
    {},
    {"optimizer": "adamw", "schedule": "cosine", "lr": 0.01},
    {"schedule": "one-cycle", "labels": "covid-implies-pneumonia", "alpha": "balanced"},
    {"labels": "covid-implies-pneumonia", "hierarchy": "flat", "alpha": "balanced"},
    {"views": 3, "momentum": 0.0},
]


@pytest.mark.parametrize("config", VARIANTS)
def test_same_seed_same_history_and_another_seed_another(tmp_path: Path, config: dict[str, Any]) -> None:
    first = rows(trainer(tmp_path, state="a", **config))
    assert first == rows(trainer(tmp_path, state="b", **config))
    assert first != rows(trainer(tmp_path, state="c", **{**config, "seed": 1}))


@pytest.mark.parametrize("questions", [0, 2, 5, 6, 7])
@pytest.mark.parametrize("config", VARIANTS)
def test_stopped_anywhere_and_resumed_is_the_uninterrupted_history(
    tmp_path: Path, config: dict[str, Any], questions: int
) -> None:
    whole = trainer(tmp_path, state="whole", **config)
    expected = rows(whole)

    stopped = trainer(tmp_path, state="stopped", **config)
    before = rows(stopped, StopAfter(questions))
    assert not stopped.finished
    assert len(before) == (questions + 1) // 5  # four steps an epoch, and the question at its end

    resumed = trainer(tmp_path, state="stopped", **config)
    assert before + rows(resumed) == expected
    assert resumed.standing == whole.standing
    assert all(torch.equal(resumed.best[name], value) for name, value in whole.best.items())


@pytest.mark.parametrize("epochs_seen", [1, 2, 3, 4])
def test_a_crash_costs_epochs_but_changes_none(tmp_path: Path, epochs_seen: int) -> None:
    expected = rows(trainer(tmp_path, state="whole", optimizer="adamw"))
    crashed = trainer(tmp_path, state="crashed", optimizer="adamw").epochs(lambda: False)
    for _ in range(epochs_seen):
        next(crashed)
    resumed = trainer(tmp_path, state="crashed", optimizer="adamw")
    kept = resumed.standing.epoch
    assert kept < epochs_seen
    assert rows(resumed) == expected[kept:]


def test_a_weight_layout_of_its_own_survives_the_state(tmp_path: Path) -> None:
    """Convolutions keep their weights channels-last; the optimiser's state has to lie in memory as they do."""

    def build(state: str) -> Trainer:
        torch.manual_seed(0)
        suffix = nn.Sequential(nn.Unflatten(1, (WIDTH, 1, 1)), nn.Conv2d(WIDTH, 3, 3, padding=1), nn.Flatten())
        config = TrainConfig.create(weights="none", epochs=4, optimizer="adamw", lr=0.01, labels="single")
        last = suffix.to(memory_format=torch.channels_last)
        train = part(tmp_path, 26, 1)
        objective = Exclusive(config, CLASSES, {}, train.label, CPU)
        return Trainer(config, objective, train, part(tmp_path, 12, 2), last, tmp_path / state, CPU)

    expected = rows(build("whole"))
    before = rows(build("stopped"), StopAfter(5))
    assert before + rows(build("stopped")) == expected


@pytest.mark.parametrize("batch_size", [1, 4, 7, 26, 100])
def test_the_loss_is_the_mean_over_images_whatever_the_batches(tmp_path: Path, batch_size: int) -> None:
    # A learning rate too small to move a float32 weight: every batch meets the same network.
    training = trainer(tmp_path, lr=1e-30, dropout=0.0, batch_size=batch_size, epochs=1, gamma=1.2)
    (row,) = rows(training)
    features = torch.from_numpy(training.train.store.read(training.train.rows[:, 0])).float()
    logits = training.suffix(features)
    expected = softmax_focal_loss(logits, torch.from_numpy(training.train.label), gamma=1.2).item()
    assert row["train"]["loss"] == pytest.approx(expected, rel=1e-5)


def test_a_row_says_what_it_measured(tmp_path: Path) -> None:
    (row,) = rows(trainer(tmp_path, epochs=1))
    assert set(row) == {"epoch", "lr", "train", "val", "best"}
    assert set(row["train"]) == {"loss", "accuracy", "macro_f1"}
    assert set(row["val"]) == {"loss", "accuracy", "macro_f1", "balanced_accuracy", "recall", "confusion"}
    assert np.sum(row["val"]["confusion"]) == 12
    assert set(row["val"]["recall"]) == set(CLASSES)
    assert row["best"] is True


def test_it_learns(tmp_path: Path) -> None:
    history = rows(trainer(tmp_path, epochs=25, dropout=0.0))
    assert history[-1]["train"]["loss"] < history[0]["train"]["loss"] / 2
    assert max(row["val"]["accuracy"] for row in history) > 0.6


@pytest.mark.parametrize("monitor", ["macro_f1", "balanced_accuracy", "accuracy", "loss"])
def test_the_best_epoch_is_the_best_by_the_monitored_metric(tmp_path: Path, monitor: str) -> None:
    training = trainer(tmp_path, monitor=monitor, epochs=8, lr=0.3)
    history = rows(training)
    sign = -1 if monitor == "loss" else 1
    scores = [(sign * row["val"][monitor], -row["val"]["loss"]) for row in history]
    assert training.standing.best_epoch == scores.index(max(scores)) + 1
    assert [row["best"] for row in history] == [
        score > max(scores[:k], default=(-9e9,)) for k, score in enumerate(scores)
    ]


def test_the_best_weights_are_those_of_the_best_epoch_not_of_the_last(tmp_path: Path) -> None:
    """Validation labels turned round: the better the training, the worse the validation."""
    training = trainer(tmp_path, flipped=True, monitor="loss", dropout=0.0)
    history = rows(training)
    assert training.standing.best_epoch == 1
    assert history[-1]["val"]["loss"] > history[0]["val"]["loss"]
    training.suffix.load_state_dict(training.best)
    assert training.validate()[0] == history[0]["val"]["loss"]


def test_patience_counts_epochs_without_gain(tmp_path: Path) -> None:
    training = trainer(tmp_path, flipped=True, monitor="loss", dropout=0.0, patience=3, epochs=50)
    assert [row["best"] for row in rows(training)] == [True, False, False, False]
    assert training.finished
    again = trainer(tmp_path, flipped=True, monitor="loss", dropout=0.0, patience=3, epochs=50)
    assert again.finished
    assert rows(again) == []


def test_without_patience_all_epochs_are_trained(tmp_path: Path) -> None:
    assert len(rows(trainer(tmp_path, flipped=True, monitor="loss", patience=0, epochs=6))) == 6


def test_a_diverging_training_says_so_and_what_to_do(tmp_path: Path) -> None:
    training = trainer(tmp_path, lr=10, epochs=50, alpha="900000,900000,900000")
    # Layers without a bend between them: nothing limits how far they drive each other.
    training.suffix[1], training.suffix[2] = nn.Identity(), nn.Identity()
    with pytest.raises(RunError, match=r"diverged.*learning rate \(now 10\)"):
        rows(training)


def test_progress_counts_images(tmp_path: Path) -> None:
    seen: list[tuple[int, int, int]] = []
    list(trainer(tmp_path, epochs=2).epochs(lambda: False, lambda *step: seen.append(step)))
    assert seen == [(epoch, done, 26) for epoch in (1, 2) for done in (8, 16, 24, 26)]


def orders(training: Trainer) -> list[list[int]]:
    """The rows of the training images as each epoch reads them."""
    store, validation = training.train.store, training.val.store.folder
    assert store.folder != validation
    read, seen = store.read, list[int]()

    def noted(rows: np.ndarray) -> np.ndarray:
        seen.extend(rows.tolist())
        return read(rows)

    store.read = noted  # type: ignore[method-assign]
    found = []
    for _ in training.epochs(lambda: False):
        found.append(list(seen))
        seen.clear()
    return found


def test_every_epoch_sees_every_image_once_in_an_order_of_its_own(tmp_path: Path) -> None:
    found = orders(trainer(tmp_path, epochs=4))
    assert [sorted(order) for order in found] == [list(range(26))] * 4
    assert len({tuple(order) for order in [*found, list(range(26))]}) == 5
    assert orders(trainer(tmp_path, state="again", epochs=4)) == found
    other = orders(trainer(tmp_path, state="other", epochs=4, seed=1))
    assert not {tuple(order) for order in other} & {tuple(order) for order in found}


def test_every_epoch_draws_one_view_of_every_image_anew(tmp_path: Path) -> None:
    found = orders(trainer(tmp_path, epochs=4, views=3))
    assert [sorted(row % 26 for row in order) for order in found] == [list(range(26))] * 4
    drawn = [tuple(row // 26 for row in sorted(order, key=lambda row: row % 26)) for order in found]
    assert len(set(drawn)) == 4
    assert {view for views in drawn for view in views} == {0, 1, 2}
