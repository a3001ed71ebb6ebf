"""Whether what is kept of a run of findings is whole, before a page reads it.

report, table = whole_findings(run, *measured(run, "test"))
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.charts.findings import TITLES
from cxr_core.errors import RunError
from cxr_core.findings import column, texts, values_of
from cxr_core.runs import Run, files
from cxr_core.runs.measured import Measured

_TEXTS = ("file", "digest", "patient", "source", "label", "decision")
# Older splits have none of these; a page then knows nothing of them.
_KNOWN_OF_SOME = ("study", "age", "sex", "view")


def whole_findings(run: Run, report: dict[str, Any], table: pd.DataFrame) -> Measured:
    """Both, numbers as numbers and texts as texts. Raises RunError where a figure or a column is missing."""
    split = report["split"]
    if not _figures(report, run.classes):
        path = run.path / files.metrics(split)
        raise RunError(f"{path} does not hold the figures of {', '.join(run.classes)}: restore it, or train again.")
    damaged = RunError(
        f"{run.path / files.predictions(split)} is damaged: expected {', '.join(_TEXTS)}, labels and a probability of "
        f"{', '.join(run.classes)} for each of {report['n']:,} images. Restore it, or train again."
    )
    scores = [f"p_{name}" for name in run.classes]
    labels = [column(name) for name in run.classes]
    if not {*_TEXTS, *scores, *labels} <= set(table.columns) or len(table) != report["n"]:
        raise damaged
    try:
        table = table.astype(dict.fromkeys([*scores, *labels], np.float64))
        texts(values_of(table, run.classes), run.classes)
    except ValueError:
        raise damaged from None
    chances = table[scores].to_numpy()
    if not ((chances >= 0) & (chances <= 1)).all():
        raise damaged
    plain = [name for name in (*_TEXTS, *_KNOWN_OF_SOME) if name in table and name != "age"]
    table[plain] = table[plain].fillna("").astype(str)
    return report, table


def _figures(report: Mapping[str, Any], names: list[str]) -> bool:
    """Whether the figures, their intervals and the matrices of the findings are there."""
    try:
        judged = report["classes"]
        figures = [report["per_class"][name][figure] for name in judged for figure in TITLES]
        numbers = [cell for name in judged for row in report["one_vs_rest"][name] for cell in row]
        numbers += [report["calibration"]["temperature"], report["n"]]
        ranges = [report["ci"]["per_class"][name][figure] for name in judged for figure in TITLES]
        ranges.append(report["ci"]["macro_roc_auc"])
        shapes = {len(part) for name in judged for part in (report["one_vs_rest"][name], *report["one_vs_rest"][name])}
    except (KeyError, TypeError):
        return False
    sound = all(isinstance(number, int | float) for number in numbers) and report["n"] > 0
    sound = sound and all(figure is None or isinstance(figure, int | float) for figure in figures)
    sound = sound and all(ends is None or len(ends) == 2 for ends in ranges)
    return sound and shapes == {2} and set(report["counted"]) <= set(judged) <= set(names)
