"""Figures of findings against scikit-learn with masks and a plain loop over the same draws, and by their laws."""

import warnings

import numpy as np
import pytest
import sklearn.metrics as reference
from scipy.stats import binomtest

from cxr_core.errors import DatasetError, RunError
from cxr_core.evaluation.calibration import ece
from cxr_core.evaluation.findings import calibration, judged, together
from cxr_core.evaluation.known import FIGURES, roc_areas
from cxr_core.evaluation.resampling import draws, units_of

NAMES = ["Edema", "Effusion", "Nodule"]
LIMITS = {"Edema": 0.4, "Effusion": 0.6}


def sample(n: int = 150, seed: int = 0, levels: int = 15) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Truth, known, probabilities with ties, patients (some not known)."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < [0.2, 0.5, 0.35]
    p = 1 / (1 + np.exp(-(rng.normal(size=(n, 3)) + 1.5 * truth - 0.7)))
    patients = [f"p{k}" if k < 60 else "" for k in rng.integers(0, 75, n)]
    return truth, rng.random((n, 3)) < 0.7, np.round(p * levels) / levels, patients


def by_hand(truth: np.ndarray, p: np.ndarray, limit: float) -> dict[str, float]:
    """Every figure of the known images, by scikit-learn; NaN where it is not defined."""
    if not len(truth):
        return dict.fromkeys(FIGURES, np.nan)
    called, both = p >= limit, truth.any() and not truth.all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "prevalence": truth.mean(),
            "sensitivity": reference.recall_score(truth, called, zero_division=np.nan),
            "specificity": reference.recall_score(~truth, ~called, zero_division=np.nan),
            "ppv": reference.precision_score(truth, called, zero_division=np.nan),
            "npv": reference.precision_score(~truth, ~called, zero_division=np.nan),
            "f1": reference.f1_score(truth, called, zero_division=np.nan),
            "roc_auc": reference.roc_auc_score(truth, p) if both else np.nan,
            "average_precision": reference.average_precision_score(truth, p) if both else np.nan,
            "calibration_gap": p.mean() - truth.mean(),
            "brier": reference.brier_score_loss(truth, p, labels=[False, True]),
        }


@pytest.mark.parametrize("levels", [15, 10**9], ids=["ties", "no ties"])
def test_figures_and_intervals_are_those_of_a_plain_loop(levels: int) -> None:
    truth, known, p, patients = sample(levels=levels)
    # What is not known may be anything.
    p = np.where(known, p, np.nan)
    report = judged(truth | ~known, known, p, NAMES, LIMITS, patients, resamples=60, seed=3)
    unit, units = units_of(patients, len(truth))
    rows = np.concatenate(list(draws(units, 60, 3, len(truth))))
    images = [np.repeat(np.arange(len(truth)), row[unit]) for row in rows]
    drawn_areas = []
    for k, finding in enumerate(report.findings):
        limit = LIMITS.get(NAMES[k], 0.5)
        seen = by_hand(truth[known[:, k], k], p[known[:, k], k], limit)
        drawn = [by_hand(truth[i[known[i, k]], k], p[i[known[i, k]], k], limit) for i in images]
        drawn_areas.append([part["roc_auc"] for part in drawn])
        for name in FIGURES:
            figure = finding.figures[name]
            assert figure.value == pytest.approx(seen[name], abs=1e-12), name
            ends = np.nanpercentile([part[name] for part in drawn], [2.5, 97.5])
            assert figure.ends == pytest.approx(list(ends), abs=1e-12), name
        tn, fp, fn, tp = reference.confusion_matrix(
            truth[known[:, k], k], p[known[:, k], k] >= limit, labels=[False, True]
        ).ravel()
        assert (finding.tn, finding.fp, finding.fn, finding.tp) == (tn, fp, fn, tp)
        assert finding.n + finding.unknown == len(truth)
        assert finding.positives == tp + fn
        assert not finding.few
    means = np.mean(drawn_areas, axis=0)
    assert report.macro_roc_auc.ends == pytest.approx(list(np.percentile(means, [2.5, 97.5])))
    assert report.macro_roc_auc.value == pytest.approx(np.nanmean(roc_areas(truth, known, p)))
    assert report.units == units


def test_a_finding_without_both_has_no_curve_and_no_say_in_the_mean() -> None:
    truth, known, p, patients = sample()
    truth[:, 0], known[:, 1] = True, False
    report = judged(truth, known, p, NAMES, LIMITS, patients, resamples=20)
    first, second, third = report.findings
    assert first.figures["roc_auc"].value is None
    assert first.figures["roc_auc"].ends is None
    assert first.figures["specificity"].value is None
    assert first.figures["sensitivity"].value is not None
    assert all(figure.value is None and figure.ends is None for figure in second.figures.values())
    assert (second.n, second.unknown) == (0, len(truth))
    assert report.counted == ("Nodule",)
    assert report.macro_roc_auc.value == third.figures["roc_auc"].value
    assert judged(truth, known & False, p, NAMES, {}, resamples=5).macro_roc_auc.value is None
    assert np.isnan(roc_areas(truth, known & False, p)).all()


