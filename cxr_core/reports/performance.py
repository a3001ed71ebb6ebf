"""A run's figures as rows of text: each with its 95 % interval and what it was counted on.

table = per_class(metrics)      # metrics: run.metrics("test"), or measured(run, "test")[0]
"""

from collections.abc import Mapping
from typing import Any

from cxr_core.evaluation import balance
from cxr_core.evaluation.balance import right_of
from cxr_core.figures import UNDEFINED, Ends, compact, of
from cxr_core.reports.document import Block, Table, Text

_COLUMNS = ("", "Sensitivity", "Specificity", "Precision", "ROC AUC")


def figures(metrics: Mapping[str, Any]) -> list[Block]:
    """How good a run is at each class: sentences, the table, where the intervals come from."""
    return [*(Text(line) for line in overall(metrics)), per_class(metrics), Text(basis(metrics))]


def overall(metrics: Mapping[str, Any]) -> list[str]:
    """Sentences: the balanced figures, the recall of each class and what could not be judged; accuracy last."""
    ci = metrics.get("ci") or {}
    return [
        f"Balanced accuracy {compact(metrics['balanced_accuracy'], ci.get('balanced_accuracy'))}, "
        f"macro F1 {compact(metrics['macro_f1'], ci.get('macro_f1'))}, on {metrics['n']:,} images.",
        f"Recall: {balance.recalls(metrics)}.",
        *balance.unjudged(metrics),
        f"Accuracy {_counted(metrics['accuracy'], ci.get('accuracy'), right_of(metrics))} images.",
    ]


def per_class(metrics: Mapping[str, Any]) -> Table:
    """Sensitivity, specificity, precision and ROC AUC of each class."""
    rows = []
    for name in metrics["classes"]:
        found, ci = metrics["per_class"][name], (metrics.get("ci") or {}).get("per_class", {}).get(name, {})
        (tn, fp), (fn, tp) = metrics["one_vs_rest"][name]
        rows.append(
            [
                name,
                _counted(found["recall"] if tp + fn else None, ci.get("recall"), of(tp, tp + fn)),
                _counted(tn / (tn + fp) if tn + fp else None, ci.get("specificity"), of(tn, tn + fp)),
                _counted(found["precision"] if tp + fp else None, ci.get("precision"), of(tp, tp + fp)),
                _counted(found["roc_auc"], ci.get("roc_auc"), f"{of(found['positives'], metrics['n'])} positive"),
            ]
        )
    return Table(_COLUMNS, rows)


def _counted(value: float | None, ends: Ends, denominator: str) -> str:
    """``0.695 (0.631–0.756), 153 of 220``; a dash where the figure is not defined."""
    return UNDEFINED if value is None else f"{compact(value, ends)}, {denominator}"


def basis(metrics: Mapping[str, Any]) -> str:
    """One sentence: where the intervals come from."""
    ci = metrics.get("ci")
    if not ci:
        return "This run has no intervals: evaluate it again to have them."
    units = f"{ci['groups']:,} patients and images without a known patient" if ci.get("grouped") else "images"
    return (
        f"In brackets: 95 % bootstrap intervals, {ci['resamples']:,} resamples of {units}, widened to the exact "
        "binomial interval where fewer than ten count. They apply to new patients from the same hospitals, not to "
        "other hospitals."
    )
