"""How good the decisions and the probabilities of a run are.

Pure functions over numpy arrays; the definitions are scikit-learn's, and the tests hold every figure against it::

    confusion = confusion_matrix(true, decisions, len(classes))   # rows true, columns predicted
    summary(confusion, classes)["macro_f1"]                       # cheap: once per epoch
    report(true, probabilities, decisions, classes, implied)      # everything: once per split
    curves(true, probabilities, classes, implied)                 # points to draw

Decisions are judged one class against the rest. Probabilities are judged label by label: where a class implies
others (COVID19 implies PNEUMONIA), its images are positives of those labels too, in ROC AUC, average precision and
curves; ``positives`` counts them, ``support`` counts the images of the class itself.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.errors import DatasetError, RunError
from cxr_core.labels import Implied, targets

MAX_POINTS = 500
# "roc" and "pr" -> the points of that curve, a list for each axis; None where it is not defined.
Curves = dict[str, dict[str, list[float | None]] | None]


def confusion_matrix(true: npt.ArrayLike, predicted: npt.ArrayLike, n_classes: int) -> npt.NDArray[np.int64]:
    """Count images by class: (K, K), rows true, columns predicted.

    ``true`` and ``predicted`` are (N,) class indices in 0..K-1. Raises DatasetError where there is no image.
    """
    rows, columns = np.asarray(true), np.asarray(predicted)
    if rows.shape != columns.shape or rows.ndim != 1:
        raise ValueError(f"true and predicted must be two vectors of one length, got {rows.shape} and {columns.shape}")
    if rows.size == 0:
        raise _no_images()
    for name, values in (("true", rows), ("predicted", columns)):
        if values.min() < 0 or values.max() >= n_classes:
            raise ValueError(f"{name} must hold class indices 0..{n_classes - 1}, got {values.min()}..{values.max()}")
    cells = rows.astype(np.int64) * n_classes + columns.astype(np.int64)
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.int64)


def one_vs_rest(confusion: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Reduce a (K, K) confusion matrix to one 2 x 2 matrix per class: (K, 2, 2), each [[tn, fp], [fn, tp]]."""
    matrix = np.asarray(confusion, dtype=np.int64)
    tp = np.diag(matrix)
    fp = matrix.sum(axis=0) - tp
    fn = matrix.sum(axis=1) - tp
    tn = matrix.sum() - tp - fp - fn
    return np.stack([tn, fp, fn, tp], axis=1).reshape(-1, 2, 2)


def summary(confusion: npt.ArrayLike, classes: Sequence[str]) -> dict[str, Any]:
    """The figures of one epoch, all in 0..1: accuracy, balanced_accuracy, macro_f1 and recall by class.

    Raises DatasetError where the matrix counts no image.
    """
    scores = _scores(np.asarray(confusion, dtype=np.int64))
    return {
        "accuracy": scores["accuracy"],
        "balanced_accuracy": scores["balanced_accuracy"],
        "macro_f1": scores["macro_f1"],
        "recall": dict(zip(classes, scores["recall"].tolist(), strict=True)),
    }


def report(
    true: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    decisions: npt.ArrayLike,
    classes: Sequence[str],
    implied: Implied,
) -> dict[str, Any]:
    """Every figure of one split, ready for JSON.

    ``true`` and ``decisions`` are (N,) class indices, ``probabilities`` (N, K) in 0..1. Macro averages are over the
    classes that occur in truth or decision, weighted ones by support, balanced accuracy is the mean recall of the
    classes with support; a ratio without a denominator is 0. ``roc_auc`` is None where a label has no positive or no
    negative, ``average_precision`` where it has no positive or no negative. Raises DatasetError without images and
    RunError where a probability is not a number.
    """
    confusion = confusion_matrix(true, decisions, len(classes))
    truth, scores = label_truth(true, probabilities, classes, implied)
    ratios = _scores(confusion)
    per_class = {
        name: {
            "precision": float(ratios["precision"][k]),
            "recall": float(ratios["recall"][k]),
            "specificity": float(ratios["specificity"][k]),
            "f1": float(ratios["f1"][k]),
            "support": int(ratios["support"][k]),
            **_ranking(truth[:, k], scores[:, k]),
            "positives": int(truth[:, k].sum()),
        }
        for k, name in enumerate(classes)
    }
    averages = [f"{kind}_{figure}" for kind in ("macro", "weighted") for figure in ("f1", "precision", "recall")]
    return {
        "n": int(confusion.sum()),
        "classes": list(classes),
        "accuracy": ratios["accuracy"],
        "balanced_accuracy": ratios["balanced_accuracy"],
        **{average: ratios[average] for average in averages},
        "per_class": per_class,
        "confusion": confusion.tolist(),
        "one_vs_rest": dict(zip(classes, one_vs_rest(confusion).tolist(), strict=True)),
    }


