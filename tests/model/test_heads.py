"""The new head: its layers and its shapes."""

import pytest
import torch
from torch import nn

from cxr_core.model.heads import OperatingPoints, build_head


def layers(head: nn.Sequential) -> list[str]:
    return [type(layer).__name__ for layer in head]


def test_the_notebooks_head() -> None:
    head = build_head(512, (1024, 128), 0.5, 3)
    assert layers(head) == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Linear"]
    assert [tuple(value.shape) for value in head.parameters()] == [
        (1024, 512),
        (1024,),
        (128, 1024),
        (128,),
        (3, 128),
        (3,),
    ]
    assert next(layer.p for layer in head if isinstance(layer, nn.Dropout)) == 0.5


def test_without_hidden_layers_the_dropout_stands_first() -> None:
    assert layers(build_head(8, (), 0.2, 2)) == ["Dropout", "Linear"]


@pytest.mark.parametrize("hidden", [(), (16,), (16, 8), (4, 4, 4)])
@pytest.mark.parametrize("classes", [2, 3, 14])
def test_features_to_one_logit_per_class(hidden: tuple[int, ...], classes: int) -> None:
    head = build_head(12, hidden, 0.5, classes)
    assert head(torch.randn(5, 12)).shape == (5, classes)
    assert layers(head).count("Dropout") == 1


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    head = build_head(12, (64,), 0.5, 3)
    features = torch.randn(4, 12)
    assert not torch.equal(head.train()(features), head(features))
    assert torch.equal(head.eval()(features), head(features))


def test_the_same_seed_draws_the_same_head() -> None:
    heads = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        heads.append(next(build_head(12, (8,), 0.5, 3).parameters()))
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_a_head_learns() -> None:
    torch.manual_seed(0)
    head = build_head(4, (16,), 0.1, 2)
    features = torch.randn(64, 4)
    truth = (features[:, 0] > 0).long()
    optimiser = torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(head(features), truth).backward()
        optimiser.step()
    assert (head.eval()(features).argmax(1) == truth).float().mean() > 0.95


def test_operating_points_are_shown_at_a_half_and_keep_the_order() -> None:
    points = OperatingPoints(3)
    limits = torch.tensor([0.0022490358, 0.20204692, 0.9])
    points.thresholds.copy_(limits)
    logits = torch.linspace(-30, 30, 601)[:, None].expand(-1, 3)
    shown = torch.sigmoid(points(logits).double())
    p = torch.sigmoid(logits.double())
    t = limits.double()
    expected = torch.where(p < t, p / (2 * t), 1 - (1 - p) / (2 * (1 - t)))
    torch.testing.assert_close(shown, expected, rtol=1e-5, atol=1e-6)
    assert (points(logits).diff(dim=0) > 0).all()
    torch.testing.assert_close(torch.sigmoid(points(torch.logit(limits)[None])), torch.full((1, 3), 0.5))
    # Far out nothing becomes infinite, and a slope is left.
    far = torch.tensor([[-90.0, 0.0, 90.0]], requires_grad=True)
    points(far).sum().backward()
    assert torch.isfinite(points(far)).all()
    assert far.grad is not None
    assert (far.grad > 0).all()
