"""A run's figures and predictions as they stand, checked, and read once for all pages.

report, table = cached_measured(run, "test")      # metrics with "ci" and "calibration"; a row per image
points = cached_curves(run, "test")      # ROC and precision-recall points of each label
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from cxr_core.errors import RunError
from cxr_core.evaluation import curves
from cxr_core.findings import FINDINGS
from cxr_core.labels import indices, targets
from cxr_core.runs import Run, files
from cxr_core.runs.measured import Measured, measured
from cxr_core.settings import Stamp, stamp
from cxr_core.ui.run.measured_findings import whole_findings

_RATIOS = ("precision", "recall", "specificity", "f1", "roc_auc", "average_precision")
_OVERALL = ("accuracy", "balanced_accuracy", "macro_f1")
_AVERAGES = ("macro_precision", "macro_recall", "weighted_f1", "weighted_precision", "weighted_recall")
_CALIBRATION = ("ece_before", "ece_after", "brier_before", "brier_after", "temperature")
_TEXTS = ("file", "digest", "patient", "source", "label", "decision")


def cached_measured(run: Run, split: str) -> Measured:
    """Metrics and predictions of a run on ``split``, under the thresholds as they stand now.

    Kept until one of the files behind them changes. Raises RunError where the split was not evaluated, or where
    what is kept is not whole.
    """
    return _measured(run, split, stamps(run, split))


def stamps(run: Run, split: str) -> tuple[Stamp, ...]:
    """When the files behind ``cached_measured`` were last changed."""
    names = (files.predictions(split), files.metrics(split), files.DECISION, files.OPERATING_POINT)
    return tuple(stamp(run.path / name) for name in names)


@st.cache_data(max_entries=32, show_spinner="Measuring", hash_funcs={Run: lambda run: str(run.path)})
def _measured(run: Run, split: str, changed: tuple[Stamp, ...]) -> Measured:
    report, table = measured(run, split)
    if run.task == FINDINGS:
        return whole_findings(run, report, table)
    if not _whole(report, run.classes) or not _trustworthy(report, run.classes):
        path = run.path / files.metrics(split)
        raise RunError(f"{path} does not hold the figures of {', '.join(run.classes)}: restore it, or train again.")
    damaged = RunError(
        f"{run.path / f'predictions_{split}.csv'} is damaged: expected {', '.join(_TEXTS)} and a probability of "
        f"{', '.join(run.classes)} for each of {report['n']:,} images. Restore it, or train again."
    )
    columns = [f"p_{name}" for name in run.classes]
    if not {*_TEXTS, *columns} <= set(table.columns) or len(table) != report["n"]:
        raise damaged
    try:
        table = table.astype(dict.fromkeys(columns, np.float64))
    except ValueError:
        raise damaged from None
    known = table["label"].isin(run.classes) & table["decision"].isin(run.classes)
    if not known.all() or not np.isfinite(table[columns].to_numpy()).all():
        raise damaged
    return report, table


def cached_curves(run: Run, split: str) -> dict[str, Any]:
    """ROC and precision-recall points of each label, from the run's predictions. Raises RunError."""
    return _curves(run, split, stamps(run, split))


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _curves(run: Run, split: str, changed: tuple[Stamp, ...]) -> dict[str, Any]:
    _, table = cached_measured(run, split)
    return curves(true_of(run, table), probabilities_of(run, table), run.classes, run.implied)


def true_of(run: Run, table: pd.DataFrame) -> NDArray[np.int64]:
    """Class index of each image's label, (N,)."""
    return indices(table["label"], run.classes)


def probabilities_of(run: Run, table: pd.DataFrame) -> NDArray[np.float64]:
    """Calibrated probabilities, (N, K)."""
    return np.asarray(table[[f"p_{name}" for name in run.classes]], dtype=np.float64)


def truth_of(run: Run, table: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Which images carry the label ``name``, implied ones included, (N,)."""
    return targets(true_of(run, table), run.classes, run.implied)[:, run.classes.index(name)] > 0.5


def _whole(report: Mapping[str, Any], classes: list[str]) -> bool:
    """Whether the plain figures are there: numbers, or None where a ranking figure is not defined."""
    try:
        numbers = [report[name] for name in ("n", *_OVERALL, *_AVERAGES)]
        numbers += [count for name in classes for row in report["one_vs_rest"][name] for count in row]
        numbers += [count for row in report["confusion"] for count in row]
        kinds = (*_RATIOS, "support", "positives")
        figures = [report["per_class"][name][figure] for name in classes for figure in kinds]
        shapes = [len(report["confusion"]), *(len(row) for row in report["confusion"])]
        shapes += [len(report["per_class"]), len(report["classes"])]
        pairs = [len(part) for name in classes for part in (report["one_vs_rest"][name], *report["one_vs_rest"][name])]
        thresholds = list(report.get("thresholds", {}).values())
    except (KeyError, TypeError, AttributeError):
        return False
    sound = all(isinstance(number, int | float) for number in [*numbers, *thresholds])
    sound = sound and all(figure is None or isinstance(figure, int | float) for figure in figures)
    return sound and report["n"] > 0 and set(shapes) == {len(classes)} and set(pairs) == {2}


def _trustworthy(report: Mapping[str, Any], classes: list[str]) -> bool:
    """Whether the intervals and the calibration are there too."""
    try:
        intervals = [report["ci"][name] for name in _OVERALL]
        intervals += [report["ci"]["per_class"][name][figure] for name in classes for figure in _RATIOS]
        numbers = [report["ci"][name] for name in ("resamples", "n", "grouped", "groups")]
        numbers += [report["calibration"][name] for name in _CALIBRATION]
        numbers += [end for ends in intervals if ends is not None for end in ends]
    except (KeyError, TypeError):
        return False
    pairs = all(ends is None or len(ends) == 2 for ends in intervals)
    return pairs and all(isinstance(number, int | float) for number in numbers)
