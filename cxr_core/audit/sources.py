"""Does the source of an image give its class away?

table(samples)            # images per source and class
cramers_v(samples)        # 0: the source says nothing of the class, 1: it says all
source_only(samples)      # what a look at the source alone would score on this test set, None where unknown
"""

from typing import Any

import pandas as pd

from cxr_core.audit.issues import SHORTCUT_SEES, Issue, issue
from cxr_core.audit.scores import interval_of
from cxr_core.findings import column, names_in


def table(samples: pd.DataFrame) -> pd.DataFrame:
    """Images per source (rows) and class, or with each finding (columns); images of unknown source are left out."""
    known = samples[samples["source"] != ""]
    names = names_in(samples)
    if names:
        return (known[[column(name) for name in names]] == 1).groupby(known["source"]).sum().set_axis(names, axis=1)
    return pd.crosstab(known["source"], known["label"])


def cramers_v(samples: pd.DataFrame) -> float | None:
    """Cramer's V of source and class, 0 to 1 (Cramer 1946); None with fewer than two sources or classes."""
    # As long to import as all of a kept audit to read, which needs none of it.
    from scipy.stats.contingency import association

    counts = table(samples)
    if min(counts.shape) < 2:
        return None
    return min(1.0, float(association(counts.to_numpy(int), method="cramer", correction=False)))


def source_only(samples: pd.DataFrame) -> dict[str, Any] | None:
    """``{"macro_f1", "interval", "accuracy", "n", "split"}`` of deciding by the commonest training class of an image's
    source; the interval is the 95 % one by patient.

    Learnt on train and val, applied to test; where the data set has no test split, both on all images. A source that
    training has not seen gets the commonest class. None where no source, or only one, is known.
    """
    # Half a second to import, and a kept audit needs none of it.
    from sklearn.metrics import accuracy_score, f1_score

    test = samples[samples["split"] == "test"]
    train = samples[samples["split"] != "test"]
    split = "test"
    if test.empty or train.empty:
        test = train = samples
        split = "all"
    known = train[train["source"] != ""]
    if known.empty or not (test["source"] != "").any() or samples.loc[samples["source"] != "", "source"].nunique() < 2:
        return None
    rule = {source: _commonest(labels) for source, labels in known.groupby("source")["label"]}
    decided = test["source"].map(rule).fillna(_commonest(train["label"]))
    return {
        "macro_f1": float(f1_score(test["label"], decided, average="macro", zero_division=0)),
        "interval": interval_of(test, decided.tolist()),
        "accuracy": float(accuracy_score(test["label"], decided)),
        "n": len(test),
        "split": split,
    }


def _commonest(labels: pd.Series) -> str:
    counts = labels.value_counts()
    return str(min(counts.index[counts == counts.max()]))


def source_issues(found: dict[str, Any] | None, by_shortcut: dict[str, Any], border_masked: bool) -> list[Issue]:
    """The issue of what :func:`source_only` gave, beside what the shortcut reaches."""
    if found is None:
        return []
    where = "this test set" if found["split"] == "test" else "these images"
    text = f"The source alone reaches macro F1 {found['macro_f1']:.2f} and accuracy {found['accuracy']:.2f} on {where}"
    best, what = found["macro_f1"], "the source alone"
    if (by_shortcut["macro_f1"] or 0) > best:
        best, what = by_shortcut["macro_f1"], SHORTCUT_SEES[border_masked]
    meaning = (
        f"only what a network reaches beyond the best that needs no lung, {best:.2f} ({what}), may come from lungs."
    )
    return [issue("source-only score", f"{text}: {meaning}")]
