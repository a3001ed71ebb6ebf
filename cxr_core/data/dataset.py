"""A data set: a folder or table of images with labels, read in place.

``scan(root)`` lists and checks every file and keeps what it found, so the next scan opens only what is new.
``split(dataset, ...)`` fills in the splits that a training needs. Class names are the folders' names, never typed in.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from cxr_core import images
from cxr_core.data import splits
from cxr_core.data.budget import Budget, Progress
from cxr_core.data.folder import Entry
from cxr_core.data.kept import KeptScan, Known
from cxr_core.data.layout import listing
from cxr_core.data.listing import CUT_SHORT, SPLITS, UNREADABLE, Item, Unreadable
from cxr_core.errors import CutShortError, DatasetError, ImageError
from cxr_core.images import ages
from cxr_core.paths import given

TEXTS = ["file", "label", "split", "patient", "source", "digest", "mode", "format"]
NUMBERS = ["width", "height", "bits", "bytes"]
COLUMNS = [
    "file",
    "label",
    "split",
    "patient",
    "source",
    "age",
    "digest",
    "width",
    "height",
    "mode",
    "format",
    "bits",
    "bytes",
]
# So many files at a time are handed to the threads: a stopped scan has little left to finish.
_BATCH = 512
_THREADS = min(8, (os.cpu_count() or 2) + 1)


@dataclass(frozen=True, eq=False)
class Dataset:
    """The images of a folder or table, and the files that are none.

    ``samples``: one row per image, sorted by file, columns ``COLUMNS``: ``file`` relative to the root with slashes
    (absolute where a table points outside), ``split`` train, val, test or "" where none is given, ``patient`` and
    ``source`` "" where unknown, ``age`` of the patient in years (0 to 120, NaN where unknown; a table's before a DICOM
    header's), ``digest`` of the content, sides in pixels, size in bytes.
    ``unreadable``: columns file, reason, kind ("cut short" or "unreadable"). ``wrong_ages``: file -> what its table
    gives as age and cannot be one; it counts as unknown.
    ``border_masked``: trainings are not to see the border of any image.
    """

    root: Path
    layout: str
    samples: pd.DataFrame
    unreadable: pd.DataFrame
    wrong_ages: Mapping[str, str] = field(default_factory=dict)
    border_masked: bool = False
    # Where files go by other names than on disk (see pseudonyms): name -> that on disk.
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the folder, or of the table without its ending."""
        return self.root.stem if self._base != self.root else self.root.name

    @property
    def classes(self) -> list[str]:
        """Class names, sorted."""
        return sorted(self.samples["label"].unique())

    @property
    def splits(self) -> list[str]:
        """Splits that have images, of train, val, test and "" (no split given), in this order."""
        present = set(self.samples["split"])
        return [name for name in (*SPLITS, "") if name in present]

    @cached_property
    def digest(self) -> str:
        """Digest of all that a training could depend on: files, labels, splits, patients, sources and contents. No
        training looks at ages.
        """
        joined = hashlib.blake2b(digest_size=16)
        for row in self.samples[["file", "label", "split", "patient", "source", "digest"]].itertuples(index=False):
            joined.update("\0".join(row).encode("utf-8") + b"\n")
        return joined.hexdigest()

    def counts(self) -> pd.DataFrame:
        """Images per split (rows, as ``splits``) and class (columns, as ``classes``), zeros included."""
        table = pd.crosstab(self.samples["split"], self.samples["label"])
        return table.reindex(index=self.splits, columns=self.classes, fill_value=0).astype(int)

    def path(self, file: str) -> Path:
        """Where a sample's file lies on disk."""
        return self._base / self.named.get(file, file)

    @cached_property
    def _base(self) -> Path:
        return self.root.parent if self.root.is_file() else self.root


def scan(root: Path | str, progress: Progress | None = None) -> Dataset:
    """Find, check and describe all images of a data set.

    ``root``: a folder in one of the layouts of :mod:`cxr_core.data.layout`, or a CSV table. ``progress(done, total)``
    is called on the way, in the calling thread, total 0 while files are still being found; what it raises ends the
    scan, and what was found so far is kept. A file that cannot be read is left out and named in ``unreadable``.

    Raises DatasetError where there is no such folder, no known layout, or not one readable image, and where the scan
    is out of reach or over its limits (:mod:`cxr_core.reach`, :mod:`cxr_core.data.budget`).
    """
    root = given(root)
    budget = Budget(root, progress)
    found = listing(root, budget)
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
    types = dict.fromkeys(TEXTS, "str") | dict.fromkeys(NUMBERS, "int64") | {"age": "float64"}
    samples = pd.DataFrame(rows, columns=COLUMNS).astype(types).sort_values("file", ignore_index=True)
    named = pd.DataFrame(sorted(unreadable), columns=["file", "reason", "kind"], dtype="str")
    return Dataset(root, found.layout, samples, named, wrong_ages)


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
    described = {"label": item.label, "split": item.split, "patient": item.patient, "source": item.source}
    facts = {"digest": digest, "bytes": item.entry.size, **asdict(info)}
    age = ages.years(item.age)
    return {"file": item.file, **described, **facts, "age": info.age if age is None else age}
