"""What a person fixed in a data set: a table beside the runs, taken back a fix at a time.

    chosen = move(runs_dir(), dataset, {"test/A/1.png": "train", "train/A/2.png": LEFT_OUT}, "leak")
    applied(dataset, read(runs_dir()))       # the data set as a training and an audit see it
    undo(runs_dir(), chosen)

The image files and their folders are never changed. A row holds for a file of that name with that content.

A fix that masks the border names files as its evidence, and moves none. Where it applies, trainings do not see the
border of any image: erased from some alone, the mask itself would tell these from the others.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from cxr_core import sheets
from cxr_core.activity import record
from cxr_core.data.changes import changing
from cxr_core.data.dataset import Dataset
from cxr_core.errors import DatasetError
from cxr_core.figures import of
from cxr_core.findings import FINDINGS
from cxr_core.settings import write_atomic
from cxr_core.sheets import written

FILE = "splits.csv"
# "mend" is what a fix is called in files that earlier versions wrote.
COLUMNS = ["mend", "file", "digest", "split", "reason", "time"]
LEFT_OUT, NOT_GIVEN, BORDER_MASKED = "left-out", "none", "border-masked"
# What a fix may say of a file: a split, in none of them, that the given one is forgotten, or that it is why the border
# of every image is masked.
PLACES = ("train", "val", "test", LEFT_OUT, NOT_GIVEN, BORDER_MASKED)


def read(runs_dir: Path) -> pd.DataFrame:
    """All fixes, the oldest first: texts, columns ``COLUMNS``. Raises DatasetError where the table is damaged."""
    path = runs_dir / FILE
    try:
        table = sheets.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise DatasetError(f"{path} cannot be read ({reason}): expected a table. Restore it, or delete it.") from None
    if list(table.columns) != COLUMNS or not table["split"].isin(PLACES).all():
        raise DatasetError(f"{path} is damaged: expected the columns {', '.join(COLUMNS)}. Restore it, or delete it.")
    return table


def move(runs_dir: Path, dataset: Dataset, places: Mapping[str, str], reason: str) -> str:
    """Write a fix: file -> one of ``PLACES``. Returns its name, for :func:`undo`.

    Raises DatasetError where nothing would change, or a class would be left without a training image or, where there
    is a test, without a test image.
    """
    samples = dataset.samples[dataset.samples["file"].isin(places)]
    if samples.empty:
        raise DatasetError("Expected files of this data set to fix, got none. Look at the audit again.")
    name = secrets.token_hex(4)
    time = datetime.now(UTC).isoformat(timespec="seconds")
    rows = pd.DataFrame(
        [(name, row.file, row.digest, places[row.file], reason, time) for row in samples.itertuples()],
        columns=COLUMNS,
        dtype=str,
    )
    with changing(runs_dir / FILE):
        table = pd.concat([read(runs_dir), rows], ignore_index=True)
        _check(dataset, applied(dataset, table))
        write_atomic(runs_dir / FILE, written(table))
    record("fixed", reason, data=dataset.name, runs=runs_dir, counts={"images": len(rows)})
    return name


def undo(runs_dir: Path, fix: str) -> None:
    """Take a fix back. Nothing happens where it is not there."""
    with changing(runs_dir / FILE):
        table = read(runs_dir)
        left = table[table["mend"] != fix]
        if len(left) == len(table):
            return
        write_atomic(runs_dir / FILE, written(left))
    record("fixed", "fix taken back", runs=runs_dir, counts={"images": len(table) - len(left)})


def applying(dataset: Dataset, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``table`` that are about files of this data set."""
    known = set(zip(dataset.samples["file"], dataset.samples["digest"], strict=True))
    ours = [pair in known for pair in zip(table["file"], table["digest"], strict=True)]
    return table[pd.Series(ours, index=table.index, dtype=bool)]


def applied(dataset: Dataset, table: pd.DataFrame) -> Dataset:
    """The data set with the fixes of ``table``; of several places of a file the last one holds."""
    rows = applying(dataset, table)
    if rows.empty:
        return dataset
    border = rows["split"] == BORDER_MASKED
    dataset = replace(dataset, border_masked=dataset.border_masked or bool(border.any()))
    rows = rows[~border]
    places = dict(zip(rows["file"], rows["split"].replace(NOT_GIVEN, ""), strict=True))
    samples = dataset.samples.copy()
    samples["split"] = [places.get(file, split) for file, split in zip(samples["file"], samples["split"], strict=True)]
    return replace(dataset, samples=samples[samples["split"] != LEFT_OUT].reset_index(drop=True))


def sentences(dataset: Dataset, table: pd.DataFrame) -> list[str]:
    """What to say of a run on the fixed data set."""
    rows = applying(dataset, table)
    count = rows["file"][rows["split"] != BORDER_MASKED].nunique()
    if not count:
        return []
    return [f"A person moved or left out {of(count, len(dataset.samples))} images of the data set after its audit."]


def _check(before: Dataset, after: Dataset) -> None:
    if before.task == FINDINGS:
        _check_findings(before, after)
        return
    for split in ("train", "test"):
        lost = set(before.samples.loc[before.samples["split"] == split, "label"]) - set(
            after.samples.loc[after.samples["split"].isin([split, ""]), "label"]
        )
        if lost:
            raise DatasetError(f"This would leave {split} without any image of {min(lost)}. Choose another fix.")


def _check_findings(before: Dataset, after: Dataset) -> None:
    """A finding may lose its last image, which is said where it matters; a split may not lose all of its findings."""
    for split in ("train", "test"):
        had = before.values[(before.samples["split"] == split).to_numpy()]
        has = after.values[after.samples["split"].isin([split, ""]).to_numpy()]
        if (had == 1).any() and not (has == 1).any():
            raise DatasetError(f"This would leave {split} without any image that has a finding. Choose another fix.")
