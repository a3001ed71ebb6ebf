"""From a run's probabilities to everything said about them: decisions, metrics, intervals, calibration. No torch.

metrics, table = measured(run, "test")    # from the files of the run, under the thresholds as they stand now
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.errors import RunError
from cxr_core.evaluation import bootstrap, calibrate, logits_of, report
from cxr_core.evaluation.balance import unjudged
from cxr_core.evaluation.calibration import brier, ece
from cxr_core.findings import FINDINGS
from cxr_core.labels import Implied, decide, indices
from cxr_core.runs.decision import Decision
from cxr_core.runs.measured_findings import measure_findings
from cxr_core.runs.run import Run

Measured = tuple[dict[str, Any], pd.DataFrame]


def measured(run: Run, split: str) -> Measured:
    """Metrics and predictions of ``split`` from the run's files.

    The worker's metrics where its thresholds stand; computed again from the kept probabilities where a person has
    chosen an operating point since, or where its intervals are older than those of few images. Raises RunError where
    the split was not evaluated.
    """
    decision, table, kept = Decision.own(run), run.predictions(split), run.metrics(split)
    if kept is None:
        raise RunError(f"Run {run.id} has no metrics for {split} yet: it is {run.state}.")
    if not decision.chosen and (run.task == FINDINGS or "few" in kept.get("ci", {"few": {}})):
        return kept, table
    again, table = measure_of(run, table, decision)
    return {**kept, **again}, table


def measure_of(run: Run, table: pd.DataFrame, decision: Decision, absent: Collection[str] = ()) -> Measured:
    """What this run's answers in ``table`` are worth: ``measure``, or of findings ``measured_findings``."""
    if run.task == FINDINGS:
        return measure_findings(table, run.tree, run.config.policy, decision, absent)
    return measure(table, run.classes, run.implied, decision)


def measure(table: pd.DataFrame, classes: Sequence[str], implied: Implied, decision: Decision) -> Measured:
    """Decide and measure. ``table``: a row per image with ``label``, ``patient`` and calibrated ``p_CLASS``.

    The metrics are those of :func:`cxr_core.evaluation.metrics.report`, with ``ci`` (95 %, by patient), ``calibration``
    (before: at temperature 1), ``thresholds``, and ``unjudged``: a sentence for each class of too few images. The table
    comes back with the column ``decision``.
    """
    try:
        probabilities = table[[f"p_{name}" for name in classes]].to_numpy(dtype=np.float64)
        true = indices(table["label"], classes)
    except (KeyError, ValueError):
        raise RunError(f"The predictions are damaged: expected label and p_CLASS for {', '.join(classes)}.") from None
    decisions = decide(probabilities, classes, implied, decision.thresholds)
    before = calibrate(logits_of(probabilities, implied) * decision.temperature, 1.0, implied)
    metrics = {
        **report(true, probabilities, decisions, classes, implied),
        "ci": bootstrap(true, probabilities, decisions, classes, implied, table["patient"].fillna("").tolist()),
        "calibration": {
            "ece_before": ece(before, true, classes, implied),
            "ece_after": ece(probabilities, true, classes, implied),
            "brier_before": brier(before, true, classes, implied),
            "brier_after": brier(probabilities, true, classes, implied),
            "temperature": decision.temperature,
        },
        "thresholds": decision.thresholds,
        "operating_point_chosen": decision.chosen,
    }
    metrics["unjudged"] = unjudged(metrics)
    columns = [name for name in table.columns if name != "decision" and not name.startswith("p_")]
    decided = table[columns].copy()
    decided["decision"] = [classes[k] for k in decisions]
    for k, name in enumerate(classes):
        decided[f"p_{name}"] = probabilities[:, k]
    return metrics, decided
