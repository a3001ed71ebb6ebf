"""What reports say of a run of findings: one image's answer, and how good each finding is.

blocks = answer(run, prediction.present, prediction.probabilities, prediction.withheld, Decision.load(run))
table = per_finding(metrics)      # metrics: run.metrics("test"), or measured(run, "test")[0]
"""

from collections.abc import Collection, Mapping
from typing import Any

from cxr_core.evaluation.rare import FEW
from cxr_core.figures import compact, counted, of
from cxr_core.findings import none_reached
from cxr_core.reports.document import Block, Table, Text
from cxr_core.runs import Decision, Run
from cxr_core.runs.decision import are_scores, by_whom, calibrated_on, rule_sentence

_COLUMNS = ("Finding", "Known images", "Prevalence", "ROC AUC", "Sensitivity", "Specificity", "Threshold")


def answer(
    run: Run, present: Collection[str], probabilities: Mapping[str, float], withheld: str | None, decision: Decision
) -> list[Block]:
    """The findings that are there first, each probability against its threshold, and by which rule."""
    names = run.findings
    order = sorted(names, key=lambda name: (name not in present, -probabilities[name]))
    rows = []
    for name in order:
        limit = decision.thresholds[name]
        reached = "reaches it" if probabilities[name] >= limit else "implied" if name in present else "below it"
        rows.append([name, compact(probabilities[name]), compact(limit), reached])
    there = ", ".join(name for name in order if name in present)
    said = f"Findings: {there}" if there else none_reached(run.classes)
    shown, calibrated = "Score", ""
    if not are_scores(run):
        shown = "Probability, calibrated"
        calibrated = f" Calibrated with temperature {decision.temperature:.3f} ({calibrated_on(run)})."
    rule = rule_sentence(run, decision.thresholds)
    return [
        Text(f"Marked as withheld. {said}" if withheld else said, strong=True),
        Table(("Finding", shown, "Threshold", "Against it"), rows, (1, 2)),
        Text(f"Rule: {rule} Thresholds: {by_whom(run, decision)}.{calibrated}"),
    ]


def figures(metrics: Mapping[str, Any]) -> list[Block]:
    """How good a run is at each finding: sentences, the table, where the intervals come from."""
    return [*(Text(line) for line in overall(metrics)), per_finding(metrics), Text(basis(metrics))]


def overall(metrics: Mapping[str, Any]) -> list[str]:
    """Sentences: the means over the findings that have both, and those that cannot be judged."""
    judged, names = metrics["counted"], metrics["classes"]
    said = [
        f"Macro ROC AUC {compact(metrics['macro_roc_auc'], metrics['ci']['macro_roc_auc'])}, macro average precision "
        f"{compact(metrics['macro_average_precision'])}, macro F1 {compact(metrics['macro_f1'])}, over "
        f"{of(len(judged), len(names))} findings on {metrics['n']:,} images."
    ]
    missing = [name for name in names if name not in judged]
    if missing:
        said.append(f"Not in these means, for all that is known is alike: {', '.join(missing)}.")
    few = [
        f"{name} {units}"
        for name in judged
        if (units := min(metrics["per_class"][name]["patients"], metrics["per_class"][name]["others"])) < FEW
    ]
    if few:
        said.append(f"Too few patients with or without it to judge: {', '.join(few)}.")
    return said


def per_finding(metrics: Mapping[str, Any]) -> Table:
    """A row per finding: where it is known, how often it is there, area, sensitivity, specificity, threshold."""
    rows = []
    for name in metrics["classes"]:
        found, ends = metrics["per_class"][name], metrics["ci"]["per_class"][name]
        (tn, fp), (fn, tp) = metrics["one_vs_rest"][name]
        rows.append(
            [
                name,
                f"{found['n']:,}",
                f"{compact(found['prevalence'])}, {of(found['positives'], found['n'])}",
                compact(found["roc_auc"], ends.get("roc_auc")),
                f"{compact(found['recall'], ends.get('recall'))}, {of(tp, tp + fn)}",
                f"{compact(found['specificity'], ends.get('specificity'))}, {of(tn, tn + fp)}",
                compact(found["threshold"]),
            ]
        )
    return Table(_COLUMNS, rows, (1,))


def basis(metrics: Mapping[str, Any]) -> str:
    """One sentence: where the intervals come from, and on which images a finding is judged."""
    units = counted(metrics["units"], "patient")
    return (
        f"In brackets: 95 % intervals, resampled over {units}, an image of an unknown one by itself. Each "
        "finding is judged on the images where its label is certain. They apply to new patients from the same "
        "hospitals, not to other hospitals."
    )
