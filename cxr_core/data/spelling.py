"""What the names of classes give away: one class in two spellings, several findings in one label, words for "missing",
folders that are no classes.

    for kind, sentence in class_names(samples): ...

A name says what a person meant, never what is in the picture: these are questions to whoever made the data set.
"""

import re
import unicodedata
from collections import Counter

import pandas as pd

from cxr_core.data.listing import several
from cxr_core.figures import of
from cxr_core.findings import names_in, values_of

# What programs write where a value is missing. In a table such a label is none.
MISSING = ("nan", "<na>", "nat", "null", "n/a", "#n/a")
# What people write there too, and some of them mean "no disease".
UNSURE = ("none", "na", "nil", "missing", "unknown", "undefined", "?", "-")
# Fewer images a class than that, and the folders may be patients.
_FEW = 2
_MANY = 5
_MASKS = re.compile(r"^(lung[ _-]?)?(masks?|segmentations?|annotations?|overlays?|heat[ _-]?maps?)$", re.IGNORECASE)


def is_missing(label: str) -> bool:
    """Whether a table's label says that there is none."""
    return label.casefold() in MISSING


def class_names(samples: pd.DataFrame) -> list[tuple[str, str]]:
    """(kind, sentence) of everything odd. ``samples``: columns file, label, of findings y_NAME."""
    if findings := names_in(samples):
        values = values_of(samples, findings)
        return [
            *_spellings({name: int((values[:, k] == 1).sum()) for k, name in enumerate(findings)}),
            *_masks(samples),
        ]
    counts = {str(name): int(count) for name, count in samples["label"].value_counts().sort_index().items()}
    return [*_spellings(counts), *_missing(counts), *_several(counts), *_tiny(counts), *_masks(samples)]


def _plain(name: str) -> str:
    """A name without what people type now so, now so: case, spaces, hyphens, the way accents are stored."""
    return " ".join(re.split(r"[\s_-]+", unicodedata.normalize("NFKC", name).casefold())).strip()


def _spellings(counts: dict[str, int]) -> list[tuple[str, str]]:
    alike: dict[str, list[str]] = {}
    for name in counts:
        alike.setdefault(_plain(name), []).append(name)
    found = []
    for names in alike.values():
        if len(names) > 1:
            listed = ", ".join(f"{name} ({counts[name]:,})" for name in names)
            found.append(
                f"{listed} differ in case, spaces or hyphens only and are {len(names)} classes here: give them one "
                "name if they mean one."
            )
    return [("spelling", sentence) for sentence in found]


def _missing(counts: dict[str, int]) -> list[tuple[str, str]]:
    words = [name for name in counts if name.casefold() in (*MISSING, *UNSURE)]
    if not words:
        return []
    images = sum(counts[name] for name in words)
    listed = ", ".join(words)
    return [
        (
            "missing",
            f"{of(images, sum(counts.values()))} images are of the class {listed}: a word for a missing value, and "
            "a class like any other here. Leave these images out if their label is not known.",
        )
    ]


def _several(counts: dict[str, int]) -> list[tuple[str, str]]:
    listed = [name for name in counts if several(name, counts)]
    if not listed:
        return []
    images = sum(counts[name] for name in listed)
    return [
        (
            "several",
            f"{of(images, sum(counts.values()))} images seem to have several findings in one label, such as "
            f"{listed[0]}: each combination is a class of its own here. Expected one label for each image.",
        )
    ]


def _tiny(counts: dict[str, int]) -> list[tuple[str, str]]:
    if len(counts) < _MANY or sum(counts.values()) > _FEW * len(counts):
        return []
    return [
        (
            "folders",
            f"{len(counts):,} classes have {sum(counts.values()):,} images together: these may be patients or "
            "examinations, and not classes.",
        )
    ]


def _masks(samples: pd.DataFrame) -> list[tuple[str, str]]:
    folders = Counter(str(file).rpartition("/")[0] for file in samples["file"])
    masked = sum(count for folder, count in folders.items() if any(map(_MASKS.match, folder.split("/"))))
    if not masked:
        return []
    return [
        (
            "masks",
            f"{of(masked, len(samples))} images lie in a folder whose name says that they are masks or "
            "annotations and no X-rays: take that folder out of the data set.",
        )
    ]
