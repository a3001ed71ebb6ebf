"""A training that lost its way says so beside its results, and one that learns says nothing."""

import logging
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_core.reports.verdict import verdict
from cxr_core.runs.records import Epoch, of
from cxr_core.training.divergence import Guess, signs
from cxr_core.training.worker import work
from cxr_core.ui.run.table import cautions
from tests.runs_support import FROZEN, new_run, train

CLASSES = ["A", "B", "C"]
LEARNT = [[3, 0, 1], [1, 4, 0], [0, 0, 2]]


def row(epoch: int, train: float, val: float, confusion: list[list[int]] = LEARNT) -> Epoch:
    figures = {"train": {"loss": train}, "val": {"loss": val, "confusion": confusion}}
    return of({"epoch": epoch, "best": False, **figures}, Epoch)


def test_what_learns_says_nothing() -> None:
    history = [row(1, 1.2, 1.1), row(2, 0.4, 0.9), row(3, 0.05, 3.1)]
    for chosen in (1, 2, 3):
        assert signs(history, chosen, Guess(1.0, 1.0), CLASSES, 0.1) == []


def test_a_loss_far_above_guessing_is_said_with_both_numbers() -> None:
    (sign,) = signs([row(1, 1e28, 2e27)], 1, Guess(1.05, 1.1), CLASSES, 10)
    assert "diverged" in sign
    assert all(number in sign for number in ("1e+28", "2e+27", "1.05", "1.1", "now 10", "epoch 1"))


def test_a_training_that_diverged_after_its_best_epoch_and_one_that_recovered() -> None:
    (sign,) = signs([row(1, 0.9, 0.9), row(2, 50.0, 60.0)], 1, Guess(1.0, 1.0), CLASSES, 1)
    assert sign.startswith("The training diverged after epoch 1, which is used")
    assert signs([row(1, 80.0, 90.0), row(2, 0.5, 0.6)], 2, Guess(1.0, 1.0), CLASSES, 1) == []


def test_one_answer_for_all_is_said() -> None:
    (sign,) = signs([row(1, 1.0, 1.0, [[0, 4, 0], [0, 5, 0], [0, 2, 0]])], 1, Guess(1.0, 1.0), CLASSES, 1)
    assert "answers B for all 11 validation images" in sign
    # Validation shows one class alone: one answer is right.
    assert signs([row(1, 1.0, 1.0, [[0, 0, 0], [0, 5, 0], [0, 0, 0]])], 1, Guess(1.0, 1.0), CLASSES, 1) == []


@given(st.floats(0, 1.99), st.floats(0, 9.99), st.floats(0.01, 100))
def test_only_the_ratio_to_guessing_counts(train_share: float, val_share: float, scale: float) -> None:
    guess = Guess(scale, scale)
    assert signs([row(1, train_share * scale, val_share * scale)], 1, guess, CLASSES, 1) == []
    assert signs([row(1, 2.01 * scale, val_share * scale)], 1, guess, CLASSES, 1) != []
    assert signs([row(1, train_share * scale, 10.1 * scale)], 1, guess, CLASSES, 1) != []


def test_a_learning_rate_of_ten_completes_and_says_so_everywhere(
    tiny_dataset: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cxr_core")
    config = {**FROZEN, "lr": 10, "epochs": 4, "monitor": "loss", "labels": "single", "hidden": ()}
    run = train(tiny_dataset, tmp_path / "runs", **config)
    assert run.state == "completed"
    (sign,) = [warning for warning in run.warnings if "diverged" in warning]
    metrics = run.metrics("test")
    assert metrics is not None
    assert sign in metrics["warnings"]
    assert run.diverged[0] == sign
    assert "the training diverged" in verdict(run).sentence.lower()
    assert sign in verdict(run).details
    assert run.name in " ".join(cautions([run]))
    # The log's own words.
    assert len([line for line in caplog.messages if line == f"Note: {sign}"]) == 1


@pytest.mark.parametrize("labels", ["single", "flat", "conditional"])
def test_guessing_is_the_entropy_of_the_shares(
    tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: str
) -> None:
    """Plain cross entropy of a constant answer, written out by hand."""
    from cxr_core.training.trainer import Trainer

    seen: list[tuple[Guess, np.ndarray, np.ndarray]] = []
    guessing = Trainer.guessing

    def spy(trainer: Trainer) -> Guess:
        found = guessing(trainer)
        seen.append((found, trainer.train.label, trainer.val.label))
        return found

    monkeypatch.setattr(Trainer, "guessing", spy)
    read = {"labels": "single"} if labels == "single" else {"hierarchy": labels}
    run = new_run(tiny_dataset, tmp_path / "runs", epochs=1, gamma=0, **read)
    work(run)
    ((found, train_label, val_label),) = seen
    names = run.classes
    for value, label in ((found.train, train_label), (found.val, val_label)):
        total = 0.0
        for index in label:
            if labels == "single":
                total -= math.log((train_label == index).mean())
                continue
            for name in names:
                # Coherent labels: what is not asked of an image is not answered, and NORMAL is asked of none.
                asked = [k for k in train_label if _asked(names[k], name, labels)]
                if _asked(names[index], name, labels):
                    share = np.mean([_is(names[other], name) for other in asked])
                    total -= math.log(share if _is(names[index], name) else 1 - share)
        # With implied labels each class is a question of its own, and the mean goes over those too.
        questions = {"single": 1, "flat": len(names)}.get(labels, len(names) - 1)
        assert value == pytest.approx(total / len(label) / questions, rel=1e-5)


def _asked(label: str, name: str, labels: str) -> bool:
    if labels == "flat":
        return True
    return name == "PNEUMONIA" or (name == "COVID19" and label != "NORMAL")


def _is(label: str, name: str) -> bool:
    return label == name or (label, name) == ("COVID19", "PNEUMONIA")
