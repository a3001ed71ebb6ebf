"""A run's findings on a split as arrays, computed once: what is there, what is known, what is said.

images = judged_images(run, "test")
one = images.of("Nodule")
one.truth, one.known, one.score                     # (N,) each
"""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxr_core.evaluation.metrics import Curves, label_curves
from cxr_core.findings import values_of
from cxr_core.runs import Decision, Run
from cxr_core.settings import Stamp
from cxr_core.ui.run import cached_measured, stamps

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class One:
    """One finding: whether it is there, whether that is known, its probability; (N,) each."""

    truth: Bools
    known: Bools
    score: Floats

    def sure(self) -> tuple[Bools, Floats]:
        """Truth and probability where the truth is known."""
        return self.truth[self.known], self.score[self.known]


@dataclass(frozen=True)
class Judged:
    """The ``names`` that are judged, and (N, K) arrays of them; ``called``: which reach their threshold."""

    names: tuple[str, ...]
    truth: Bools
    known: Bools
    scores: Floats
    called: Bools
    thresholds: dict[str, float]
    patients: tuple[str, ...]

    def of(self, name: str) -> One:
        k = self.names.index(name)
        return One(self.truth[:, k], self.known[:, k], self.scores[:, k])


def judged_images(run: Run, split: str) -> Judged:
    """Raises RunError where the split was not evaluated."""
    return _judged(run, split, stamps(run, split))


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _judged(run: Run, split: str, changed: tuple[Stamp, ...]) -> Judged:
    report, table = cached_measured(run, split)
    names, tree = tuple(report["classes"]), run.tree
    places = [tree.names.index(name) for name in names]
    truth, known = tree.judged(values_of(table, tree.names), run.config.policy)
    scores = table[[f"p_{name}" for name in tree.names]].to_numpy(dtype=np.float64)
    thresholds = Decision.load(run).thresholds
    called = tree.present(scores, thresholds)
    return Judged(
        names=names,
        truth=truth[:, places],
        known=known[:, places],
        scores=scores[:, places],
        called=called[:, places],
        thresholds={name: thresholds.get(name, 0.5) for name in names},
        patients=tuple(table["patient"].fillna("").astype(str)),
    )


def curves_of(run: Run, split: str, name: str) -> Curves:
    """ROC and precision-recall points of one finding, over the images where it is known."""
    return _curves(run, split, name, stamps(run, split))


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _curves(run: Run, split: str, name: str, changed: tuple[Stamp, ...]) -> Curves:
    return label_curves(*judged_images(run, split).of(name).sure())