def test_few_patients_promise_little() -> None:
    truth = np.zeros((200, 1), dtype=bool)
    truth[:3] = True
    p = np.where(truth, 0.9, np.linspace(0, 0.4, 200)[:, None])
    report = judged(truth, truth | True, p, ["Nodule"], {})
    figures = report.findings[0].figures
    exact = binomtest(3, 3).proportion_ci(method="exact").low
    assert report.findings[0].few
    for name in ("sensitivity", "roc_auc", "average_precision", "ppv"):
        assert figures[name].value == 1
        assert figures[name].ends == pytest.approx([exact, 1])
    assert figures["f1"].ends is not None
    assert figures["f1"].ends[0] < 0.6
    assert report.macro_roc_auc.ends == pytest.approx([exact, 1], abs=0.05)


def test_the_intervals_of_a_rare_finding_cover() -> None:
    """Population: 5 % prevalence of 100 images; sensitivity 0.8 and specificity 0.9, so F1 is known."""
    rng, simulations, covered = np.random.default_rng(0), 120, {"sensitivity": 0, "f1": 0}
    true = {"sensitivity": 0.8, "f1": 2 * 0.04 / (0.05 + 0.04 + 0.095)}
    for _ in range(simulations):
        truth = np.zeros((100, 1), dtype=bool)
        truth[:5] = True
        p = np.where(rng.random((100, 1)) < np.where(truth, 0.8, 0.1), 0.9, 0.1)
        figures = judged(truth, truth | True, p, ["Nodule"], {}, resamples=150).findings[0].figures
        for name, value in true.items():
            low, high = figures[name].ends or [np.nan, np.nan]
            covered[name] += low - 1e-9 <= value <= high + 1e-9
    assert min(covered.values()) >= 0.91 * simulations, covered


def test_images_of_one_patient_stay_together() -> None:
    truth, known, p, _ = sample()
    twice = np.repeat(np.arange(len(truth)), 2)
    patients = [f"p{k}" for k in twice]
    alone = judged(truth, known, p, NAMES, LIMITS, [f"p{k}" for k in range(len(truth))], resamples=50)
    paired = judged(truth[twice], known[twice], p[twice], NAMES, LIMITS, patients, resamples=50)
    for a, b in zip(alone.findings, paired.findings, strict=True):
        for name in FIGURES:
            assert b.figures[name].value == pytest.approx(a.figures[name].value)
            assert b.figures[name].ends == pytest.approx(a.figures[name].ends)


def test_who_occurs_with_whom() -> None:
    truth, known, p, _ = sample()
    called = p >= 0.5
    pairs = together(truth, known, called, NAMES)
    assert len(pairs) == 3
    for pair in pairs:
        i, j = NAMES.index(pair.first), NAMES.index(pair.second)
        both = known[:, i] & known[:, j]
        there, says = truth[both][:, [i, j]].all(axis=1), called[both][:, [i, j]].all(axis=1)
        assert (pair.n, pair.there, pair.called) == (both.sum(), there.sum(), says.sum())
        assert pair.right == (there & says).sum()
        assert pair.alone == pytest.approx(truth[both, i].mean() * truth[both, j].mean() * both.sum())
    gaps = [abs(pair.called - pair.there) / pair.n for pair in pairs]
    assert gaps == sorted(gaps, reverse=True)


def test_calibration_over_the_known() -> None:
    truth, known, p, _ = sample()
    for k, found in enumerate(calibration(truth, known, p, NAMES)):
        score, truly = p[known[:, k], k], truth[known[:, k], k]
        assert found.brier == pytest.approx(reference.brier_score_loss(truly, score))
        assert sum(found.count) == len(score)
        # An implied label that nothing implies is a label of its own: the measure of before, on one of them.
        old = ece(np.column_stack([score, score]), (~truly).astype(int), ["a", "b"], {"x": ()}, bins=10)
        mirrored = calibration(~truly[:, None], known[known[:, k]][:, k : k + 1], score[:, None], ["b"])[0].ece
        assert found.ece is not None
        assert mirrored is not None
        assert (found.ece + mirrored) / 2 == pytest.approx(old)
    empty = calibration(truth, known & False, p, NAMES)[0]
    assert (empty.ece, empty.brier, empty.count) == (None, None, ())


def test_bad_input_is_told() -> None:
    truth, known, p, _ = sample()
    p[known[:, 0], 0] = np.nan
    with pytest.raises(RunError, match="diverged"):
        judged(truth, known, p, NAMES, {})
    with pytest.raises(DatasetError, match="at least one image"):
        judged(truth[:0], known[:0], p[:0], NAMES, {})
