"""Subgroups are the same figures on fewer images; a planted gap is found, and few are too few."""

import numpy as np
import pytest

from cxr_core.evaluation.findings import judged
from cxr_core.evaluation.subgroups import FIGURES, age_bands, subgroups

NAMES = ["Edema", "Nodule"]


def sample(n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str], dict[str, list[str]]]:
    """The run sees an Edema of women worse than one of men; a patient has one sex and several views."""
    rng = np.random.default_rng(0)
    patient = rng.integers(0, 300, n)
    truth = rng.random((n, 2)) < [0.3, 0.2]
    sex = np.array(["F", "M", ""])[(rng.random(300) * 2.2).astype(int)][patient]
    view = rng.choice(["AP", "PA", "LATERAL"], n, p=[0.49, 0.49, 0.02])
    pull = np.where((sex == "F")[:, None] & np.array([[True, False]]), 0.3, 2.5)
    p = 1 / (1 + np.exp(-(rng.normal(size=(n, 2)) + pull * truth - 1.2)))
    return truth, rng.random((n, 2)) < 0.9, p, [f"p{k}" for k in patient], {"sex": list(sex), "view": list(view)}


def test_a_subgroup_is_judged_like_all() -> None:
    truth, known, p, patients, parts = sample()
    found = subgroups(truth, known, p, NAMES, {"Edema": 0.4}, parts, patients, resamples=40)
    assert [(row.finding, row.by, row.value) for row in found.rows] == [
        (name, by, value) for name in NAMES for by, value in (
            ("sex", "F"), ("sex", "M"), ("view", "AP"), ("view", "LATERAL"), ("view", "PA")
        )
    ]  # fmt: skip
    for row in found.rows:
        k, inside = NAMES.index(row.finding), np.array(parts[row.by]) == row.value
        alone = judged(truth, known & inside[:, None], p, NAMES, {"Edema": 0.4}, patients, resamples=40).findings[k]
        assert (row.n, row.positives, row.patients, row.others) == (
            alone.n,
            alone.positives,
            alone.patients,
            alone.others,
        )
        assert row.too_few == (row.value == "LATERAL")
        if row.too_few:
            assert row.figures == {}
            assert row.said.startswith("Too few to say")
            continue
        for figure in FIGURES:
            assert row.figures[figure].value == pytest.approx(alone.figures[figure].value)
            assert row.figures[figure].ends == pytest.approx(alone.figures[figure].ends)


def test_the_planted_gap_is_named_and_the_others_are_not_sure() -> None:
    truth, known, p, patients, parts = sample()
    found = subgroups(truth, known, p, NAMES, {}, parts, patients, resamples=300)
    gap = found.largest("roc_auc")
    assert gap is not None
    assert (gap.finding, gap.by, gap.high, gap.low) == ("Edema", "sex", "M", "F")
    assert gap.is_sure
    assert 0.2 < gap.difference < 0.6
    assert gap.ends is not None
    assert gap.ends[0] < gap.difference < gap.ends[1]
    assert [g for g in found.gaps if g.figure == "roc_auc" and g.is_sure] == [gap]
    areas = [g.difference for g in found.gaps if g.figure == "roc_auc"]
    assert areas == sorted(areas, reverse=True)
    # The few lateral ones are compared with nothing.
    assert not any("LATERAL" in (g.high, g.low) for g in found.gaps)


def test_nothing_known_gives_nothing() -> None:
    truth, known, p, patients, _ = sample()
    found = subgroups(truth, known, p, NAMES, {}, {"sex": [""] * len(truth)}, patients)
    assert (found.rows, found.gaps, found.largest("roc_auc"), found.overall) == ((), (), None, {})


def test_ages_in_bands() -> None:
    ages = [0, 17.9, 18, 39, 64, 65, 80, 101, np.nan, -1, 155]
    assert age_bands(ages) == ["0–17", "0–17", "18–39", "18–39", "40–64", "65–79", "80+", "80+", "", "", ""]
