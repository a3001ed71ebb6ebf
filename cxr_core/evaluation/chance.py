"""What guessing would reach: macro F1 of the same decisions, dealt out anew among the images.

dealt = chance(true, decisions, len(classes), np.random.default_rng(0))
dealt.mean(), np.quantile(dealt, 0.99)      # what it gives on average, and once in a hundred times
"""

import numpy as np
from numpy.typing import NDArray

from cxr_core.evaluation.metrics import confusion_matrix, summary

DEALS = 500


def chance(
    true: NDArray[np.int64],
    decisions: NDArray[np.int64],
    n_classes: int,
    random: np.random.Generator,
    groups: NDArray[np.str_] | None = None,
) -> NDArray[np.float64]:
    """Macro F1 of each of 500 deals, (500,): every class is decided as often as in ``decisions``, at random.

    With ``groups`` (N,) the images of one stay together. Pictures of one patient are alike, and single images dealt out
    anew would make chance look steadier than it is; its mean hardly depends on that.
    """
    deals = (random.permutation(len(decisions)) if groups is None else _together(groups, random) for _ in range(DEALS))
    return np.array([macro_f1(true, decisions[order], n_classes) for order in deals])


def macro_f1(true: NDArray[np.int64], decisions: NDArray[np.int64], n_classes: int) -> float:
    """Macro F1 of decisions, (N,) class indices both; 0..1."""
    names = [str(k) for k in range(n_classes)]
    return float(summary(confusion_matrix(true, decisions, n_classes), names)["macro_f1"])


def _together(groups: NDArray[np.str_], random: np.random.Generator) -> NDArray[np.int64]:
    """An order in which the images of a group stay neighbours, shifted at random."""
    _, members = np.unique(groups, return_inverse=True)
    turn = random.permutation(members.max() + 1)
    one, other = np.argsort(turn[members], kind="stable"), np.argsort(members, kind="stable")
    order = np.empty(len(groups), np.int64)
    order[other] = one
    return order
