"""From a run's probabilities of findings to everything said about them: what is present, metrics, intervals. No torch.

metrics, table = measure_findings(table, run.tree, run.config.policy, decision)
names, truth, known, scores = judged_labels(table, run.tree, run.config.policy)
"""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxr_core.errors import RunError
from cxr_core.evaluation.findings import calibration, judged
from cxr_core.findings import FINDINGS, PREFIX, Policy, texts, values_of
from cxr_core.hierarchy import Hierarchy
from cxr_core.runs.decision import Decision

# A figure of ours -> its name among those of a class, where that is another.
_CALLED = {"sensitivity": "recall", "ppv": "precision"}


class JudgedLabels(NamedTuple):
    """The findings that are judged, and (N, K) arrays of them: whether each is there, is known, its probability."""

    names: list[str]
    truth: NDArray[np.bool_]
    known: NDArray[np.bool_]
    scores: NDArray[np.float64]


def judged_labels(table: pd.DataFrame, tree: Hierarchy, policy: Policy, absent: Collection[str] = ()) -> JudgedLabels:
    """What a table of predictions says of the findings. Raises RunError where it is damaged."""
    names = list(tree.names)
    try:
        scores = table[[f"p_{name}" for name in names]].to_numpy(dtype=np.float64)
    except (KeyError, ValueError):
        raise RunError(f"The predictions are damaged: expected p_NAME for {', '.join(names)}.") from None
    unknown = {**dict(policy.blank_of), **dict.fromkeys(absent, "unknown")}
    truth, known = tree.judged(values_of(table, names), policy.model_copy(update={"blank_of": tuple(unknown.items())}))
    places = [k for k in sorted(tree.learnt) if names[k] not in absent]
    return JudgedLabels([names[k] for k in places], truth[:, places], known[:, places], scores[:, places])


def measure_findings(
    table: pd.DataFrame, tree: Hierarchy, policy: Policy, decision: Decision, absent: Collection[str] = ()
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Decide and measure. ``table``: a row per image with ``patient``, labels ``y_NAME`` and shown ``p_NAME``.

    The metrics are those of ``metrics_SPLIT.json`` (:class:`cxr_core.runs.records.FindingMetrics`) but for split,
    warnings and what could not be read; each finding is judged where it is certain, and what means none of them is not
    judged, nor what is ``absent`` from the labels of an external data set. The table comes back with the column
    ``decision``: the findings that are present, in words.
    """
    names = list(tree.names)
    findings, *_ = given = judged_labels(table, tree, policy, absent)
    parts = (given.truth, given.known, given.scores)
    probabilities = table[[f"p_{name}" for name in names]].to_numpy(dtype=np.float64)
    limits = {name: decision.thresholds.get(name, 0.5) for name in findings}
    report = judged(*parts, findings, limits, table["patient"].fillna("").tolist())
    calibrated = {found.name: found for found in calibration(*parts, findings)}
    per_class, intervals = {}, {}
    for found in report.findings:
        figures = {_CALLED.get(name, name): figure for name, figure in found.figures.items()}
        per_class[found.name] = {
            **{name: figure.value for name, figure in figures.items()},
            "support": found.positives,
            "positives": found.positives,
            "n": found.n,
            "unknown": found.unknown,
            "patients": found.patients,
            "others": found.others,
            "threshold": found.threshold,
            "ece": calibrated[found.name].ece,
        }
        intervals[found.name] = {name: figure.ends for name, figure in figures.items()}
    metrics = {
        "task": FINDINGS,
        "n": report.n,
        "units": report.units,
        "classes": findings,
        "counted": list(report.counted),
        "macro_roc_auc": report.macro_roc_auc.value,
        **{f"macro_{name}": _mean(per_class, report.counted, name) for name in ("average_precision", "f1")},
        "per_class": per_class,
        "one_vs_rest": {found.name: [[found.tn, found.fp], [found.fn, found.tp]] for found in report.findings},
        "ci": {"macro_roc_auc": report.macro_roc_auc.ends, "per_class": intervals},
        "calibration": {"temperature": decision.temperature},
        "thresholds": limits,
        "operating_point_chosen": decision.chosen,
    }
    rest = [name for name in table.columns if name != "decision" and not name.startswith(("p_", PREFIX))]
    labels = [name for name in table.columns if name.startswith(PREFIX)]
    decided = table[rest].copy()
    decided["decision"] = texts(tree.present(probabilities, decision.thresholds), names)
    return metrics, pd.concat([decided, table[labels], table[[f"p_{name}" for name in names]]], axis=1)


def _mean(per_class: dict[str, dict[str, Any]], counted: tuple[str, ...], figure: str) -> float | None:
    """The mean over the findings that have both; one that was never called has an F1 of 0."""
    values = [per_class[name][figure] or 0.0 for name in counted]
    return float(np.mean(values)) if values else None
