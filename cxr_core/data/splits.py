"""Train, validation and test: filled in where a data set does not give them.

Stratified by class, or by each finding (:mod:`cxr_core.data.stratified`), and whole by patient: all images of one
patient, and all copies of one image, go to the same side. The same samples and seed give the same splits; of classes a
few images more or less move few of the others.
"""

import hashlib
from collections import Counter

import numpy as np
import pandas as pd

from cxr_core.data.stratified import stratified
from cxr_core.data.together import together
from cxr_core.errors import ConfigError, DatasetError
from cxr_core.findings import learnt, names_in, values_of


def assign(samples: pd.DataFrame, val_fraction: float, test_fraction: float, seed: int) -> pd.DataFrame:
    """A copy of ``samples`` (columns file, label, split, patient, digest, of findings y_NAME) with every split train,
    val or test. A column ``twin``, where there is one, names images that have to stay together besides ("" for none).

    Given validation and test splits stay as they are. Where there is none, it is taken from the images that are in
    train or in no split: ``val_fraction`` and ``test_fraction`` of those, in [0, 1), together below 1.

    Raises ConfigError for fractions out of range, DatasetError where a class would be left without a training image,
    where no finding has one with it and one without, or a split that was asked for would be empty.
    """
    if not (0 <= val_fraction < 1 and 0 <= test_fraction < 1 and val_fraction + test_fraction < 1):
        raise ConfigError(
            f"Expected fractions for validation and test of at least 0 and together below 1, got {val_fraction} and "
            f"{test_fraction}. A usual choice is 0.15 each."
        )
    filled = samples.copy()
    given = set(samples["split"])
    pool = samples["split"].isin(["", "train"])
    filled.loc[pool, "split"] = "train"
    if names_in(samples):
        wanted = {"val": val_fraction, "test": test_fraction}
        _stratify(filled, pool, {name: share for name, share in wanted.items() if share and name not in given}, seed)
        check_findings(filled)
        return filled
    groups = _groups(samples[pool], seed)
    for name, fraction in (("test", test_fraction), ("val", val_fraction)):
        if name in given or not fraction:
            continue
        taken, groups = _take(groups, _wanted(samples.loc[pool, "label"], fraction))
        if not taken:
            raise DatasetError(
                f"Expected images for a {name} split, got none: the {int(pool.sum())} images without one are too few, "
                f"or belong to too few patients. Add images, or give the data set a {name} folder."
            )
        filled.loc[[row for group in taken for row in group.rows], "split"] = name
    _check_train(filled)
    return filled


def _stratify(filled: pd.DataFrame, pool: pd.Series, wanted: dict[str, float], seed: int) -> None:
    """Take the splits of ``wanted`` from the pool, each finding as frequent in all of them as can be."""
    rows = filled[pool]
    if not wanted or rows.empty:
        return
    values = values_of(rows, names_in(rows))
    digests = rows["digest"].to_numpy()
    group = np.empty(len(rows), dtype=object)
    # Called by what is in them, so that the rows' order changes nothing.
    for members in together(_ties(rows)):
        group[members] = min(digests[members])
    shares = {"train": 1 - sum(wanted.values()), **wanted}
    filled.loc[pool, "split"] = stratified(values, values >= 0, group.tolist(), shares, seed)
    for name in wanted:
        if not (filled["split"] == name).any():
            raise DatasetError(
                f"Expected images for a {name} split, got none: the {len(rows)} images without one are too few, or "
                f"belong to too few patients. Add images, or give the data set a {name} split."
            )


def check_findings(samples: pd.DataFrame) -> None:
    """Raises DatasetError where training has no finding with one image that has it and one that is not known to."""
    names = names_in(samples)
    train = values_of(samples[samples["split"] == "train"], names)[:, learnt(names)]
    validation = int((samples["split"] == "val").sum())
    if not len(train) and validation:
        raise DatasetError(
            f"Expected training images, got none: the data set gives {validation:,} to validation and the rest to the "
            "test. Choose the rule validation = from train (--rule validation='from train'): it trains on these then, "
            "and a part of them validates."
        )
    there, absent = train == 1, np.isnan(train) | (train == 0)
    if not (there.any(axis=0) & absent.any(axis=0)).any():
        raise DatasetError(
            f"Expected one finding at least that some training images have and others have not, got {len(train):,} "
            f"training images and {len(learnt(names))} findings without. Add images, or change the splits."
        )


