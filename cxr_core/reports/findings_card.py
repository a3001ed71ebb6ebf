"""What the model card of a run of findings says otherwise than that of classes: labels, counts, figures, calibration.

blocks = [*training_data(samples, run), *quantitative(reports), *calibration(reports, decision)]

``samples`` is the table of the split (``run.split``); ``reports``: split -> metrics.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxr_core.figures import compact, of, percent
from cxr_core.findings import Policy, effect, values_of
from cxr_core.names import best_of
from cxr_core.reports import findings
from cxr_core.reports.document import Block, Heading, Table, Text
from cxr_core.runs import Decision, Run

SPLIT_NAMES = {"train": "Training", "val": "Validation", "test": "Test"}
_UNCERTAIN = {"unknown": "left out of the loss", "1": "taken for yes", "0": "taken for no"}
_BLANK = {"0": "taken for no (not mentioned is not there)", "unknown": "left out of the loss"}


def metrics_used(run: Run, decision: Decision) -> list[Block]:
    """Which figures, and how thresholds and the best epoch were chosen."""
    limits = ", ".join(f"{name} {decision.thresholds[name]:.3f}" for name in run.findings)
    by_whom = f"a person, {decision.chosen}" if decision.chosen else f"the training ({_aim(run)})"
    return [
        Heading("Metrics"),
        Text(
            "ROC AUC and average precision of each finding's probability; sensitivity, specificity, predictive values "
            "and F1 at its threshold; their means over the findings that have both; expected calibration error and "
            "Brier score. Each finding is judged on the images where its label is certain."
        ),
        Text(f"Thresholds: {limits}; chosen by {by_whom}, on the validation split."),
        Text(
            "The weights are those that were published; no epoch was chosen here."
            if decision.monitor == "published"
            else f"The best epoch ({decision.epoch}) was chosen on validation by {best_of(decision.monitor)}."
        ),
    ]


def _aim(run: Run) -> str:
    config = run.config
    aims = {"f1": "the highest F1", "youden": "the highest Youden's J"}
    return aims.get(config.threshold_by, f"a sensitivity of {config.sensitivity:g}")


def counts(samples: pd.DataFrame, run: Run, splits: tuple[str, ...]) -> list[Block]:
    """A row per finding: images with it, of those where it is known, in each split; images and patients below."""
    parts = {split: samples[samples["split"] == split] for split in splits}
    rows = []
    for k, name in enumerate(run.classes):
        row = [name]
        for part in parts.values():
            values = values_of(part, run.classes)[:, k]
            row.append(of(int((values == 1).sum()), int(((values == 1) | (values == 0)).sum())))
        rows.append(row)
    rows.append(["All images", *(f"{len(part):,}" for part in parts.values())])
    rows.append(["Patients", *(_patients(part) for part in parts.values())])
    right = tuple(range(1, len(splits) + 1))
    return [Table(("With it, of those known", *(SPLIT_NAMES[split] for split in splits)), rows, right)]


def _patients(part: pd.DataFrame) -> str:
    patients = part["patient"].fillna("") if "patient" in part else pd.Series("", index=part.index)
    known = patients[patients != ""]
    return f"{known.nunique():,} in {of(len(known), len(part))}" if len(known) else "not known"


def sources(samples: pd.DataFrame, splits: tuple[str, ...]) -> list[Block]:
    """Images by source and split, where any source is known."""
    part = samples[samples["split"].isin(splits)]
    if "source" not in part or not part["source"].fillna("").any():
        return []
    table = pd.crosstab(part["source"].fillna(""), part["split"])
    rows = [
        [str(source) or "not known", *(f"{int(row.get(split, 0)):,}" for split in splits)]
        for source, row in table.iterrows()
    ]
    titles = ("Images by source", *(SPLIT_NAMES[split] for split in splits))
    return [Table(titles, rows, tuple(range(1, len(splits) + 1)))]


def labels(samples: pd.DataFrame, run: Run) -> list[Block]:
    """Which set it is, how its labels were made, what was left out, and what was learnt of the labels."""
    origin, policy = run.info.origin, run.config.policy
    named = f"Recognised as {origin['set']}. " if origin.get("set") else ""
    said = [Text(f"{named}How the labels were made: {origin.get('rule') or 'not known.'}")]
    if origin.get("rules"):
        said.append(Text(f"Rules: {', '.join(f'{rule} {choice}' for rule, choice in origin['rules'].items())}."))
    left_out = [row for row in origin.get("left_out", []) if row["n"]]
    if left_out:
        told = ", ".join(f"{row['n']:,} by the rule {row['rule']}" for row in left_out)
        said.append(Text(f"Images left out when the set was read: {told}."))
    if origin.get("attribution"):
        said.append(Text(str(origin["attribution"])))
    said += [Text(sentence) for sentence in learnt_of(policy)]
    train = samples[samples["split"] == "train"]
    found = effect(values_of(train, run.classes), run.classes, policy)
    rows = [[name, *(f"{getattr(found[name], kind):,}" for kind in (*_CAME, *_LEARNT))] for name in run.findings]
    titles = ("Training images", *_CAME.values(), *_LEARNT.values())
    return [*said, Table(titles, rows, tuple(range(1, len(titles))))]


_CAME = {"yes": "Label yes", "no": "No", "uncertain": "Uncertain", "blank": "Blank"}
_LEARNT = {"ones": "Learnt as yes", "zeros": "As no", "soft": "Soft", "unknown": "Left out"}


def learnt_of(policy: Policy) -> list[str]:
    """Sentences: what training makes of uncertain and of blank labels, exceptions by finding."""
    uncertain = _UNCERTAIN | {"soft": f"learnt as {policy.soft:g}"}
    said = []
    for kind, words, rule, others in (
        ("Uncertain", uncertain, policy.uncertain, policy.uncertain_of),
        ("Blank", _BLANK, policy.blank, policy.blank_of),
    ):
        but = ", ".join(f"{name} {words[other]}" for name, other in others)
        said.append(f"{kind} labels are {words[rule]}{f'; but: {but}' if but else ''}.")
    return said


def quantitative(reports: Mapping[str, Any]) -> list[Block]:
    """The figures of each split, finding by finding."""
    blocks: list[Block] = [Heading("Quantitative analyses")]
    for split, metrics in reports.items():
        name = "Internal test" if split == "test" else SPLIT_NAMES[split]
        caution = "" if split == "test" else " (it chose the epoch, temperature and thresholds: too good by that much)"
        blocks.append(Text(f"{name} split{caution}", strong=True))
        blocks += findings.figures(metrics)
    return blocks


def calibration(reports: Mapping[str, Any], decision: Decision) -> list[Block]:
    """Each finding's error on the test split, and the prevalence beside what is predicted on the average."""
    metrics = reports["test"]
    rows = []
    for name in metrics["classes"]:
        found = metrics["per_class"][name]
        gap = found.get("calibration_gap")
        said = "" if gap is None else percent(gap, digits=1)
        rows.append([name, compact(found.get("ece")), compact(found.get("brier")), said, f"{found['n']:,}"])
    return [
        Heading("Calibration"),
        Text(
            f"Logits are divided by the temperature {decision.temperature:.3f}, fitted on the known labels of the "
            "validation split (Guo et al. 2017). Below: the internal test split."
        ),
        Table(("Finding", "ECE", "Brier", "Calibration gap", "Known images"), rows, (1, 2, 3, 4)),
    ]
