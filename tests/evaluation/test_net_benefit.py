"""Net benefit by its definition, by hand, and by its laws."""

import numpy as np
import pytest

from cxr_core.errors import ConfigError
from cxr_core.evaluation.net_benefit import decision_curve, net_benefit, treating_all
from cxr_core.evaluation.resampling import draws, units_of


def sample(n: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(0)
    truth = rng.random(n) < 0.3
    p = np.round(1 / (1 + np.exp(-(rng.normal(size=n) + 1.5 * truth - 1.2))), 2)
    return truth, rng.random(n) < 0.8, p, [f"p{k}" for k in rng.integers(0, 90, n)]


def by_hand(truth: np.ndarray, p: np.ndarray, t: float) -> float:
    """Vickers and Elkin's formula, as printed."""
    n, called = len(truth), p >= t
    return float((truth & called).sum() / n - (~truth & called).sum() / n * t / (1 - t))


def test_the_curve_is_the_papers_formula_over_the_known() -> None:
    truth, known, p, patients = sample()
    curve = decision_curve(truth, known, np.where(known, p, np.nan), groups=patients, resamples=40)
    unit, units = units_of(patients, len(truth))
    images = [np.repeat(np.arange(200), row[unit]) for part in draws(units, 40, 0, 200) for row in part]
    assert curve.model is not None
    assert curve.ends is not None
    for k, t in enumerate(curve.thresholds):
        assert curve.model[k] == pytest.approx(by_hand(truth[known], p[known], t), abs=1e-12)
        assert curve.treat_all[k] == pytest.approx(by_hand(truth[known], np.ones(known.sum()), t), abs=1e-12)
        drawn = [by_hand(truth[i[known[i]]], p[i[known[i]]], t) for i in images]
        assert curve.ends[k] == pytest.approx(list(np.percentile(drawn, [2.5, 97.5])), abs=1e-12)
    assert (curve.n, curve.positives) == (known.sum(), truth[known].sum())


def test_another_prevalence_is_as_if_so_many_were_ill() -> None:
    truth, known, p, _ = sample()
    truth, p = truth[known], p[known]
    # Every positive three times: the images of a place where more are ill.
    more = np.concatenate([np.flatnonzero(truth)] * 3 + [np.flatnonzero(~truth)])
    there = decision_curve(truth[more], truth[more] | True, p[more], resamples=2)
    here = decision_curve(truth, truth | True, p, prevalence=float(truth[more].mean()), resamples=2)
    assert here.model == pytest.approx(there.model)
    assert here.treat_all == pytest.approx(there.treat_all)
    assert here.useful == there.useful


def test_laws() -> None:
    truth, known, p, _ = sample()
    perfect = decision_curve(truth, known, truth.astype(float), 0.1, resamples=2)
    assert perfect.model == pytest.approx([0.1] * 99)
    assert perfect.useful == ((0.01, 0.99),)
    nobody = decision_curve(truth, known, np.zeros(200), 0.1, resamples=2)
    assert nobody.model == pytest.approx([0] * 99)
    assert nobody.useful == ()
    everybody = decision_curve(truth, known, np.ones(200), 0.1, resamples=2)
    assert everybody.model == pytest.approx(everybody.treat_all)
    # Treating all is worth nothing where the threshold is the prevalence.
    assert treating_all(0.1, 0.1) == pytest.approx(0)
    curve = decision_curve(truth, known, p, 0.1, resamples=2)
    called, sure = p >= 0.4, known
    point = net_benefit(called[sure & truth].mean(), (~called)[sure & ~truth].mean(), 0.1, 0.4)
    assert curve.model is not None
    assert curve.model[39] == pytest.approx(point)
    for start, end in curve.useful:
        for t, model, all_of_them in zip(curve.thresholds, curve.model, curve.treat_all, strict=True):
            assert not start <= t <= end or model > max(all_of_them, 0)


def test_without_both_there_is_no_curve() -> None:
    truth, known, p, _ = sample()
    curve = decision_curve(truth & False, known, p, 0.1)
    assert curve.model is None
    assert curve.treat_all[9] == pytest.approx(0)


def test_shares_out_of_range_are_told() -> None:
    truth, known, p, _ = sample()
    with pytest.raises(ConfigError, match="prevalence"):
        decision_curve(truth, known, p, 5)
    with pytest.raises(ConfigError, match="threshold"):
        net_benefit(0.5, 0.5, 0.1, 1)
