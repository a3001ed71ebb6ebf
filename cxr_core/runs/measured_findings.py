"""From a run's probabilities of findings to everything said about them: what is present, metrics, intervals. No torch.

metrics, table = measure_findings(table, run.tree, run.config.policy, decision)
names, truth, known, scores = arrays(table, run.tree, run.config.policy)
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxr_core.errors import RunError
from cxr_core.evaluation.findings import calibration, judged
from cxr_core.findings import FINDINGS, PREFIX, Bools, Policy, texts, values_of
from cxr_core.hierarchy import Hierarchy
from cxr_core.runs.decision import Decision

# A figure of ours -> its name among those of a class, where that is another.
_CALLED = {"sensitivity": "recall", "ppv": "precision"}


def measure_findings(
    table: pd.DataFrame, tree: Hierarchy, policy: Policy, decision: Decision, absent: Collection[str] = ()
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Decide and measure. ``table``: a row per image with ``patient``, labels ``y_NAME`` and shown ``p_NAME``.

    The metrics are those of ``metrics_SPLIT.json`` (:class:`cxr_core.runs.records.FindingMetrics`) but for split,
    warnings and what could not be read; each finding is judged where it is certain, and what means none of them is not
    judged, nor what is ``absent`` from the labels of an external data set. The table comes back with the column
    ``decision``: the findings that are present, in words.
    """
    names, probabilities = list(tree.names), _shown(table, tree)
    findings, truth, known, scores = arrays(table, tree, policy, absent)
    parts = (truth, known, scores)
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


def arrays(
    table: pd.DataFrame, tree: Hierarchy, policy: Policy, absent: Collection[str] = ()
) -> tuple[list[str], Bools, Bools, NDArray[np.float64]]:
    """The findings that are judged, and (N, K) of each: whether it is there, whether that is certain, its shown
    probability. ``table`` and ``absent`` as in ``measure_findings``.
    """
    names, probabilities = list(tree.names), _shown(table, tree)
    unknown = {**dict(policy.blank_of), **dict.fromkeys(absent, "unknown")}
    truth, known = tree.judged(values_of(table, names), policy.model_copy(update={"blank_of": tuple(unknown.items())}))
    columns = [k for k in sorted(tree.learnt) if names[k] not in absent]
    return [names[k] for k in columns], truth[:, columns], known[:, columns], probabilities[:, columns]


def _shown(table: pd.DataFrame, tree: Hierarchy) -> NDArray[np.float64]:
    try:
        return np.asarray(table[[f"p_{name}" for name in tree.names]].to_numpy(dtype=np.float64))
    except (KeyError, ValueError):
        raise RunError(f"The predictions are damaged: expected p_NAME for {', '.join(tree.names)}.") from None


def _mean(per_class: dict[str, dict[str, Any]], counted: tuple[str, ...], figure: str) -> float | None:
    """The mean over the findings that have both; one that was never called has an F1 of 0."""
    values = [per_class[name][figure] or 0.0 for name in counted]
    return float(np.mean(values)) if values else None
