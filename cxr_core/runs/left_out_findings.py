"""Left-out sources of a run of findings: what can still be learnt without one, and what is lost.

    unlearnt, lacking = learnable(run, split)       # split: what the training without a source would have
    difference(run, own, without, unlearnt)         # the run less these trainings, on the same test images

The trainings answer with probabilities of their own, which do not rank the images of one source against those of
another: areas are counted within each source, and their mean is taken.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.evaluation.paired_findings import compared_within
from cxr_core.figures import counted, spelled
from cxr_core.findings import values_of
from cxr_core.runs.measured_findings import judged_labels
from cxr_core.runs.run import Run

_NAMED = 3


def learnable(run: Run, split: pd.DataFrame) -> tuple[list[str], str]:
    """The findings that are not both present and absent in training, and so cannot be learnt; and why nothing can be
    trained at all, "" where something can: an epoch is chosen by findings that validation has both of.
    """
    both: dict[str, set[str]] = {}
    for part in ("train", "val"):
        truth, known = run.tree.judged(values_of(split[split["split"] == part], run.classes), run.config.policy)
        columns = zip(run.classes, truth.T, known.T, strict=True)
        both[part] = {name for name, there, sure in columns if (there & sure).any() and (sure & ~there).any()}
    unlearnt = [name for name in run.findings if name not in both["train"]]
    if both["train"] & both["val"] & {*run.findings}:
        return unlearnt, ""
    return unlearnt, "no finding would be left that is both present and absent in train and in validation."


def brief(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a source's figures those that no threshold enters: another network chose its own."""
    figures = ("n", "unknown", "positives", "patients", "others", "roc_auc", "average_precision")
    areas = ("roc_auc", "average_precision")
    return {
        **{key: value for key, value in row.items() if key not in ("macro_f1", "one_vs_rest", "per_class", "ci")},
        "per_class": {name: {key: found[key] for key in figures} for name, found in row["per_class"].items()},
        "ci": {
            "macro_roc_auc": row["ci"]["macro_roc_auc"],
            "per_class": {name: {key: ends.get(key) for key in areas} for name, ends in row["ci"]["per_class"].items()},
        },
    }


def difference(
    run: Run, own: pd.DataFrame, without: pd.DataFrame, unlearnt: Mapping[str, Collection[str]]
) -> dict[str, Any] | None:
    """The run less the trainings without each source, on the run's test images ``own``; None where no source has a
    finding that is both present and absent there.

    ``{"n", "groups", "macro_roc_auc", "macro_roc_auc_left_out", "macro_roc_auc_difference", "macro_roc_auc_ci",
    "counted", "per_finding": {finding: {"sources", "n", "positives", "roc_auc", "left_out", "difference", "ci"}}}``
    """
    columns = [f"p_{name}" for name in run.classes]
    mine = own[own["file"].isin(without["file"])].reset_index(drop=True)
    if mine.empty:
        return None
    theirs = mine.copy()
    theirs[columns] = without.set_index("file").loc[mine["file"], columns].to_numpy()
    names, truth, known, shown = judged_labels(mine, run.tree, run.config.policy)
    other = judged_labels(theirs, run.tree, run.config.policy).scores
    sources = mine["source"].tolist()
    learnt = np.array([[name not in unlearnt.get(source, ()) for name in names] for source in sources])
    found = compared_within(truth, known & learnt, shown, other, names, sources, mine["patient"].fillna("").tolist())
    macro = found.macro_roc_auc
    if macro.difference is None:
        return None
    return {
        "n": found.n,
        "groups": found.units,
        "macro_roc_auc": macro.first,
        "macro_roc_auc_left_out": macro.second,
        "macro_roc_auc_difference": macro.difference,
        "macro_roc_auc_ci": macro.ends,
        "counted": list(found.counted),
        "per_finding": {
            one.name: {
                "sources": one.parts,
                "n": one.n,
                "positives": one.positives,
                "roc_auc": one.roc_auc.first,
                "left_out": one.roc_auc.second,
                "difference": one.roc_auc.difference,
                "ci": one.roc_auc.ends,
            }
            for one in found.findings
        },
    }


def falling(found: Mapping[str, Any]) -> str:
    """The findings that fall, the largest loss first, in a sentence; ``found``: ``per_finding``."""
    sure = [(name, row) for name, row in found.items() if row["ci"] and row["ci"][0] > 0]
    if not sure:
        return "Of no finding by itself is a loss shown."
    told = _listed(sorted(sure, key=lambda pair: -pair[1]["difference"]))
    return f"Shown to fall, of {counted(len(found), 'finding')}: {told}."


def _listed(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    told = ", ".join(f"{name} by {spelled(row['difference'], row['ci'], 2)}" for name, row in rows[:_NAMED])
    more = len(rows) - _NAMED
    return f"{told} and {more} more" if more > 0 else told
