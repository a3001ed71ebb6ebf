"""A run's figures source by source, of classes or of findings, and whether a source could be left out of training.

rows = by_source_of(run, table)          # table: predictions of the run, or of what was trained beside it
possible(run, run.split)["message"]      # whether leaving one source out is possible, in a sentence
"""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from cxr_core.evaluation.by_source import UNKNOWN, by_source, can_leave_out, can_leave_out_findings
from cxr_core.findings import FINDINGS, values_of
from cxr_core.runs.decision import Decision
from cxr_core.runs.measured_findings import measure_findings
from cxr_core.runs.run import Run

_FIGURES = (
    *("n", "units", "counted", "macro_roc_auc", "macro_average_precision", "macro_f1"),
    *("per_class", "one_vs_rest", "ci"),
)


def by_source_of(
    run: Run, table: pd.DataFrame, unlearnt: Mapping[str, Collection[str]] | None = None, absent: Collection[str] = ()
) -> list[dict[str, Any]]:
    """A dict per source, sorted: of classes as :func:`cxr_core.evaluation.by_source.by_source` gives; of findings
    ``{"source", "n", "classes": {finding: images with it}, "unlearnt"}`` and what ``measured`` gives of a split.

    ``unlearnt``: by source the findings that are not judged there; ``absent``: those that are judged nowhere.
    """
    if run.task != FINDINGS:
        return by_source(table, run.classes, run.implied)
    decision = Decision.load(run)
    named = table["source"].fillna("").astype(str).replace("", UNKNOWN)
    rows = []
    for source, part in table.groupby(named, sort=True):
        left = list((unlearnt or {}).get(str(source), []))
        figures, _ = measure_findings(
            part.reset_index(drop=True), run.tree, run.config.policy, decision, {*absent, *left}
        )
        counts = {name: row["positives"] for name, row in figures["per_class"].items()}
        kept = {key: figures[key] for key in _FIGURES}
        rows.append({"source": str(source), "classes": counts, "unlearnt": left, **kept})
    return rows


def possible(run: Run, samples: pd.DataFrame, absent: Collection[str] = ()) -> dict[str, Any]:
    """``{"possible", "single", "message"}`` of images with source and labels: see ``can_leave_out``; nothing is said of
    findings that are ``absent`` from the labels.
    """
    if run.task != FINDINGS:
        return can_leave_out(samples)
    truth, known = run.tree.judged(values_of(samples, run.classes), run.config.policy)
    names = [name for name in run.findings if name not in absent]
    places = [run.classes.index(name) for name in names]
    return can_leave_out_findings(samples["source"].tolist(), truth[:, places], known[:, places], names)
