"""What a reader is shown of one image's answer, where the classes exclude each other.

    shown = bars(probabilities, "PNEUMONIA", run.classes, run.implied, thresholds)
    shown.values     # {"COVID19": 0.22, "NORMAL": 0.38, "PNEUMONIA without COVID19": 0.4}: add up to 1
    shown.decided    # "PNEUMONIA without COVID19"
    shown.reason     # why that is not the longest bar, "" where it is

Of coherent labels the leaves are shown, from which the decision follows; of flat ones each label's own probability.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cxr_core.figures import percent
from cxr_core.hierarchy import Coherent
from cxr_core.labels import Implied, thresholded

# What a label is called that others imply, with these.
OF_ANY_KIND = " of any kind"


@dataclass(frozen=True)
class Against:
    """A label's probability against its threshold."""

    name: str
    probability: float
    threshold: float

    @property
    def reaches(self) -> bool:
        """Whether it is reached: below is below, however near."""
        return self.probability >= self.threshold


@dataclass(frozen=True)
class Bars:
    """``values``: what is drawn, by name; ``decided``: the name that the decision has among them. ``against``: the
    labels with a threshold. ``whole``: of a label that others imply, what it and they have together.
    """

    values: dict[str, float]
    decided: str
    against: tuple[Against, ...]
    whole: dict[str, float]
    reason: str

    @property
    def limits(self) -> dict[str, float]:
        """The thresholds of what is drawn: the others are held against several bars together."""
        return {part.name: part.threshold for part in self.against if part.name in self.values}

    @property
    def together(self) -> str:
        """``PNEUMONIA of any kind: 62.0 %.``, or nothing."""
        parts = [f"{name}: {percent(value, digits=1)}" for name, value in self.whole.items()]
        return f"{', '.join(parts)}." if parts else ""


def bars(
    probabilities: Mapping[str, float],
    decision: str,
    classes: Sequence[str],
    implied: Implied,
    thresholds: Mapping[str, float],
) -> Bars:
    """``probabilities`` of all ``classes``, as they are shown; ``thresholds``: the run's, as they stand."""
    named = {name: float(probabilities[name]) for name in classes}
    counts = thresholded(classes, implied)
    against = tuple(Against(name, named[name], thresholds[name]) for name in sorted(counts & thresholds.keys()))
    if not isinstance(implied, Coherent):
        return Bars(named, decision, against, {}, "")
    tree, row = implied.tree, np.array(list(named.values()))
    words, place = tree.leaf_names(), list(classes).index(decision)
    leaves = dict(zip(words, tree.leaves(row[None])[0].tolist(), strict=True))
    whole = {f"{name}{OF_ANY_KIND}": named[name] for name, below in zip(classes, tree.below, strict=True) if below}
    return Bars(leaves, words[place], against, whole, tree.reason(row, place, thresholds))