def curves(
    true: npt.ArrayLike, probabilities: npt.ArrayLike, classes: Sequence[str], implied: Implied
) -> dict[str, Curves]:
    """Points of the ROC and precision-recall curve of each label, at most MAX_POINTS each.

    ``{class: {"roc": {"fpr", "tpr", "thresholds"}, "pr": {"precision", "recall", "thresholds"}}}``, lists of one
    length; a threshold is None at the curve's end that no probability reaches. A label without a positive or without
    a negative has None for both. Raises as ``report`` does.
    """
    truth, scores = label_truth(true, probabilities, classes, implied)
    return {name: label_curves(truth[:, k], scores[:, k]) for k, name in enumerate(classes)}


def label_curves(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> Curves:
    """What ``curves`` gives of one label: ``truth`` and ``scores`` (N,) each."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    if not _both_occur(truth):
        return {"roc": None, "pr": None}
    fpr, tpr, roc_thresholds = roc_curve(truth, scores)
    precision, recall, pr_thresholds = precision_recall_curve(truth, scores, drop_intermediate=True)
    pr_thresholds = np.append(pr_thresholds, np.inf)
    return {
        "roc": _thin({"fpr": fpr, "tpr": tpr, "thresholds": roc_thresholds}, ("fpr", "tpr")),
        "pr": _thin({"precision": precision, "recall": recall, "thresholds": pr_thresholds}, ("precision", "recall")),
    }


def _scores(confusion: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Ratios of a (K, K) matrix: vectors (K,) for precision, recall, f1, support, and the averages as floats."""
    total = confusion.sum()
    if total == 0:
        raise _no_images()
    tp, support, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    vectors = {"precision": _ratio(tp, predicted), "recall": _ratio(tp, support)}
    specificity = _ratio(total - support - predicted + tp, total - support)
    vectors["f1"] = _ratio(2 * tp, support + predicted)
    occurs = (support + predicted) > 0
    averages = {f"macro_{figure}": float(values[occurs].mean()) for figure, values in vectors.items()}
    averages |= {f"weighted_{figure}": float(values @ support / total) for figure, values in vectors.items()}
    return {
        **vectors,
        **averages,
        "specificity": specificity,
        "support": support,
        "accuracy": float(tp.sum() / total),
        "balanced_accuracy": float(vectors["recall"][support > 0].mean()),
    }


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def label_truth(
    true: npt.ArrayLike, probabilities: npt.ArrayLike, classes: Sequence[str], implied: Implied
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """The (N, K) truth of each label, implied ones included, and the checked (N, K) probabilities."""
    index = np.asarray(true, dtype=np.int64)
    scores = np.asarray(probabilities, dtype=np.float64)
    if index.size == 0:
        raise _no_images()
    if scores.shape != (len(index), len(classes)):
        raise ValueError(f"probabilities must have shape {(len(index), len(classes))}, got {scores.shape}")
    bad = int((~np.isfinite(scores)).any(axis=1).sum())
    if bad:
        raise RunError(
            f"Expected probabilities between 0 and 1, got no number for {bad} of {len(index)} images: the training "
            "diverged. Train again with a lower learning rate."
        )
    return targets(index, classes, implied) > 0.5, scores


def _ranking(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> dict[str, float | None]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    if not _both_occur(truth):
        return {"roc_auc": None, "average_precision": None}
    return {
        "roc_auc": float(roc_auc_score(truth, scores)),
        "average_precision": float(average_precision_score(truth, scores)),
    }


def _both_occur(truth: npt.NDArray[np.bool_]) -> bool:
    return bool(truth.any() and not truth.all())


def _thin(
    curve: dict[str, npt.NDArray[np.float64]], axes: tuple[str, str], limit: int = MAX_POINTS
) -> dict[str, list[float | None]]:
    """Keep at most ``limit`` points, evenly spaced along the curve's length, so that no step of the shape is lost."""
    x, y = (curve[axis] for axis in axes)
    if len(x) > limit:
        length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
        kept = np.unique(np.searchsorted(length, np.linspace(0.0, length[-1], limit)))
        kept = np.unique(np.append(kept[kept < len(x) - 1], len(x) - 1))
    else:
        kept = np.arange(len(x))
    return {name: [float(v) if np.isfinite(v) else None for v in values[kept]] for name, values in curve.items()}


def _no_images() -> DatasetError:
    return DatasetError("Expected at least one image to evaluate, got none. Choose a split or folder that has images.")
