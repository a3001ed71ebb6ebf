"""Focal loss by its laws: cross entropy at gamma 0, torchvision's, the paper's formula, finite everywhere."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss as torchvisions

from cxr_core.labels import targets as label_targets
from cxr_core.model.losses import balanced_alpha, sigmoid_focal_loss, softmax_focal_loss

GAMMAS = [0.0, 0.5, 1.0, 1.2, 2.0, 5.0]


def sample(n: int = 40, k: int = 3, spread: float = 4.0, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (N, K), independent labels (N, K), class indices (N,)."""
    source = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(n, k, generator=source)
    return logits, torch.randint(2, (n, k), generator=source).float(), torch.randint(k, (n,), generator=source)


def paper(p_true: Tensor, gamma: float, weight: Tensor | float = 1.0) -> float:
    """Lin et al., eq. 5, as printed, in float64."""
    return float((-weight * (1 - p_true) ** gamma * torch.log(p_true)).mean())


@pytest.mark.parametrize("seed", range(5))
def test_gamma_zero_is_cross_entropy(seed: int) -> None:
    logits, labels, index = sample(seed=seed)
    # Exactly: the focal factor is 1, not nearly 1. torch's own functions round and add up in another order.
    assert torch.equal(sigmoid_focal_loss(logits, labels), -F.logsigmoid(logits * (2 * labels - 1)).mean())
    assert torch.equal(softmax_focal_loss(logits, index), -F.log_softmax(logits, 1)[range(40), index].mean())
    reference = F.binary_cross_entropy_with_logits(logits, labels)
    torch.testing.assert_close(sigmoid_focal_loss(logits, labels), reference, rtol=2.5e-7, atol=0)
    torch.testing.assert_close(softmax_focal_loss(logits, index), F.cross_entropy(logits, index), rtol=2.5e-7, atol=0)


def test_gamma_zero_is_cross_entropy_for_each_image() -> None:
    logits, _, index = sample()
    for row, label in zip(logits, index, strict=True):
        assert torch.equal(softmax_focal_loss(row[None], label[None]), F.cross_entropy(row[None], label[None]))


def test_gamma_zero_has_the_gradient_of_cross_entropy() -> None:
    logits, labels, index = sample()
    for ours, reference, truth in (
        (sigmoid_focal_loss, F.binary_cross_entropy_with_logits, labels),
        (softmax_focal_loss, F.cross_entropy, index),
    ):
        torch.testing.assert_close(gradient(ours, logits, truth), gradient(reference, logits, truth))


def gradient(loss: Callable[..., Tensor], logits: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    leaf = logits.clone().requires_grad_()
    loss(leaf, *args, **kwargs).backward()
    assert leaf.grad is not None
    return leaf.grad


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.9, None])
def test_sigmoid_form_is_torchvisions(gamma: float, alpha: float | None) -> None:
    logits, labels, _ = sample()
    ours = sigmoid_focal_loss(logits, labels, gamma, None if alpha is None else torch.full((3,), alpha))
    reference = torchvisions(logits, labels, alpha=-1 if alpha is None else alpha, gamma=gamma, reduction="mean")
    torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-8)


def test_each_label_has_its_own_alpha() -> None:
    logits, labels, _ = sample()
    alpha = torch.tensor([0.2, 0.5, 0.9])
    columns = [torchvisions(logits[:, k], labels[:, k], float(alpha[k]), 1.2, reduction="mean") for k in range(3)]
    torch.testing.assert_close(sigmoid_focal_loss(logits, labels, 1.2, alpha), torch.stack(columns).mean())


@pytest.mark.parametrize("gamma", GAMMAS)
def test_both_forms_are_the_papers_formula(gamma: float) -> None:
    logits, labels, index = sample(spread=2.0)
    alpha = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
    wide = logits.double()
    p = torch.sigmoid(wide)
    p_true = torch.where(labels == 1, p, 1 - p)
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    assert float(sigmoid_focal_loss(logits, labels, gamma)) == pytest.approx(paper(p_true, gamma), rel=1e-5)
    assert float(sigmoid_focal_loss(logits, labels, gamma, alpha)) == pytest.approx(
        paper(p_true, gamma, weight), rel=1e-5
    )
    p_class = torch.softmax(wide, 1).gather(1, index[:, None]).squeeze(1)
    assert float(softmax_focal_loss(logits, index, gamma)) == pytest.approx(paper(p_class, gamma), rel=1e-5)
    assert float(softmax_focal_loss(logits, index, gamma, alpha)) == pytest.approx(
        paper(p_class, gamma, alpha[index]), rel=1e-5
    )


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0, 10))
def test_one_pair_of_logits_against_float64(a: float, b: float, gamma: float) -> None:
    """Two classes: the softmax form is the sigmoid form of the difference; both are the formula."""
    logits = torch.tensor([[a, b]])
    signed = logits[0, 0].double() - logits[0, 1].double()
    log_p, log_q = F.logsigmoid(signed), F.logsigmoid(-signed)
    expected = float(-log_p * torch.exp(gamma * log_q))
    assert float(softmax_focal_loss(logits, torch.tensor([0]), gamma)) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    single = torch.tensor([[float(signed)]])
    ones = torch.ones(1, 1)
    assert float(sigmoid_focal_loss(single, ones, gamma)) == pytest.approx(expected, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [100.0, 1e4])
