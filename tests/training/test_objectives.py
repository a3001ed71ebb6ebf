"""What coherent classes are learnt by: each label where all that it implies is there, nothing else, image by image."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cxr_core.config import TrainConfig
from cxr_core.hierarchy import Coherent
from cxr_core.training.objectives import CoherentClasses

CLASSES = ["BACTERIAL", "COVID19", "LOBAR", "NORMAL", "PNEUMONIA"]
IMPLIED = {"BACTERIAL": ("PNEUMONIA",), "COVID19": ("PNEUMONIA",), "LOBAR": ("BACTERIAL", "PNEUMONIA")}
# By class: 1 and 0 are learnt, - is not.
TAUGHT = {"BACTERIAL": "100-1", "COVID19": "01--1", "LOBAR": "101-1", "NORMAL": "----0", "PNEUMONIA": "00--1"}
LABEL = np.array([0, 1, 2, 3, 4, 4, 3, 1, 3])
CPU = torch.device("cpu")


def objective(label: np.ndarray = LABEL, **config: Any) -> CoherentClasses:
    return CoherentClasses(TrainConfig.create(**config), CLASSES, Coherent(CLASSES, IMPLIED), label, CPU)


def drawn(images: int = len(LABEL), seed: int = 0) -> Tensor:
    return 3 * torch.randn(images, len(CLASSES), generator=torch.Generator().manual_seed(seed))


def taught(label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets and which of them are learnt, (N, K)."""
    marks = np.array([list(TAUGHT[CLASSES[k]]) for k in label])
    # LOBAR is learnt only within BACTERIAL, of which a plain BACTERIAL is a no.
    return marks == "1", marks != "-"


def by_hand(logits: Tensor, label: np.ndarray, gamma: float, alpha: np.ndarray | None) -> float:
    """The focal loss in double precision, element by element."""
    p = 1 / (1 + np.exp(-logits.double().numpy()))
    targets, learns = taught(label)
    total = 0.0
    for n, k in zip(*np.nonzero(learns), strict=True):
        right = p[n, k] if targets[n, k] else 1 - p[n, k]
        weight = 1.0 if alpha is None else alpha[k] if targets[n, k] else 1 - alpha[k]
        total -= weight * (1 - right) ** gamma * np.log(right)
    # NORMAL is not learnt: four labels are.
    return total / (len(label) * 4)


@pytest.mark.parametrize("gamma", [0.0, 1.2, 3.0])
@pytest.mark.parametrize("alpha", ["none", "balanced", (0.1, 0.2, 0.3, 0.4, 0.5)])
def test_the_loss_is_the_focal_loss_of_what_is_learnt(gamma: float, alpha: Any) -> None:
    targets, learns = taught(LABEL)
    positives, known = (targets & learns).sum(axis=0), learns.sum(axis=0)
    balanced = np.where(known > 0, 1 - positives / np.maximum(known, 1), 0.5)
    named: dict[Any, np.ndarray | None] = {"none": None, "balanced": balanced}
    weights = named[alpha] if alpha in named else np.array(alpha)
    found = objective(gamma=gamma, alpha=alpha).loss(drawn(), LABEL).item()
    assert found == pytest.approx(by_hand(drawn(), LABEL, gamma, weights), rel=1e-5)


def test_what_is_not_learnt_has_no_gradient_and_no_part_in_the_loss() -> None:
    logits = drawn().requires_grad_(True)
    loss = objective(gamma=1.2, alpha="balanced").loss(logits, LABEL)
    (gradient,) = torch.autograd.grad(loss, logits)
    _, learns = taught(LABEL)
    assert np.array_equal((gradient != 0).numpy(), learns)
    spoilt = logits.detach().clone()
    spoilt[torch.from_numpy(~learns)] = float("nan")
    assert objective(gamma=1.2, alpha="balanced").loss(spoilt, LABEL).item() == loss.item()


@given(st.integers(1, len(LABEL) - 1))
def test_the_mean_of_batches_is_that_of_the_images(cut: int) -> None:
    whole = objective(gamma=1.2)
    logits = drawn()
    parts = [(logits[:cut], LABEL[:cut]), (logits[cut:], LABEL[cut:])]
    mean = sum(whole.loss(given, label).item() * len(label) for given, label in parts) / len(LABEL)
    assert mean == pytest.approx(whole.loss(logits, LABEL).item(), rel=1e-5)


def test_nothing_guesses_better_than_the_shares_where_each_is_learnt() -> None:
    found = objective(gamma=0)
    guess = torch.tensor(found.guess(), dtype=torch.float32)
    shares = torch.sigmoid(guess)
    assert shares[4].item() == pytest.approx(6 / 9)
    assert shares[1].item() == pytest.approx(2 / 6)
    assert shares[2].item() == pytest.approx(1 / 2)
    answer = guess.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(found.loss(answer.expand(len(LABEL), -1), LABEL), answer)
    assert gradient.abs().max().item() < 1e-7


def test_the_rule_is_the_most_probable_leaf_and_one_temperature() -> None:
    rule = objective().rule(drawn().double().numpy(), LABEL)
    assert rule["thresholds"] == {}
    assert rule["temperature"] > 0
    p = objective().probabilities(drawn(500, seed=4).double().numpy(), rule["temperature"])
    for name, above in IMPLIED.items():
        for general in above:
            assert (p[:, CLASSES.index(name)] <= p[:, CLASSES.index(general)]).all()
    assert np.array_equal(p[:, 3], 1 - p[:, 4])
