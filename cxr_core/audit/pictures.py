"""What is odd about single pictures: unreadable, tiny, blank, inverted, in colour, lateral, lettered; of children."""

import re

import pandas as pd

from cxr_core.audit.findings import INFORMS, LEAVE_OUT, WARNS, Finding
from cxr_core.audit.looks import FACTS, Looks
from cxr_core.data.dataset import Dataset

# Networks see 224 px: what is smaller has to be blown up.
TINY_SIDE = 128
_CHILD = re.compile(r"^person\d+_(virus|bacteria)_\d+|^(virus|bacteria|normal2?)?-?im-\d{4}-\d{4}", re.IGNORECASE)
_KERMANY = re.compile(r"^person\d+_", re.IGNORECASE)
# Word of a look -> kind, severity, what it is, what it means.
_ODD = {
    "blank": ("blank", WARNS, "blank or of one single grey", "there is nothing to learn from them"),
    "inverted": ("inverted", WARNS, "inverted, lungs bright and bones dark", "a network sees another kind of picture"),
    "turned": ("turned", WARNS, "upside down or on their side", "a network sees another kind of picture"),
    "colour": ("colour", WARNS, "in colour", "a radiograph is grey; these may be photographs or drawings"),
    "lateral": ("lateral", WARNS, "lateral views by their DICOM header", "the network expects frontal ones"),
    "unlike": ("unlike", INFORMS, "unlike an upright frontal chest X-ray", "look at them; they may be what they claim"),
}


def picture_findings(dataset: Dataset, looks: Looks) -> list[Finding]:
    """A finding for each kind of oddity that there is."""
    samples = dataset.samples
    total = len(samples)
    found = []
    if len(dataset.unreadable) or not looks.seen.all():
        files = (*dataset.unreadable["file"], *samples["file"][~looks.seen])
        found.append(
            Finding(
                "unreadable",
                WARNS,
                f"{len(files)} of {total + len(dataset.unreadable)} files cannot be read or are cut short; they are "
                "left out everywhere. Were they lost from one class, the data set has changed.",
                files,
            )
        )
    tiny = samples["file"][samples[["width", "height"]].min(axis=1) < TINY_SIDE]
    if len(tiny):
        found.append(
            Finding(
                "tiny",
                WARNS,
                f"{len(tiny)} of {total} images have a side below {TINY_SIDE} pixels: fine signs of disease are gone.",
                tuple(tiny),
                (LEAVE_OUT,),
            )
        )
    oddities = pd.Series(looks.oddities, index=samples.index)
    for word, (kind, severity, what, meaning) in _ODD.items():
        files = tuple(samples["file"][oddities == word])
        if files:
            message = f"{len(files)} of {total} images look {what}: {meaning}."
            found.append(Finding(kind, severity, message, files, (LEAVE_OUT,)))
    return [*found, *_letters(samples, looks), *_children(samples)]


def _letters(samples: pd.DataFrame, looks: Looks) -> list[Finding]:
    lettered = pd.Series(looks.facts[:, FACTS.index("marker")] > 0, index=samples.index)
    if not lettered.any():
        return []
    shares = lettered.groupby(samples["label"]).agg(["sum", "count"])
    listed = ", ".join(f"{row['sum']} of {row['count']} {label}" for label, row in shares.iterrows())
    return [
        Finding(
            "letters",
            INFORMS,
            f"{int(lettered.sum())} of {len(samples)} images seem to have letters or markers at the border ({listed}): "
            "where one class has more of them, a network can read them instead of the lungs.",
            tuple(samples["file"][lettered]),
        )
    ]


def _children(samples: pd.DataFrame) -> list[Finding]:
    names = samples["file"].str.rsplit("/", n=1).str[-1]
    # The set's names of sick children are unmistakable; those of its healthy ones occur elsewhere too.
    if not names.str.match(_KERMANY).any():
        return []
    children = names.str.match(_CHILD) | names.str.match(_KERMANY)
    labels = sorted(set(samples["label"][children]))
    everyone = bool(children.all())
    return [
        Finding(
            "children",
            INFORMS if everyone else WARNS,
            f"{int(children.sum())} of {len(samples)} images are named as those of children in the Kermany set "
            f"({', '.join(labels)})"
            + (
                ": the scores are of children."
                if everyone
                else " among others: a network can tell a child from an adult, and the class with it."
            ),
            tuple(samples["file"][children]),
            () if everyone else (LEAVE_OUT,),
        )
    ]
