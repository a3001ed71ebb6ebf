"""Masked focal loss: the unmasked one where all is known, BCE at gamma 0, float64 by hand, no gradient elsewhere."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cxr_core.model.losses import balanced_alpha, sigmoid_focal_loss
from cxr_core.model.masked import known_balanced_alpha, masked_focal_loss, masked_focal_sum

GAMMAS = [0.0, 1.2, 2.0, 5.0]
ALPHAS = [None, torch.tensor([0.2, 0.5, 0.9])]


def sample(seed: int = 0, n: int = 40) -> tuple[Tensor, Tensor, Tensor]:
    source = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(n, 3, generator=source)
    return logits, torch.randint(2, (n, 3), generator=source).float(), torch.rand(n, 3, generator=source) < 0.6


def gradient(logits: Tensor, targets: Tensor, known: Tensor, gamma: float, alpha: Tensor | None = None) -> Tensor:
    leaf = logits.clone().requires_grad_()
    masked_focal_loss(leaf, targets, known, gamma, alpha).backward()
    assert leaf.grad is not None
    return leaf.grad


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_all_known_is_the_unmasked_loss(gamma: float, alpha: Tensor | None) -> None:
    logits, targets, known = sample()
    whole = masked_focal_loss(logits, targets, torch.ones_like(known), gamma, alpha)
    torch.testing.assert_close(whole, sigmoid_focal_loss(logits, targets, gamma, alpha), rtol=3e-7, atol=0)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_float64_by_hand_over_the_known(gamma: float, alpha: Tensor | None) -> None:
    logits, _, known = sample(1)
    targets = torch.rand(40, 3, generator=torch.Generator().manual_seed(2))
    weights = torch.full((3,), 1.0) if alpha is None else alpha
    against = torch.full((3,), 1.0) if alpha is None else 1 - alpha
    p, t = torch.sigmoid(logits.double()), targets.double()
    each = -weights * t * (1 - p) ** gamma * torch.log(p) - against * (1 - t) * p**gamma * torch.log(1 - p)
    expected = float(each[known].mean())
    assert float(masked_focal_loss(logits, targets, known, gamma, alpha)) == pytest.approx(expected, rel=1e-5)


def test_gamma_zero_is_bce_of_the_known_soft_targets_too() -> None:
    logits, targets, known = sample(3)
    for truth in (targets, torch.where(targets == 1, 0.7, targets)):
        reference = F.binary_cross_entropy_with_logits(logits[known], truth[known])
        torch.testing.assert_close(masked_focal_loss(logits, truth, known), reference, rtol=3e-7, atol=0)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_unknown_has_no_gradient_and_no_say(gamma: float) -> None:
    logits, targets, known = sample(4)
    slope = gradient(logits, targets, known, gamma)
    assert (slope[~known] == 0).all()
    assert (slope[known] != 0).all()
    # Whatever stands there: no number, infinite, or the other answer.
    for strange in (float("nan"), float("inf"), -1e30):
        other, also = torch.where(known, logits, strange), torch.where(known, targets, strange)
        assert torch.equal(gradient(other, also, known, gamma), slope)
        assert torch.equal(
            masked_focal_loss(other, also, known, gamma), masked_focal_loss(logits, targets, known, gamma)
        )


def test_nothing_known_costs_nothing() -> None:
    logits, targets, known = sample(5)
    nothing = torch.zeros_like(known)
    assert float(masked_focal_loss(logits, targets, nothing, 1.2)) == 0
    assert (gradient(logits, targets, nothing, 1.2) == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("size", [100.0, 1e4])
def test_finite_far_out(dtype: torch.dtype, gamma: float, size: float) -> None:
    logits = torch.tensor([[-size, size, 0.0], [size, -size, size]]).to(dtype)
    known = torch.tensor([[True, True, False], [True, False, True]])
    for alpha in ALPHAS:
        for truth in (torch.zeros(2, 3), torch.ones(2, 3), torch.full((2, 3), 0.7)):
            value, slope = masked_focal_loss(logits, truth, known, gamma, alpha), gradient(logits, truth, known, gamma)
            assert value.dtype == torch.float32
            assert torch.isfinite(value)
            assert value >= 0
            assert torch.isfinite(slope).all()
            assert slope.dtype == dtype


def test_sums_of_batches_give_the_mean_of_all() -> None:
    logits, targets, known = sample(6)
    parts = [masked_focal_sum(logits[s], targets[s], known[s], 1.2) for s in (slice(0, 7), slice(7, 40))]
    total, count = (sum(part[k] for part in parts) for k in (0, 1))
    torch.testing.assert_close(total / count, masked_focal_loss(logits, targets, known, 1.2))


def test_weights_come_from_what_is_known() -> None:
    _, targets, known = sample(7)
    for k, alpha in enumerate(known_balanced_alpha(targets, known).tolist()):
        seen = targets[known[:, k], k]
        positives = float(seen.sum())
        assert alpha * positives == pytest.approx((1 - alpha) * (len(seen) - positives), rel=1e-5)
    everything = torch.ones_like(known)
    counts = torch.tensor([40, 0, 0])
    torch.testing.assert_close(known_balanced_alpha(targets, everything), balanced_alpha(counts, targets.sum(0)))
    assert known_balanced_alpha(targets, torch.zeros_like(known)).tolist() == [0.5, 0.5, 0.5]