class _Group:
    """Images that must stay together: their rows and how many there are of each class."""

    def __init__(self, rows: list[int], labels: list[str]) -> None:
        self.rows = rows
        self.labels = Counter(labels)


def _groups(samples: pd.DataFrame, seed: int) -> list[_Group]:
    """Samples joined by patient or by content, in an order drawn by the seed."""
    marks = _ties(samples)
    labels, digests, rows = list(samples["label"]), list(samples["digest"]), list(samples.index)

    # Drawn from the content, not from the position: other images coming or going do not change a group's turn.
    def turn(group: list[int]) -> tuple[bytes, int]:
        content = min(digests[index] for index in group)
        return hashlib.blake2b(f"{seed}:{content}".encode(), digest_size=16).digest(), group[0]

    ordered = sorted(together(marks), key=turn)
    return [_Group([rows[index] for index in group], [labels[index] for index in group]) for group in ordered]


def _ties(samples: pd.DataFrame) -> list[list[tuple[str, str]]]:
    """What ties each row to others."""
    columns = [name for name in ("patient", "digest", "twin") if name in samples]
    return [
        [(column, value) for column, value in zip(columns, row, strict=True) if value]
        for row in samples[columns].itertuples(index=False)
    ]


def _wanted(labels: pd.Series, fraction: float) -> dict[str, int]:
    """Images to take of each class: the fraction, but one at least and never all."""
    counts = labels.value_counts()
    return {label: min(max(round(fraction * count), 1), count - 1) for label, count in counts.items()}


def _take(groups: list[_Group], wanted: dict[str, int]) -> tuple[list[_Group], list[_Group]]:
    """(taken, left): taken come closest to the wanted numbers of each class, and some of every class is left."""
    missing = Counter(wanted)
    remaining = sum((group.labels for group in groups), Counter[str]())
    taken: list[_Group] = []
    left: list[_Group] = []
    for group in groups:
        closer = sum(abs(missing[label]) - abs(missing[label] - count) for label, count in group.labels.items())
        if closer > 0 and _can_spare(remaining, group):
            missing.subtract(group.labels)
            remaining.subtract(group.labels)
            taken.append(group)
        else:
            left.append(group)
    # A class of which no group fitted still gets its smallest one.
    for label in sorted(wanted):
        fitting = [group for group in left if label in group.labels and _can_spare(remaining, group)]
        if wanted[label] and fitting and not any(label in group.labels for group in taken):
            smallest = min(fitting, key=lambda group: len(group.rows))
            remaining.subtract(smallest.labels)
            taken.append(smallest)
            left.remove(smallest)
    return taken, left


def _can_spare(remaining: Counter[str], group: _Group) -> bool:
    return all(remaining[label] > count for label, count in group.labels.items())


def _check_train(samples: pd.DataFrame) -> None:
    counts = samples[samples["split"] == "train"]["label"].value_counts()
    classes = sorted(samples["label"].unique())
    if len(classes) < 2:
        raise DatasetError(
            f"Expected images of at least two classes, got only {classes[0]}. Add a folder for the other."
        )
    for label in classes:
        if label not in counts.index:
            alike = [name for name in classes if name != label and name.casefold() == label.casefold()]
            if alike:
                raise DatasetError(
                    f"{label} and {alike[0]} differ in case only, and are two classes: {label} has no training image, "
                    f"{alike[0]} has {counts.get(alike[0], 0)}. If they are one, name the folders (or labels) alike in "
                    "every split."
                )
            raise DatasetError(
                f"Expected training images of every class, got 0 of {label} ({len(classes)} classes). "
                f"Put images of {label} into the train folder, or remove the class from the other splits."
            )
