"""The interval of a score that comes from decisions alone: of the source, of a shortcut.

interval_of(samples, decided)      # [low, high], 95 %, by patient; None for fewer than two patients
"""

from collections.abc import Sequence

import pandas as pd

from cxr_core.evaluation.intervals import macro_f1_interval


def interval_of(samples: pd.DataFrame, decided: Sequence[str]) -> list[float] | None:
    """The 95 % interval of the macro F1 of ``decided``, a class for each sample, resampled by patient."""
    classes = pd.Index(sorted({*samples["label"], *decided}))
    true, decisions = classes.get_indexer(samples["label"]), classes.get_indexer(list(decided))
    return macro_f1_interval(true, decisions, len(classes), samples["patient"].tolist())
