"""Learning rates against the schedulers of torch, step by step."""

import pytest
import torch

from cxr_core.training.schedule import learning_rate

STEPS = [1, 2, 3, 4, 5, 7, 10, 33, 100, 1234]


def optimiser(rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def rates(scheduler: torch.optim.lr_scheduler.LRScheduler, steps: int) -> list[float]:
    """What each step of a training would use."""
    used = []
    for _ in range(steps):
        used.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        if len(used) < steps:
            scheduler.step()
    return used


@pytest.mark.parametrize("steps", STEPS)
def test_one_cycle_is_torchs(steps: int) -> None:
    reference = torch.optim.lr_scheduler.OneCycleLR(optimiser(1.0), max_lr=0.02, total_steps=steps)
    ours = [learning_rate("one-cycle", 0.02, step, steps) for step in range(steps)]
    assert ours == pytest.approx(rates(reference, steps), rel=1e-9)


@pytest.mark.parametrize("steps", STEPS)
def test_cosine_is_torchs(steps: int) -> None:
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser(0.02), T_max=steps)
    ours = [learning_rate("cosine", 0.02, step, steps) for step in range(steps)]
    # torch computes each rate from the one before, so its roundings add up.
    assert ours == pytest.approx(rates(reference, steps), rel=1e-6)


@pytest.mark.parametrize("steps", STEPS)
def test_constant(steps: int) -> None:
    assert {learning_rate("constant", 0.02, step, steps) for step in range(steps)} == {0.02}


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
def test_rates_stay_between_zero_and_the_peak(schedule: str) -> None:
    for steps in range(1, 60):
        assert all(0 < learning_rate(schedule, 0.1, step, steps) <= 0.1 * (1 + 1e-12) for step in range(steps))


def test_one_cycle_ends_where_it_says() -> None:
    assert learning_rate("one-cycle", 1.0, 0, 1000) == pytest.approx(1 / 25)
    assert learning_rate("one-cycle", 1.0, 299, 1000) == pytest.approx(1.0)
    assert learning_rate("one-cycle", 1.0, 999, 1000) == pytest.approx(1 / 25e4)
