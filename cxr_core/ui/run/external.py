"""The figures of a run on external data sets, read once for all pages.

for row in external_figures(run):       # the latest first; [] where there is none
    row["name"], row["macro_f1"], row["ci"]["macro_f1"], row["against"]["macro_f1"]["drop"]
"""

from typing import Any

import streamlit as st

from cxr_core.errors import RunError
from cxr_core.evaluation import balance
from cxr_core.findings import FINDINGS
from cxr_core.runs import Run, files
from cxr_core.runs.external import against, externals, stamps
from cxr_core.settings import Stamp, stamp
from cxr_core.ui import escaped

FIGURES = ("n", "classes", "accuracy", "balanced_accuracy", "macro_f1", "ci", "confusion")
OF_FINDINGS = (
    "n",
    "classes",
    "counted",
    "macro_roc_auc",
    "macro_f1",
    "ci",
    "per_class",
    "one_vs_rest",
    "matched",
    "absent",
)


def external_figures(run: Run) -> list[dict[str, Any]]:
    """name, file, split, evaluated, shared, n, classes, right, confusion, accuracy, balanced_accuracy, macro_f1, ci of
    each external data set, and what its public set is known to share with the run's as ``overlap``; ``against``: the
    test beside it (``external.against``), or None with the reason as ``problem``. Of findings ``OF_FINDINGS`` in the
    place of ``FIGURES``, without ``right``; "unmatched" is None where an older evaluation kept none.
    """
    kept = stamps(run)
    if not kept:
        return []
    names = (files.OPERATING_POINT, files.metrics("test"), files.predictions("test"))
    found: list[dict[str, Any]] = _figures(run, kept, [stamp(run.path / name) for name in names])
    return found


def overlap_warning(sentence: str) -> None:
    """What public sets are known to share, or the images of two data sets; nothing where ``sentence`` is empty."""
    if sentence:
        st.warning(escaped(sentence), icon=":material/join_inner:")


@st.cache_data(max_entries=64, show_spinner="Measuring", hash_funcs={Run: lambda run: str(run.path)})
def _figures(run: Run, kept: tuple[tuple[str, Stamp], ...], changed: list[Stamp]) -> list[dict[str, Any]]:
    rows = []
    for external in externals(run):
        metrics, _ = external.measured
        row = {name: metrics[name] for name in (OF_FINDINGS if run.task == FINDINGS else FIGURES)} | {
            name: getattr(external.facts, name) for name in ("name", "data", "split", "evaluated", "shared", "overlap")
        }
        row["file"] = external.path.name
        rows.append(row)
        row |= {"unmatched": metrics.get("unmatched")} if run.task == FINDINGS else {"right": balance.right(metrics)}
        try:
            row |= {"against": against(run, external), "problem": ""}
        except RunError as error:
            row |= {"against": None, "problem": str(error)}
    return rows
