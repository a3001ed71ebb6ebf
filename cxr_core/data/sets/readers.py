"""Several readers of an image -> one label a finding, by a named rule; the share of readers is kept beside it.

    labels, agreement = reduced(marks, images, "majority")

any: one reader is enough. majority: more than half of those who answered. share: the share itself, between 0 and 1.
"""

import numpy as np
import pandas as pd

READERS = {"readers": ("majority", "any", "share")}
_SAID = {
    "any": "a finding is present where one reader at least marked it",
    "majority": "a finding is present where more than half of the readers marked it",
    "share": "a finding has the share of the readers that marked it",
}


def said(rule: str) -> str:
    """The rule in words."""
    return _SAID[rule]


def reduced(marks: pd.DataFrame, images: pd.Series, rule: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``marks``: one row a reading, 1, 0, NaN; ``images``: whose reading it is. -> labels and shares by image, in the
    order of the first reading.
    """
    share = marks.groupby(images, sort=False).mean().astype("float32")
    return apply(share, rule), share


def apply(share: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Shares of readers -> labels; unknown stays unknown."""
    if rule == "share":
        return share.copy()
    limit = 0.0 if rule == "any" else 0.5
    return (share > limit).astype(np.float32).where(share.notna())
