"""A data set: a folder or table of images with labels, read in place.

``scan(root)`` lists and checks every file and keeps what it found, so the next scan opens only what is new.
``split(dataset, ...)`` fills in the splits that a training needs. Names of classes and findings are those of the
folders or tables, never typed in.

A data set is *exclusive* (an image has one class, the column label) or of *findings* (any number, a column y_NAME each:
1 yes, 0 no, -1 uncertain, NaN blank, in between the share of the readers who saw it).
"""

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_core import images
from cxr_core.data import headers, splits
from cxr_core.data.answers import Answers, said
from cxr_core.data.budget import Budget, Progress
from cxr_core.data.folder import Entry
from cxr_core.data.kept import KeptScan, Known
from cxr_core.data.layout import VALIDATION, listing
from cxr_core.data.listing import CUT_SHORT, SPLITS, UNREADABLE, Item, Listing, Unreadable
from cxr_core.data.origin import Origin
from cxr_core.data.sets import values
from cxr_core.data.sets.reader import chosen
from cxr_core.errors import CutShortError, DatasetError, ImageError
from cxr_core.findings import EXCLUSIVE, FINDINGS, Floats, column, names_in, values_of
from cxr_core.images import ages
from cxr_core.paths import given

TEXTS = ["file", "label", "split", "patient", "source", "study", "sex", "view", "digest", "mode", "format"]
NUMBERS = ["width", "height", "bits", "bytes"]
COLUMNS = [
    "file",
    "label",
    "split",
    "patient",
    "source",
    "study",
    "age",
    "sex",
    "view",
    "digest",
    "width",
    "height",
    "mode",
    "format",
    "bits",
    "bytes",
]
_CODE = "code"
"""What the header says of who the patient is; no column of ``samples``."""
# So many files at a time are handed to the threads: a stopped scan has little left to finish.
_BATCH = 512
_THREADS = min(8, (os.cpu_count() or 2) + 1)


