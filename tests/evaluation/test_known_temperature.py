"""The temperature over known labels: that of before where all are known, and of the known ones where not."""

import numpy as np
import pytest

from cxr_core.errors import RunError
from cxr_core.evaluation.calibration import fit_temperature
from cxr_core.evaluation.known_temperature import fit_known_temperature
from cxr_core.labels import targets


def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    true = rng.choice(3, 400)
    truth = targets(true, ["a", "b", "c"], {"a": ("c",)})
    return true, truth, 6 * (truth - 0.5) + 4 * rng.normal(size=(400, 3))


def test_all_known_is_the_temperature_of_implied_labels() -> None:
    true, truth, logits = sample()
    ours = fit_known_temperature(logits, truth, truth < 2)
    assert ours == pytest.approx(fit_temperature(logits, true, ["a", "b", "c"], {"a": ("c",)}), rel=1e-5)
    assert ours > 1


def test_only_the_known_count_and_logits_scale_it() -> None:
    _, truth, logits = sample()
    known = np.random.default_rng(1).random((400, 3)) < 0.5
    ours = fit_known_temperature(np.where(known, logits, np.nan), np.where(known, truth, 9), known)
    assert ours == pytest.approx(
        fit_known_temperature(logits[known][:, None], truth[known][:, None], np.ones((known.sum(), 1)))
    )
    assert fit_known_temperature(3 * logits, truth, known) == pytest.approx(3 * ours, rel=1e-4)


def test_where_no_temperature_is_best_it_is_one() -> None:
    _, truth, logits = sample()
    assert fit_known_temperature(logits, truth, truth > 2) == 1
    assert fit_known_temperature(10 * (truth - 0.5), truth, truth < 2) == 1
    assert fit_known_temperature(0 * logits, truth, truth < 2) == 1


def test_a_logit_that_is_no_number_is_told() -> None:
    _, truth, logits = sample()
    logits[0, 0] = np.nan
    with pytest.raises(RunError, match="1 of 1200 labels"):
        fit_known_temperature(logits, truth, truth < 2)
