"""What a reader must know of a data set before trusting a score on it.

``cautions(samples, folder)`` looks at the table of samples (labels, splits, sources, patients, digests) and gives
plain sentences with counts. They go into every run made on the data set and stand beside its scores.
"""

from pathlib import Path

import pandas as pd

from cxr_core.data.persons import patients_in_names, person_names
from cxr_core.data.spelling import class_names
from cxr_core.demo import is_drawn
from cxr_core.figures import counted
from cxr_core.findings import contradictions, learnt, names_in, values_of

# A validation split of fewer images, or with fewer of one class, tells little.
FEW_IMAGES, FEW_OF_A_CLASS = 50, 5


def cautions(samples: pd.DataFrame, folder: Path) -> list[str]:
    """Sentences on drawings, on sources that give the class away, and on patients or images in train and test.

    ``samples``: a row per image with ``label, split, source, patient, digest``, of findings with the columns y_NAME;
    unknown sources and patients are "". ``folder``: where the files are.
    """
    return [sentence for _, sentence in kinds_of_caution(samples, folder)]


DRAWINGS = "These are drawings, not X-rays: the scores say nothing about patients or real images."


def kinds_of_caution(samples: pd.DataFrame, folder: Path) -> list[tuple[str, str]]:
    """The same sentences, each with its kind: drawn, sources (unknown), collections, patients, copies, untested, ..."""
    drawn = [DRAWINGS] if is_drawn(folder) else []
    known = bool((samples["source"] != "").any())
    findings = names_in(samples)
    kinds = {
        "drawn": drawn,
        "sources" if known else "sources unknown": _given_away(samples, findings) if findings else _sources(samples),
        "collections": _other_sources(samples),
        "patients": _patients(samples),
        "copies": _copies(samples),
        "untested": untested(samples),
        "contradictions": _contradictions(samples, findings),
        "patients in names": [sentence for sentence in [patients_in_names(samples)] if sentence],
        "persons": [sentence for sentence in [person_names(samples)] if sentence],
    }
    said = [(kind, sentence) for kind, sentences in kinds.items() for sentence in sentences]
    return said + class_names(samples)


_UNKNOWN = (
    "The source of the images is not known (no sources.csv), so a model may learn the hospital and not the disease."
)


def _sources(samples: pd.DataFrame) -> list[str]:
    known = samples[samples["source"] != ""]
    if known.empty:
        return [_UNKNOWN]
    table = pd.crosstab(known["source"], known["label"])
    alone = [
        (str(name), int(table[name].sum()), [str(source) for source in table.index[table[name] > 0]])
        for name in table.columns
        if not table.loc[table[name] > 0].drop(columns=name).to_numpy().any()
    ]
    if not alone or table.shape[1] < 2:
        return []
    parts = [f"all {count} {name} images with a known source are from {_listed(where)}" for name, count, where in alone]
    text = "; ".join(parts)
    return [
        f"{text[0].upper()}{text[1:]}, and no image of another class is. "
        "A model can score well here by recognising the source: this data set cannot tell disease from source."
    ]


def _given_away(samples: pd.DataFrame, names: list[str]) -> list[str]:
    """Findings that the source tells: the images that have them are from some sources, all others from others."""
    known = samples[samples["source"] != ""]
    if known.empty:
        return [_UNKNOWN]
    told = []
    values = values_of(known, names)
    for k in learnt(names):
        has, sources = values[:, k] == 1, known["source"]
        with_it, without = set(sources[has]), set(sources[~has])
        if with_it and without and not with_it & without:
            told.append(f"all {counted(int(has.sum()), 'image')} with {names[k]} are from {_listed(sorted(with_it))}")
    if not told:
        return []
    text = "; ".join(told[:3]) + (f"; and so for {len(told) - 3} more findings" if len(told) > 3 else "")
    return [
        f"Of the images with a known source {text}, and no image without it is. A model can score well here by "
        "recognising the source: this data set cannot tell disease from source."
    ]


