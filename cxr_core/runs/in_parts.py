"""A run's figures in parts of the images, by age band, sex, view and source: of classes as of findings. No torch.

    parts = parts_of(run, table)                          # {"age": [...], "sex": [...]}: of each image, "" not known
    found = in_parts(run, table, "Nodule", parts)         # cxr_core.evaluation.subgroups.Subgroups

``table`` is that of ``measured(run, split)``. Predictions of findings have these columns; those of classes are beside
them in the run's ``split.csv``. A class is there, and is decided, where what implies it is.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cxr_core.evaluation.subgroups import Subgroups, age_bands, subgroups
from cxr_core.findings import FINDINGS
from cxr_core.labels import indices, targets
from cxr_core.runs.decision import Decision
from cxr_core.runs.measured_findings import judged_labels
from cxr_core.runs.run import Run

KINDS = ("age", "sex", "view", "source")
# What a split tells of the patient and the picture; runs of before kept none of it.
_TOLD = ("age", "sex", "view")


def keeps_none(run: Run, table: pd.DataFrame) -> bool:
    """Whether the run is older than the columns of age, sex and view."""
    return not {*_TOLD} & {*table.columns, *run.split.columns}


def parts_of(run: Run, table: pd.DataFrame) -> dict[str, list[str]]:
    """Kind -> the subgroup of each image, "" where it is not known; kinds of which nothing is known are left out."""
    lacking = [kind for kind in _TOLD if kind not in table]
    if lacking:
        split = run.split.drop_duplicates("file").set_index("file")
        kept = split[[kind for kind in lacking if kind in split]].reindex(table["file"])
        table = pd.concat([table.reset_index(drop=True), kept.reset_index(drop=True)], axis=1)
    given: dict[str, list[str]] = {}
    for kind in KINDS:
        if kind not in table:
            continue
        if kind == "age":
            given[kind] = age_bands(pd.to_numeric(table["age"], errors="coerce").to_numpy(dtype=np.float64))
        else:
            given[kind] = table[kind].fillna("").astype(str).tolist()
    return {kind: texts for kind, texts in given.items() if any(texts)}


def in_parts(run: Run, table: pd.DataFrame, name: str, parts: Mapping[str, Sequence[str]]) -> Subgroups:
    """One class or finding under the thresholds as they stand now. Raises RunError where the table is damaged."""
    patients = table["patient"].fillna("").astype(str).tolist()
    if run.task == FINDINGS:
        labels = judged_labels(table, run.tree, run.config.policy)
        k = labels.names.index(name)
        truth, known, scores = (part[:, [k]] for part in (labels.truth, labels.known, labels.scores))
        return subgroups(truth, known, scores, [name], Decision.load(run).thresholds, parts, patients)
    k = run.classes.index(name)
    truth, called = (
        targets(indices(table[column], run.classes), run.classes, run.implied)[:, [k]] > 0.5
        for column in ("label", "decision")
    )
    scores = table[[f"p_{name}"]].to_numpy(dtype=np.float64)
    return subgroups(truth, np.ones_like(truth), scores, [name], {}, parts, patients, called=called)
