"""What guessing would reach: the same decisions in another order, by image or whole by group."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from cxr_core.evaluation.chance import DEALS, _together, chance, macro_f1


def test_chance_is_that_of_a_guess() -> None:
    random = np.random.default_rng(0)
    true = np.repeat(np.arange(3), 200)
    dealt = chance(true, true, 3, random)
    assert dealt.shape == (DEALS,)
    # Right decisions dealt out anew are right for a third of each class.
    assert dealt.mean() == pytest.approx(1 / 3, abs=0.005)
    assert (chance(true, true, 3, np.random.default_rng(1)) == chance(true, true, 3, np.random.default_rng(1))).all()


def test_images_of_a_group_stay_together_and_make_chance_less_steady() -> None:
    groups = np.repeat([f"p{k}" for k in range(12)], 20)
    order = _together(groups, np.random.default_rng(0))
    assert sorted(order) == list(range(240))
    moved = groups[order]
    assert sum(moved[1:] != moved[:-1]) <= 12 + 12, "neighbours stay neighbours"
    true = np.repeat(np.arange(2), 120)
    whole = chance(true, true, 2, np.random.default_rng(0), groups)
    single = chance(true, true, 2, np.random.default_rng(0))
    assert whole.std() > 2 * single.std()
    assert whole.mean() == pytest.approx(single.mean(), abs=0.05)


@pytest.mark.parametrize("seed", range(20))
def test_macro_f1_is_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    true, decisions = random.integers(0, 4, (2, int(random.integers(1, 60))))
    assert macro_f1(true, decisions, 4) == f1_score(true, decisions, average="macro", zero_division=0)