@pytest.mark.parametrize("gamma", GAMMAS)
def test_finite_at_extreme_logits(dtype: torch.dtype, size: float, gamma: float) -> None:
    corners = torch.tensor([[-size, size, 0.0], [size, -size, size], [size, size, size], [0.0, -size, -size]])
    logits = corners.repeat_interleave(3, dim=0).to(dtype)
    index = torch.arange(3).repeat(4)
    for alpha in (None, torch.tensor([0.1, 0.5, 0.9])):
        for truth in (torch.zeros(12, 3), torch.ones(12, 3), F.one_hot(index, 3)):
            value = sigmoid_focal_loss(logits, truth, gamma, alpha)
            slope = gradient(sigmoid_focal_loss, logits, truth, gamma=gamma, alpha=alpha)
            assert value.dtype == torch.float32
            assert torch.isfinite(value)
            assert value >= 0
            assert torch.isfinite(slope).all()
            assert slope.dtype == dtype
        value = softmax_focal_loss(logits, index, gamma, alpha)
        slope = gradient(softmax_focal_loss, logits, index, gamma=gamma, alpha=alpha)
        assert torch.isfinite(value)
        assert value >= 0
        assert torch.isfinite(slope).all()


@pytest.mark.parametrize("size", [100.0, 1e4])
def test_confident_and_wrong_costs_its_logit(size: float) -> None:
    """Far out, the loss of a wrong answer is the logit itself and its gradient has not vanished."""
    wrong = torch.tensor([[-size]])
    assert float(sigmoid_focal_loss(wrong, torch.ones(1, 1), 2.0)) == pytest.approx(size)
    assert float(gradient(sigmoid_focal_loss, wrong, torch.ones(1, 1), gamma=2.0)) == pytest.approx(-1)
    pair = torch.tensor([[-size, 0.0]])
    assert float(softmax_focal_loss(pair, torch.tensor([0]), 2.0)) == pytest.approx(size)
    assert gradient(softmax_focal_loss, pair, torch.tensor([0]), gamma=2.0).flatten().tolist() == pytest.approx([-1, 1])


def test_the_focal_factor_belongs_to_each_element() -> None:
    """The notebook's second defect: its factor came from the batch's mean loss, so it did not see who is hard."""
    gamma = 2.0
    hard_and_easy = torch.tensor([[-3.0], [4.0]])
    truth = torch.ones(2, 1)
    each = [float(sigmoid_focal_loss(row[None], truth[:1], gamma)) for row in hard_and_easy]
    ours = float(sigmoid_focal_loss(hard_and_easy, truth, gamma))
    assert ours == pytest.approx(sum(each) / 2)
    mean = F.binary_cross_entropy_with_logits(hard_and_easy, truth)
    of_the_mean = float((1 - torch.exp(-mean)) ** gamma * mean)
    assert abs(ours - of_the_mean) > 0.2 * ours
    plain = gradient(sigmoid_focal_loss, hard_and_easy, truth).flatten()
    focal = gradient(sigmoid_focal_loss, hard_and_easy, truth, gamma=gamma).flatten()
    assert focal[1] / focal[0] < 0.01 * plain[1] / plain[0]  # the easy one nearly falls silent


def test_the_factor_of_a_class_belongs_to_each_image() -> None:
    logits, _, index = sample()
    each = [softmax_focal_loss(row[None], label[None], 1.2) for row, label in zip(logits, index, strict=True)]
    torch.testing.assert_close(softmax_focal_loss(logits, index, 1.2), torch.stack(each).mean())


def test_the_mean_does_not_depend_on_the_batch() -> None:
    """The notebook's fourth defect, seen from the loss: two half batches weigh the same as the whole."""
    logits, labels, index = sample(n=40)
    halves = (softmax_focal_loss(logits[:20], index[:20], 1.2) + softmax_focal_loss(logits[20:], index[20:], 1.2)) / 2
    torch.testing.assert_close(softmax_focal_loss(logits, index, 1.2), halves)
    halves = (sigmoid_focal_loss(logits[:20], labels[:20], 1.2) + sigmoid_focal_loss(logits[20:], labels[20:], 1.2)) / 2
    torch.testing.assert_close(sigmoid_focal_loss(logits, labels, 1.2), halves)


@given(st.lists(st.integers(1, 500), min_size=2, max_size=8))
def test_balanced_is_scikit_learns(counts: list[int]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    ours = balanced_alpha(torch.tensor(counts))
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-6)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 500))
def test_balanced_labels_weigh_positives_and_negatives_alike(covid: int, normal: int, pneumonia: int) -> None:
    classes = ["COVID19", "NORMAL", "PNEUMONIA"]
    counts = torch.tensor([covid, normal, pneumonia])
    label = np.repeat(np.arange(3), counts.numpy())
    rows = label_targets(label, classes, {"COVID19": ("PNEUMONIA",)})
    alpha = balanced_alpha(counts, torch.from_numpy(rows.sum(0)))
    for k in range(3):
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=rows[:, k])
        # scikit-learn's two weights of one label, scaled so that they add up to one
        assert float(alpha[k]) == pytest.approx(expected[1] / expected.sum(), rel=1e-5)


def test_a_class_without_images_has_a_finite_weight() -> None:
    assert torch.isfinite(balanced_alpha(torch.tensor([0, 5, 5]))).all()
    assert balanced_alpha(torch.tensor([0, 5]), torch.tensor([0, 5])).tolist() == [1, 0]
