"""What is odd about single pictures: unreadable, cut short, tiny, lettered, of children, questioned as by Predict."""

import re

import pandas as pd

from cxr_core.audit.issues import Issue, issue
from cxr_core.audit.kinds import INFORMS, KINDS, QUESTIONED, WARNS
from cxr_core.audit.traits import FACTS, Traits
from cxr_core.data import Dataset
from cxr_core.data.listing import CUT_SHORT
from cxr_core.figures import of
from cxr_core.findings import column, names_in
from cxr_core.images.ages import OLDEST

# Networks see 224 px: what is smaller has to be blown up.
TINY_SIDE = 128
# Below so many years a patient is a child.
ADULT = 18
_CHILD = re.compile(r"^person\d+_(virus|bacteria)_\d+|^(virus|bacteria|normal2?)?-?im-\d{4}-\d{4}", re.IGNORECASE)
_KERMANY = re.compile(r"^person\d+_", re.IGNORECASE)
_NAMED = "named as those of children in the Kermany set"


def odd_pictures(dataset: Dataset, traits: Traits) -> list[Issue]:
    """An issue for each kind of oddity that there is; what Predict would withhold its answer for is among them."""
    samples = dataset.samples
    total = len(samples)
    found = _left_out(dataset, traits)
    tiny = samples["file"][samples[["width", "height"]].min(axis=1) < TINY_SIDE]
    if len(tiny):
        message = f"{_images(len(tiny), total, 'has', 'have')} a side below {TINY_SIDE} pixels: {KINDS['tiny'].means}."
        found.append(issue("tiny", message, tiny))
    oddities = pd.Series(traits.oddities, index=samples.index)
    for kind, what in QUESTIONED.items():
        files = tuple(samples["file"][oddities == kind])
        if files:
            message = (
                f"{_images(len(files), total, 'is', 'are')} questioned: {what}. Predict withholds the answer for "
                "such a picture; a training learns from it. Check them: they may be fine. Leave out what is not."
            )
            found.append(issue(kind, message, files))
    return [*found, *_letters(samples, traits, dataset.border_masked), *_children(samples), *_wrong_ages(dataset)]


def _left_out(dataset: Dataset, traits: Traits) -> list[Issue]:
    """Files that are no images, and apart from them those whose end is missing."""
    total = len(dataset.samples) + len(dataset.unreadable)
    short = dataset.unreadable["kind"] == CUT_SHORT
    found = []
    for kind, files, said in (
        (
            "unreadable",
            (*dataset.unreadable["file"][~short], *dataset.samples["file"][~traits.seen]),
            "cannot be read; they are left out everywhere. Were they lost from one class, the data set has changed.",
        ),
        (
            "truncated",
            tuple(dataset.unreadable["file"][short]),
            "cut short: the end of the picture is missing; they are left out everywhere. Copy them again from "
            "where they came from.",
        ),
    ):
        if files:
            found.append(issue(kind, f"{of(len(files), total)} files {said}", files))
    return found


def _images(count: int, total: int, one: str, more: str) -> str:
    """``1 of 144 images looks``, ``2 of 144 images look``."""
    return f"{count} of {total} images {one if count == 1 else more}"


def _listed(chosen: pd.Series, samples: pd.DataFrame) -> str:
    """``1 of 20 COVID19, 0 of 30 NORMAL``: how many of each class, or with each finding, are chosen."""
    names = names_in(samples)
    if not names:
        shares = chosen.groupby(samples["label"]).agg(["sum", "count"])
        return ", ".join(f"{of(row['sum'], row['count'])} {label}" for label, row in shares.iterrows())
    there = samples[[column(name) for name in names]] == 1
    counts = [(int((there[column(name)] & chosen).sum()), int(there[column(name)].sum()), name) for name in names]
    return ", ".join(f"{of(some, count)} {name}" for some, count, name in counts if count)


def _letters(samples: pd.DataFrame, traits: Traits, border_masked: bool) -> list[Issue]:
    lettered = pd.Series(traits.facts[:, FACTS.index("marker")] > 0, index=samples.index)
    if not lettered.any():
        return []
    listed = _listed(lettered, samples)
    return [
        issue(
            "letters",
            f"{_images(int(lettered.sum()), len(samples), 'seems', 'seem')} to have letters or markers at the border "
            f"({listed}): "
            + (
                "the border of every image is masked in training, so a network sees only those that reach farther in."
                if border_masked
                else "where one class has more of them, a network can read them instead of the lungs."
            ),
            samples["file"][lettered],
            fixable=not border_masked,
        )
    ]


def _children(samples: pd.DataFrame) -> list[Issue]:
    known = samples["age"].notna()
    young = samples["age"] < ADULT
    # An age decides where one is known, the file's name elsewhere.
    named = _named_as_children(samples) & ~known
    children = young | named
    if not children.any():
        return []
    what = [text for text, chosen in ((f"of patients below {ADULT} years", young), (_NAMED, named)) if chosen.any()]
    listed = _listed(children, samples)
    ages = f"; age known for {of(int(known.sum()), len(samples))}" if known.any() else ""
    everyone = bool(children.all())
    meaning = "the scores are of children." if everyone else f"{KINDS['children'].means}."
    return [
        issue(
            "children",
            f"{listed} images are {' or '.join(what)}{ages}: {meaning}",
            samples["file"][children],
            severity=INFORMS if everyone else WARNS,
            fixable=not everyone,
        )
    ]


def _named_as_children(samples: pd.DataFrame) -> pd.Series:
    names = samples["file"].str.rsplit("/", n=1).str[-1]
    sick = names.str.match(_KERMANY)
    # The set's names of sick children are unmistakable; those of its healthy ones occur elsewhere too.
    return sick | names.str.match(_CHILD) if sick.any() else sick


def _wrong_ages(dataset: Dataset) -> list[Issue]:
    wrong = {file: dataset.wrong_ages[file] for file in dataset.samples["file"] if file in dataset.wrong_ages}
    if not wrong:
        return []
    values = list(dict.fromkeys(wrong.values()))
    shown = ", ".join(value[:20] for value in values[:3]) + (" and others" if len(values) > 3 else "")
    return [
        issue(
            "ages",
            f"{of(len(wrong), len(dataset.samples))} images have an age in the table that cannot be one ({shown}; "
            f"expected 0 to {OLDEST} years): they count as of unknown age.",
            list(wrong),
        )
    ]
