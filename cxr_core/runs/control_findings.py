"""Controls finding by finding: what each reaches without lungs, and which findings remain there.

    kept = measured_controls(run, {"lungs-erased": (metrics, predictions), ...})   # what controls.json holds
    rows = finding_rows(metrics, scores)                        # a row per finding; row.state, row.said

A finding *remains* where the control without lungs tells it (its interval lies above guessing) and reaches the lower
end of the run's own interval: the rule by which a control reaches the run as a whole. Intervals are by patient, and
those of differences paired: the same draws of patients for both, on the same images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.evaluation.paired_findings import Compared, Difference, compared
from cxr_core.evaluation.rare import FEW
from cxr_core.figures import Ends, compact, number, of, spelled
from cxr_core.findings import FINDINGS
from cxr_core.runs.measured import Measured, measured
from cxr_core.runs.measured_findings import judged_labels
from cxr_core.runs.records import FindingControlScore
from cxr_core.runs.run import Run

GUESSING = 0.5
REMAINS, IN_PART, GONE, UNTOLD = "remains", "in part", "gone", "not told"
LUNGLESS = "lungs-erased"


@dataclass(frozen=True)
class FindingRow:
    """One finding: the area of the run and of each control with its interval, by kind, and of each control by how much
    the run's is larger. ``state``: what is left of it without lungs, None where that was not trained; ``said``: the
    same in a sentence.
    """

    name: str
    positives: int
    n: int
    areas: dict[str, tuple[float | None, Ends]]
    differences: dict[str, tuple[float | None, Ends]]
    state: str | None
    said: str

    def as_json(self) -> dict[str, Any]:
        return {
            "finding": self.name,
            "positives": self.positives,
            "n": self.n,
            "state": self.state,
            "meaning": self.said,
            "roc_auc": {kind: value for kind, (value, _) in self.areas.items()},
            "interval": {kind: _pair(ends) for kind, (_, ends) in self.areas.items()},
            "difference": {kind: value for kind, (value, _) in self.differences.items()},
            "difference_interval": {kind: _pair(ends) for kind, (_, ends) in self.differences.items()},
        }


def _pair(ends: Ends) -> list[float] | None:
    return list(ends) if ends else None


def measured_controls(run: Run, trained: Mapping[str, Measured]) -> dict[str, Any]:
    """What ``controls.json`` of findings holds: of each trained control (kind -> its figures and predictions on the
    test) and of what the audit reached from the shortcut and from the source.
    """
    own, table = measured(run, "test")
    found: dict[str, Any] = {"task": FINDINGS}
    for kind, (metrics, predictions) in trained.items():
        differences = _differences(run, table, predictions)
        names = {one.name: one.figures["roc_auc"] for one in differences.findings}
        found[kind] = {
            "macro_roc_auc": metrics["macro_roc_auc"],
            "interval": metrics["ci"]["macro_roc_auc"],
            "n": metrics["n"],
            "on": "test images",
            **_written(differences.macro_roc_auc),
            "findings": {
                name: {
                    "roc_auc": figures["roc_auc"],
                    "interval": metrics["ci"]["per_class"][name]["roc_auc"],
                    "n": figures["n"],
                    "positives": figures["positives"],
                    **_written(names[name]),
                }
                for name, figures in metrics["per_class"].items()
            },
        }
    audit = run.audit
    facts = audit.facts if audit else {}
    for kind, key in (("shortcut", "by_shortcut"), ("source-only", "by_source")):
        rows = facts.get(key)
        if rows:
            found[kind] = {
                "macro_roc_auc": mean_area(rows, own["counted"]),
                "n": max(row["n"] for row in rows),
                "on": "images, cross-validated",
                "findings": {
                    row["finding"]: {part: row[part] for part in ("roc_auc", "interval", "n", "positives")}
                    for row in rows
                },
            }
    return found


def mean_area(rows: Sequence[Mapping[str, Any]] | None, counted: Sequence[str]) -> float | None:
    """The mean area of what the audit reached for each finding (``by_shortcut``, ``by_source``), over those that a run
    is judged by; None where it could not judge one of them, so that a mean over others is never held against the run.
    """
    areas = {row["finding"]: row["roc_auc"] for row in rows or []}
    values = [areas.get(name) for name in counted]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _differences(run: Run, table: pd.DataFrame, predictions: pd.DataFrame) -> Compared:
    columns = [f"p_{name}" for name in run.classes]
    both = table[table["file"].isin(predictions["file"])].reset_index(drop=True)
    other = both.copy()
    other[columns] = predictions.set_index("file").loc[both["file"], columns].to_numpy()
    tree, policy = run.tree, run.config.policy
    names, truth, known, mine = judged_labels(both, tree, policy)
    theirs = judged_labels(other, tree, policy).scores
    return compared(truth, known, mine, theirs, names, {}, {}, both["patient"].fillna("").tolist())


def _written(difference: Difference) -> dict[str, Any]:
    return {"difference": difference.difference, "difference_interval": difference.ends}


def finding_rows(own: Mapping[str, Any], kept: Mapping[str, FindingControlScore]) -> tuple[FindingRow, ...]:
    """A row for each finding of the run. ``own``: its figures on the test; ``kept``: kind -> what stands in
    ``controls.json``.
    """
    rows = []
    for name, figures in own["per_class"].items():
        areas: dict[str, tuple[float | None, Ends]] = {
            "run": (figures["roc_auc"], own["ci"]["per_class"][name].get("roc_auc"))
        }
        differences: dict[str, tuple[float | None, Ends]] = {}
        for kind, score in kept.items():
            one = score.findings.get(name)
            if one is None:
                continue
            areas[kind] = (one.roc_auc, one.interval)
            if one.difference is not None:
                differences[kind] = (one.difference, one.difference_interval)
        state, said = _state(figures, areas, differences)
        rows.append(FindingRow(name, figures["positives"], figures["n"], areas, differences, state, said))
    return tuple(rows)


def _state(
    figures: Mapping[str, Any],
    areas: Mapping[str, tuple[float | None, Ends]],
    differences: Mapping[str, tuple[float | None, Ends]],
) -> tuple[str | None, str]:
    """What is left of a finding without lungs, in a word and in a sentence."""
    if LUNGLESS not in areas:
        return None, "No control without lungs."
    value, ends = areas["run"]
    other, around = areas[LUNGLESS]
    if value is None or other is None or not ends or not around:
        return UNTOLD, "Not told: not both present and absent in the test."
    if min(figures["patients"], figures["others"]) < FEW:
        return UNTOLD, f"Not told: too few patients ({figures['patients']} with it, {figures['others']} without)."
    if ends[0] <= GUESSING:
        return UNTOLD, f"Not told: the run itself does no better than guessing ({compact(value, ends, 2)})."
    without = compact(other, around, 2)
    if around[0] <= GUESSING:
        return GONE, f"Gone without lungs: {without} is not told from guessing."
    if other >= ends[0]:
        return REMAINS, f"Remains without lungs: {without} reaches the run's lower end ({number(ends[0], 2)})."
    drop, of_it = differences.get(LUNGLESS, (value - other, None))
    lost = spelled(value - other if drop is None else drop, of_it, 2)
    return IN_PART, f"In part: {without} without lungs is above guessing, and {lost} below the run."


def remaining(rows: Sequence[FindingRow]) -> list[str]:
    """The findings that remain without lungs."""
    return [row.name for row in rows if row.state == REMAINS]


def sentence(rows: Sequence[FindingRow]) -> str:
    """Which findings remain without lungs, which in part, which are gone, and of which nothing can be said; "" where no
    control without lungs was trained.
    """
    if not rows:
        return ""
    by_state: dict[str, list[str]] = {state: [] for state in (REMAINS, IN_PART, GONE, UNTOLD)}
    for row in rows:
        if row.state is None:
            return ""
        by_state[row.state].append(row.name)
    titles = {
        REMAINS: "remain as they are",
        IN_PART: "remain in part",
        GONE: "are gone",
        UNTOLD: "cannot be told",
    }
    told = [
        f"{of(len(names), len(rows))} {titles[state]} ({', '.join(names)})"
        for state, names in by_state.items()
        if names
    ]
    if not by_state[REMAINS]:
        told.insert(0, "no finding remains as it is")
    return f"Finding by finding, without lungs: {'; '.join(told)}."