def _without(samples: pd.DataFrame, names: list[str]) -> list[str]:
    """Findings that cannot be learnt, chosen by or measured: no image of a split has them."""
    values = values_of(samples, names)
    splits = samples["split"].to_numpy()
    said = []
    for split, text in (
        ("train", "Train has no image with {}: it cannot be learnt."),
        ("val", "Validation has no image with {}: no threshold can be chosen there."),
        ("test", "The test has no image with {}: nothing is measured there."),
    ):
        inside = splits == split
        absent = [names[k] for k in learnt(names) if not (values[inside, k] == 1).any()]
        if inside.any() and absent:
            said.append(text.format(_listed(absent)))
    single = [names[k] for k in learnt(names) if (values[:, k] == 1).sum() == 1]
    if single and not (splits == "test").any():
        said.append(f"There is a single image with {_listed(single)}: one to learn from, and none to test on.")
    return said


def _contradictions(samples: pd.DataFrame, names: list[str]) -> list[str]:
    return [str(found) for found in contradictions(values_of(samples, names), names) if found.any] if names else []


def tiny_validation(samples: pd.DataFrame) -> str:
    """One sentence where a validation split is too small to choose by, "" elsewhere."""
    val = samples[samples["split"] == "val"]
    if val.empty:
        return ""
    few = "" if names_in(samples) else _fewest(val["label"])
    if len(val) >= FEW_IMAGES and not few:
        return ""
    return (
        f"The validation split has {counted(len(val), 'image')}{few}: too few to choose an epoch or a threshold by. "
        "The rule validation = from train joins it to the training images and takes a larger one from them."
    )


def _fewest(labels: pd.Series) -> str:
    counts = labels.value_counts()
    return f", {counts.iloc[-1]} of {counts.index[-1]}" if counts.iloc[-1] < FEW_OF_A_CLASS else ""


def _other_sources(samples: pd.DataFrame) -> list[str]:
    by_split = {
        split: set(samples.loc[(samples["split"] == split) & (samples["source"] != ""), "source"])
        for split in ("train", "test")
    }
    if by_split["train"] and by_split["test"] and not by_split["train"] & by_split["test"]:
        return [
            f"Train is from {_listed(sorted(by_split['train']))} and test from {_listed(sorted(by_split['test']))}: "
            "the test measures other sources than those that were learnt from."
        ]
    return []


def _patients(samples: pd.DataFrame) -> list[str]:
    known = samples[samples["patient"] != ""]
    both = _in_both(known, "patient")
    if not both:
        return []
    held = known[(known["split"] == "test") & known["patient"].isin(both)]
    return [
        f"{len(both)} of {known['patient'].nunique()} known patients are in train and in test "
        f"({len(held)} of {(samples['split'] == 'test').sum()} test images): the test is easier than a new patient."
    ]


def _copies(samples: pd.DataFrame) -> list[str]:
    both = _in_both(samples, "digest")
    if not both:
        return []
    held = samples[(samples["split"] == "test") & samples["digest"].isin(both)]
    return [
        f"{len(held)} of {(samples['split'] == 'test').sum()} test images are exact copies of training images: "
        "the test is easier than a new image."
    ]


def untested(samples: pd.DataFrame) -> list[str]:
    """What no test speaks of: classes without a test image or, before a split is taken, with a single image; of
    findings also what cannot be learnt or chosen by.
    """
    findings = names_in(samples)
    if findings:
        return _without(samples, findings)
    test = set(samples.loc[samples["split"] == "test", "label"])
    absent = sorted(set(samples["label"]) - test) if test else []
    if absent:
        return [f"The test has no image of {_listed(absent)}: nothing is measured there."]
    counts = samples["label"].value_counts()
    single = sorted(str(name) for name in counts.index[counts == 1])
    if single:
        return [f"There is a single image of {_listed(single)}: one to learn from, and none to test on."]
    return []


def _in_both(samples: pd.DataFrame, column: str) -> set[str]:
    train = set(samples.loc[samples["split"].isin(("train", "val")), column])
    return train & set(samples.loc[samples["split"] == "test", column])


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