@dataclass(frozen=True, eq=False)
class Dataset:
    """The images of a folder or table, and the files that are none.

    ``samples``: one row per image, sorted by file, columns ``COLUMNS``: ``file`` relative to the root with slashes
    (absolute where a table points outside), ``split`` train, val, test or "" where none is given, ``patient``,
    ``source``, ``study``, ``sex`` (F or M) and ``view`` (PA, AP, ...) "" where unknown, ``age`` of the patient in years
    (0 to 120, NaN where unknown), ``digest`` of the content, sides in pixels, size in bytes. Age, sex and view are a
    table's before those of a DICOM header, and so is the patient in sets where the headers alone tell her. Of findings
    there follow the columns y_NAME, and ``label`` is text for people: the findings that are there.
    ``unreadable``: columns file, reason, kind ("cut short" or "unreadable"). ``wrong_ages``: file -> what its table
    gives as age and cannot be one; it counts as unknown.
    ``border_masked``: trainings are not to see the border of any image. ``origin``: where the labels come from.
    ``below``: the folder that the names of the files begin at, where it is neither the root nor the table's folder.
    """

    root: Path
    layout: str
    samples: pd.DataFrame
    unreadable: pd.DataFrame
    wrong_ages: Mapping[str, str] = field(default_factory=dict)
    border_masked: bool = False
    # Where files go by other names than on disk (see pseudonyms): name -> that on disk.
    named: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)
    below: Path | None = None

    @property
    def name(self) -> str:
        """Name of the folder, or of the table without its ending."""
        return self.root.name.removesuffix(".gz").rpartition(".")[0] if self._is_table else self.root.name

    @property
    def task(self) -> str:
        """``exclusive`` or ``findings``."""
        return FINDINGS if names_in(self.samples) else EXCLUSIVE

    @property
    def classes(self) -> list[str]:
        """Names of the classes, sorted; of findings all names in the data set's order, with those that mean none."""
        return names_in(self.samples) or sorted(self.samples["label"].unique())

    @property
    def values(self) -> Floats:
        """What is said of each image and finding, (N, K) float32; of classes 1 and 0."""
        if self.task == FINDINGS:
            return values_of(self.samples, self.classes)
        labels = self.samples["label"].to_numpy(dtype=object)
        return np.asarray(labels[:, None] == np.array(self.classes, dtype=object), dtype=np.float32)

    @property
    def splits(self) -> list[str]:
        """Splits that have images, of train, val, test and "" (no split given), in this order."""
        present = set(self.samples["split"])
        return [name for name in (*SPLITS, "") if name in present]

    @cached_property
    def digest(self) -> str:
        """Digest of all that a training could depend on: files, labels, splits, patients, sources and contents. No
        training looks at studies, ages, sex and views.
        """
        joined = hashlib.blake2b(digest_size=16)
        for row in self.samples[["file", "label", "split", "patient", "source", "digest"]].itertuples(index=False):
            joined.update("\0".join(row).encode("utf-8") + b"\n")
        if self.task == FINDINGS:
            joined.update("\0".join(self.classes).encode("utf-8"))
            # All NaN are one.
            joined.update(np.where(np.isnan(self.values), np.float32(np.nan), self.values).astype("<f4").tobytes())
        return joined.hexdigest()

    def counts(self) -> pd.DataFrame:
        """Images per split (rows, as ``splits``) and class or finding (columns, as ``classes``), zeros included."""
        if self.task == FINDINGS:
            found = pd.DataFrame(self.values == 1, columns=self.classes).groupby(self.samples["split"].to_numpy()).sum()
            return found.reindex(index=self.splits).rename_axis(index="split", columns="label").astype(int)
        table = pd.crosstab(self.samples["split"], self.samples["label"])
        return table.reindex(index=self.splits, columns=self.classes, fill_value=0).astype(int)

    def labels(self) -> pd.DataFrame:
        """For each class or finding (rows) how many images say yes, no, uncertain and blank; shares of readers count as
        uncertain.
        """
        cells = self.values
        yes, no, blank = (cells == 1).sum(axis=0), (cells == 0).sum(axis=0), np.isnan(cells).sum(axis=0)
        counts = {"yes": yes, "no": no, "uncertain": len(cells) - yes - no - blank, "blank": blank}
        return pd.DataFrame(counts, index=self.classes).astype(int)

    def path(self, file: str) -> Path:
        """Where a sample's file lies on disk."""
        return self._base / self.named.get(file, file)

    @cached_property
    def _is_table(self) -> bool:
        return self.root.is_file()

    @cached_property
    def _base(self) -> Path:
        return self.below or (self.root.parent if self._is_table else self.root)


def scan(
    root: Path | str,
    progress: Progress | None = None,
    answers: Answers | None = None,
    known_classes: Collection[str] = (),
) -> Dataset:
    """Find, check and describe all images of a data set.

    ``root``: a folder in one of the layouts of :mod:`cxr_core.data.layout`, or a table. ``progress(done, total)``
    is called on the way, in the calling thread, total 0 while files are still being found; what it raises ends the
    scan, and what was found so far is kept. A file that cannot be read is left out and named in ``unreadable``.
    ``answers``: what a person said of how to read it, those that are kept where none are given. ``known_classes``:
    names that are classes for certain, as those of a run are: a folder of one of them alone is no question.

    Raises DatasetError where there is no such folder, no known layout, or not one readable image, and where the scan
    is out of reach or over its limits (:mod:`cxr_core.reach`, :mod:`cxr_core.data.budget`); QuestionError where only a
    person can say what the folders or columns mean.
    """
    root = given(root)
    budget = Budget(root, progress)
    answers = said(root) if answers is None else answers
    found = listing(root, budget, answers, known_classes)
    kept = KeptScan(root)
    rows, wrong_ages = [], {}
    unreadable = [(file, reason, UNREADABLE) for file, reason in found.unreadable]
    try:
        for done, (item, known) in enumerate(_examined(found.items, kept), start=1):
            if isinstance(known, Unreadable):
                unreadable.append((item.file, known.reason, known.kind))
            else:
                rows.append(_row(item, known))
                if ages.is_wrong(item.age):
                    wrong_ages[item.file] = item.age
            budget.read(done, len(found.items), len(rows))
    except BaseException:
        kept.save(complete=False)
        raise
    kept.save()
    if not rows:
        file, reason, _ = sorted(unreadable)[0]
        raise DatasetError(
            f"{root}: none of its {len(unreadable)} files can be read as an image. The first, {file}: {reason}"
        )
    types = dict.fromkeys([*TEXTS, _CODE], "str") | dict.fromkeys(NUMBERS, "int64") | {"age": "float64"}
    table = pd.DataFrame(rows, columns=[*COLUMNS, _CODE]).astype(types).sort_values("file", ignore_index=True)
    samples, origin = table[COLUMNS].assign(view=values.views(table["view"])), found.origin
    if "patient" in found.in_headers:
        samples, origin = headers.patients(samples, table[_CODE], origin)
    samples, origin = _given_validation(_told(samples, found), origin, answers)
    named = pd.DataFrame(sorted(unreadable), columns=["file", "reason", "kind"], dtype="str")
    return Dataset(root, found.layout, samples, named, wrong_ages, origin=origin, below=found.below)


