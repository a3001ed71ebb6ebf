"""What the list of images alone says of a score: patients in two splits, sources, names, few or unequal images."""

import math

import pandas as pd

from cxr_core.audit.issues import Issue, issue
from cxr_core.audit.kinds import INFORMS, KINDS, WARNS
from cxr_core.data import Dataset
from cxr_core.data.cautions import kinds_of_caution
from cxr_core.findings import column, means_none, names_in

# A class this many times as large as another is said to be.
_IMBALANCE = 3
# Half the width of an interval from which on a test set is called small.
_WIDE = 0.1
# With 30 images a recall of one half is known to within 18 points (95 %).
_FEW_TO_CHOOSE_BY = 30


def patients(samples: pd.DataFrame) -> list[Issue]:
    """Patients with images in the test and in another split."""
    known = samples[samples["patient"] != ""]
    both = known.groupby("patient")["split"].agg(lambda split: "test" in set(split) and len(set(split)) > 1)
    names = list(both.index[both.astype(bool)]) if len(both) else []
    if not names:
        return []
    groups = tuple(tuple(sorted(known["file"][known["patient"] == name])) for name in names)
    in_test = int((samples["split"] == "test").sum())
    held = int((known["patient"].isin(names) & (known["split"] == "test")).sum())
    message = (
        f"{len(names)} of {known['patient'].nunique()} known patients are in train and in test "
        f"({held} of {in_test} test images): {KINDS['patients'].means}."
    )
    return [issue("patients", message, [file for group in groups for file in group], groups)]


def cautions(dataset: Dataset) -> list[Issue]:
    """The sentences that stand beside every run; those on patients and copies are issues with files, and not here."""
    said = kinds_of_caution(dataset.samples, dataset.path(""))
    return [issue(kind, sentence) for kind, sentence in said if kind not in ("patients", "copies")]


def sizes(samples: pd.DataFrame) -> list[Issue]:
    """Classes of unequal size, and splits that are small for what they are to tell."""
    found = []
    counts = samples["label"].value_counts()
    # Of findings the rare ones are the rule, and none of their figures is led by the commonest.
    if not names_in(samples) and len(counts) > 1 and counts.max() > _IMBALANCE * counts.min():
        message = f"{counts.idxmax()} has {counts.max()} images, {counts.idxmin()} {counts.min()}"
        found.append(issue("balance", f"{message}: {KINDS['balance'].means}."))
    validation = int((samples["split"] == "val").sum())
    if 0 < validation < _FEW_TO_CHOOSE_BY:
        message = f"Validation has {validation} images: {KINDS['small validation'].means}."
        found.append(issue("small validation", message))
    widths = widest_intervals(samples)
    if widths:
        name = max(widths, key=lambda label: widths[label])
        n = int(in_test(samples)[name])
        message = (
            f"The test has {n} images of {name}: its recall may be off by {100 * widths[name]:.0f} points either "
            "way (95 % interval at its widest)."
        )
        found.append(issue("test size", message, severity=WARNS if widths[name] > _WIDE else INFORMS))
    return found


def in_test(samples: pd.DataFrame) -> "pd.Series[int]":
    """Test images of each class, or with each finding."""
    test = samples[samples["split"] == "test"]
    names = [name for name in names_in(samples) if not means_none(name)]
    if not names:
        return test["label"].value_counts()
    return pd.Series({name: int((test[column(name)] == 1).sum()) for name in names if len(test)})


def widest_intervals(samples: pd.DataFrame) -> dict[str, float]:
    """Class or finding -> half the width of the 95 % interval of a recall of one half on its test images (Wilson
    1927).
    """
    counts = in_test(samples)
    z = 1.959964
    return {str(name): z / (2 * math.sqrt(n + z * z)) for name, n in sorted(counts.items())}
