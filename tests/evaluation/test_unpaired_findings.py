"""The drop of findings from one set of images to another: its two sides are those of a report, its interval covers."""

import numpy as np
import pytest

from cxr_core.evaluation.findings import judged
from cxr_core.evaluation.unpaired_findings import FIGURES, Labels, unpaired_findings

NAMES = ["Edema", "Nodule", "Hernia"]


def labels(seed: int, n: int = 300, pull: float = 1.5) -> Labels:
    """Hernia is never there; two images a patient."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < [0.3, 0.2, 0.0]
    p = 1 / (1 + np.exp(-(rng.normal(size=(n, 3)) + pull * truth - 1)))
    return Labels(truth, rng.random((n, 3)) < 0.9, p, [f"{k // 2}" for k in range(n)])


def test_both_sides_are_those_of_their_reports() -> None:
    a, b = labels(0), labels(1, n=200, pull=0.5)
    found = unpaired_findings(a, b, NAMES, {"Edema": 0.4}, resamples=200)
    reports = [
        judged(part.truth, part.known, part.scores, NAMES, {"Edema": 0.4}, part.patients, resamples=200)
        for part in (a, b)
    ]
    assert found["labels"] == ["Edema", "Nodule"]
    assert found["n"] == [300, 200]
    for k, name in enumerate(NAMES):
        row = found["per_class"][name]
        for figure, title in FIGURES.items():
            values = [report.findings[k].figures[figure].value for report in reports]
            assert [row[title]["a"], row[title]["b"]] == values
            if values[0] is None or values[1] is None:
                assert (row[title]["drop"], row[title]["ci"]) == (None, None)
            else:
                assert row[title]["drop"] == pytest.approx(values[0] - values[1])
                assert row[title]["ci"][0] <= row[title]["drop"] <= row[title]["ci"][1]
        assert row["known"] == [report.findings[k].n for report in reports]
        assert row["patients"] == [report.findings[k].patients for report in reports]
    macro = found["macro_roc_auc"]
    assert [macro["a"], macro["b"]] == pytest.approx([report.macro_roc_auc.value for report in reports])
    # The side that is drawn by the report's own seed has its interval.
    assert macro["a_ci"] == pytest.approx(reports[0].macro_roc_auc.ends)
    assert macro["ci"][0] > 0


def test_the_interval_covers_no_drop_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(60):
        found = unpaired_findings(labels(2 * seed, 120), labels(2 * seed + 1, 160), NAMES, {}, resamples=150, seed=seed)
        low, high = found["macro_roc_auc"]["ci"]
        covered += low <= 0 <= high
    assert 52 <= covered <= 60


def test_a_finding_of_few_patients_promises_little() -> None:
    a, b = labels(0), labels(1)
    few = Labels(b.truth & (np.cumsum(b.truth, axis=0) <= 6), b.known, b.scores, b.patients)
    wide, plain = (unpaired_findings(a, part, NAMES, {}, resamples=150) for part in (few, b))
    for title in ("roc_auc", "recall"):
        ends = [found["per_class"]["Nodule"][title]["ci"] for found in (wide, plain)]
        assert ends[0][1] - ends[0][0] > 1.5 * (ends[1][1] - ends[1][0])


def test_nothing_in_common_has_no_mean() -> None:
    a = labels(0)
    nothing = Labels(np.zeros_like(a.truth), a.known, a.scores, a.patients)
    found = unpaired_findings(a, nothing, NAMES, {}, resamples=20)
    assert (found["labels"], found["macro_roc_auc"]) == ([], None)
