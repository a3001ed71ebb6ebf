"""Every figure against scikit-learn, on random, lopsided and degenerate truths."""

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_core.errors import DatasetError, RunError
from cxr_core.evaluation import metrics
from cxr_core.labels import targets

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
IMPLIED = {"COVID19": ("PNEUMONIA",)}

Outcome = tuple[np.ndarray, np.ndarray, np.ndarray, int]


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    """Truth, decisions, probabilities with ties, number of classes; any class may be absent from either side."""
    k = draw(st.integers(1, 5))
    n = draw(st.integers(1, 60))
    classes = st.integers(0, k - 1)
    occurring = draw(st.sets(classes, min_size=1))
    true = draw(st.lists(st.sampled_from(sorted(occurring)), min_size=n, max_size=n))
    decided = draw(st.lists(classes, min_size=n, max_size=n))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return np.array(true), np.array(decided), rng.integers(0, 8, (n, k)) / 7, k


def quiet(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """scikit-learn warns about classes that are absent; that they are is the point of the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def names(k: int) -> list[str]:
    return [f"class {i}" for i in range(k)]


@given(outcomes())
def test_matrices_equal_scikit_learn(outcome: Outcome) -> None:
    true, decided, _, k = outcome
    confusion = metrics.confusion_matrix(true, decided, k)
    np.testing.assert_array_equal(confusion, quiet(reference.confusion_matrix, true, decided, labels=range(k)))
    binary = quiet(reference.multilabel_confusion_matrix, true, decided, labels=range(k))
    np.testing.assert_array_equal(metrics.one_vs_rest(confusion), binary)


@given(outcomes())
def test_report_equals_scikit_learn(outcome: Outcome) -> None:
    true, decided, probabilities, k = outcome
    report = metrics.report(true, probabilities, decided, names(k), {})
    assert report["n"] == len(true)
    assert report["accuracy"] == pytest.approx(reference.accuracy_score(true, decided))
    assert report["balanced_accuracy"] == pytest.approx(quiet(reference.balanced_accuracy_score, true, decided))
    for kind in ("macro", "weighted"):
        expected = reference.precision_recall_fscore_support(true, decided, average=kind, zero_division=0)
        assert [report[f"{kind}_{figure}"] for figure in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
    expected = reference.precision_recall_fscore_support(true, decided, labels=range(k), zero_division=0)
    for figure, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert [report["per_class"][name][figure] for name in names(k)] == pytest.approx(list(values))
    for i, name in enumerate(names(k)):
        # Specificity is the recall of the rest.
        expected = reference.recall_score(true != i, decided != i, zero_division=0)
        assert report["per_class"][name]["specificity"] == pytest.approx(expected)


@given(outcomes())
def test_ranking_equals_scikit_learn_and_is_null_where_undefined(outcome: Outcome) -> None:
    true, decided, probabilities, k = outcome
    per_class = metrics.report(true, probabilities, decided, names(k), {})["per_class"]
    for i, name in enumerate(names(k)):
        positive = true == i
        assert per_class[name]["positives"] == positive.sum()
        if positive.all() or not positive.any():
            assert per_class[name]["roc_auc"] is None
            assert per_class[name]["average_precision"] is None
        else:
            assert per_class[name]["roc_auc"] == pytest.approx(reference.roc_auc_score(positive, probabilities[:, i]))
            assert per_class[name]["average_precision"] == pytest.approx(
                reference.average_precision_score(positive, probabilities[:, i])
            )


@given(outcomes())
def test_summary_is_the_report_in_short(outcome: Outcome) -> None:
    true, decided, probabilities, k = outcome
    report = metrics.report(true, probabilities, decided, names(k), {})
    summary = metrics.summary(report["confusion"], names(k))
    assert summary["recall"] == {name: figures["recall"] for name, figures in report["per_class"].items()}
    assert {key: summary[key] for key in summary if key != "recall"} == {
        key: report[key] for key in ("accuracy", "balanced_accuracy", "macro_f1")
    }


@given(outcomes())
def test_all_is_plain_json(outcome: Outcome) -> None:
    true, decided, probabilities, k = outcome
    report = metrics.report(true, probabilities, decided, names(k), {})
    points = metrics.curves(true, probabilities, names(k), {})
    for document in (report, points, metrics.summary(report["confusion"], names(k))):
        assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_implied_labels_count_as_positives_of_what_they_imply() -> None:
    rng = np.random.default_rng(0)
    true, decided = rng.integers(0, 3, 90), rng.integers(0, 3, 90)
    probabilities = rng.random((90, 3))
    report = metrics.report(true, probabilities, decided, CLASSES, IMPLIED)
    truth = targets(true, CLASSES, IMPLIED)
    for k, name in enumerate(CLASSES):
        figures = report["per_class"][name]
        assert figures["support"] == (true == k).sum()
        assert figures["positives"] == truth[:, k].sum()
        assert figures["roc_auc"] == pytest.approx(reference.roc_auc_score(truth[:, k], probabilities[:, k]))
    assert report["per_class"]["PNEUMONIA"]["positives"] == np.isin(true, (0, 2)).sum()
    # The matrices follow from the decision, not from the labels' probabilities.
    single = metrics.report(true, probabilities, decided, CLASSES, {})
    assert report["confusion"] == single["confusion"]
    assert report["one_vs_rest"] == single["one_vs_rest"]


def test_absent_class_has_no_support_and_costs_no_balanced_accuracy() -> None:
    report = metrics.report([1, 1, 2, 2], np.full((4, 3), 0.5), [1, 1, 2, 1], CLASSES, {})
    assert report["per_class"]["COVID19"] == {
        "precision": 0.0,
        "recall": 0.0,
        "specificity": 1.0,
        "f1": 0.0,
        "support": 0,
        "roc_auc": None,
        "average_precision": None,
        "positives": 0,
    }
    assert report["balanced_accuracy"] == pytest.approx(0.75)
    assert report["macro_recall"] == pytest.approx(0.75)
    assert report["one_vs_rest"]["COVID19"] == [[4, 0], [0, 0]]


@settings(max_examples=20)
@given(st.integers(2, 3000), st.integers(0, 2**32 - 1))
def test_thinned_curves_keep_their_shape(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = np.append([0, 1], rng.integers(0, 2, n - 2))
    probabilities = np.clip(rng.normal(0.4 + 0.2 * np.stack([true == 0, true == 1], axis=1), 0.3), 0, 1)
    points = metrics.curves(true, probabilities, CLASSES[:2], {})["NORMAL"]
    full_roc = np.stack(reference.roc_curve(true == 1, probabilities[:, 1], drop_intermediate=False)[:2])
    full_pr = np.stack(reference.precision_recall_curve(true == 1, probabilities[:, 1])[:2])
    for kind, axes, full in (("roc", ("fpr", "tpr"), full_roc), ("pr", ("precision", "recall"), full_pr)):
        curve = points[kind]
        assert curve is not None
        assert 2 <= len(curve["thresholds"]) <= metrics.MAX_POINTS
        kept = np.array([curve[axis] for axis in axes], dtype=np.float64)
        np.testing.assert_allclose(kept[:, [0, -1]], full[:, [0, -1]])
        assert distance_to_line(full, kept).max() <= np.abs(np.diff(full)).sum() / (metrics.MAX_POINTS - 1) + 1e-9


def distance_to_line(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Euclidean distance of each of the points (2, N) to the polyline (2, M): (N,)."""
    start, step = line[:, :-1, None], np.diff(line)[:, :, None]
    length = (step**2).sum(axis=0)
    along = ((points[:, None, :] - start) * step).sum(axis=0) / np.where(length > 0, length, 1)
    nearest = start + np.clip(along, 0, 1) * step
    return np.asarray(np.sqrt(((points[:, None, :] - nearest) ** 2).sum(axis=0)).min(axis=0))


def test_curves_of_an_undefined_label_are_none() -> None:
    points = metrics.curves([1, 1, 2], np.full((3, 3), 0.5), CLASSES, {})
    assert points["COVID19"] == {"roc": None, "pr": None}
    assert points["NORMAL"]["roc"] == {"fpr": [0.0, 1.0], "tpr": [0.0, 1.0], "thresholds": [None, 0.5]}


def test_no_images_say_so() -> None:
    nothing = np.zeros((0, 3))
    with pytest.raises(DatasetError, match="at least one image"):
        metrics.confusion_matrix([], [], 3)
    with pytest.raises(DatasetError, match="at least one image"):
        metrics.summary(np.zeros((3, 3)), CLASSES)
    with pytest.raises(DatasetError, match="at least one image"):
        metrics.report([], nothing, [], CLASSES, {})
    with pytest.raises(DatasetError, match="at least one image"):
        metrics.curves([], nothing, CLASSES, {})


def test_a_diverged_training_says_so() -> None:
    probabilities = np.array([[0.1, 0.2, np.nan], [0.3, 0.3, 0.4]])
    with pytest.raises(RunError, match="1 of 2 images: the training diverged"):
        metrics.report([0, 1], probabilities, [0, 1], CLASSES, {})


@pytest.mark.parametrize(("true", "decided"), [([0, 3], [0, 1]), ([0, -1], [0, 1]), ([0, 1], [0])])
def test_impossible_indices_are_a_bug(true: list[int], decided: list[int]) -> None:
    with pytest.raises(ValueError, match="must"):
        metrics.confusion_matrix(true, decided, 3)