def _told(samples: pd.DataFrame, found: Listing) -> pd.DataFrame:
    """With what a table says beside the label: study, sex and view, before those of the headers, and the findings."""
    if found.about is None:
        return samples
    about = found.about.loc[samples["file"]].reset_index(drop=True)
    samples["study"] = about["study"]
    for name in ("sex", "view"):
        samples[name] = about[name].where(about[name] != "", samples[name])
    return pd.concat([samples, about[[column(name) for name in names_in(about)]]], axis=1)


def _given_validation(samples: pd.DataFrame, origin: Origin, answers: Answers) -> tuple[pd.DataFrame, Origin]:
    """The rule on what becomes of a validation split that the data set gives."""
    is_val = samples["split"] == "val"
    if not is_val.any():
        return samples, origin
    rules = chosen(VALIDATION, {rule: choice for rule, choice in answers.rules.items() if rule in VALIDATION}, "It")
    if rules["validation"] == "from train":
        samples["split"] = samples["split"].mask(is_val, "train")
    return samples, replace(origin, rules={**origin.rules, **rules}, choices={**origin.choices, **VALIDATION})


def split(dataset: Dataset, val_fraction: float, test_fraction: float, seed: int) -> pd.DataFrame:
    """The samples with every split filled in: see :func:`cxr_core.data.splits.assign`."""
    return splits.assign(dataset.samples, val_fraction, test_fraction, seed)


def _examined(items: list[Item], kept: KeptScan) -> Iterator[tuple[Item, Known]]:
    """Every item with what is known of it; unchanged files are not opened, the others are read by threads."""
    unknown: list[Item] = []
    for item in items:
        known = kept.get(item.entry)
        if known is None:
            unknown.append(item)
        else:
            yield item, known
    with ThreadPoolExecutor(_THREADS) as threads:
        for start in range(0, len(unknown), _BATCH):
            batch = unknown[start : start + _BATCH]
            for item, (known, lasting) in zip(
                batch, threads.map(_examine, [item.entry for item in batch]), strict=True
            ):
                if lasting:
                    kept.put(item.entry, known)
                yield item, known


def _examine(entry: Entry) -> tuple[Known, bool]:
    """(what is known of a file, whether that lasts): a file that could not be opened today may open tomorrow."""
    name = entry.path.name
    try:
        content = images.read_bytes(entry.path)
    except ImageError as error:
        return Unreadable(UNREADABLE, str(error).removeprefix(f"{name}: ")), False
    try:
        return (images.content_digest(content), images.inspect(content, name)), True
    except ImageError as error:
        kind = CUT_SHORT if isinstance(error, CutShortError) else UNREADABLE
        return Unreadable(kind, str(error).removeprefix(f"{name}: ")), True


def _row(item: Item, known: tuple[str, images.ImageInfo]) -> dict[str, str | int | float | None]:
    digest, info = known
    described = {"label": item.label, "split": item.split, "patient": item.patient, "source": item.source, "study": ""}
    facts = {"digest": digest, "bytes": item.entry.size, **vars(info)}
    age = ages.years(item.age)
    return {"file": item.file, **facts, **described, "age": info.age if age is None else age, _CODE: info.patient}
