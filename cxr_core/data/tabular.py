"""Tables that list or describe a data set's images: the table layout, and ``sources.csv`` beside folders."""

import os
from dataclasses import replace
from pathlib import Path

from cxr_core import reach
from cxr_core.data import table
from cxr_core.data.budget import Budget
from cxr_core.data.folder import Folder
from cxr_core.data.listing import SPLIT_NAMES, Item, Listing, relative
from cxr_core.data.origin import BY_TABLE, Origin
from cxr_core.data.spelling import is_missing
from cxr_core.data.unpacked import unpacked_dir
from cxr_core.errors import DatasetError

TABLE = "table"


class NoneFoundError(DatasetError):
    """None of the files that a table names is where it says."""


def from_table(path: Path, budget: Budget | None = None) -> Listing:
    """List the images that a table names. Raises DatasetError for a malformed table, or where no file is found."""
    found = Listing(path, TABLE, origin=Origin(rule=BY_TABLE, tables=(path.name,)))
    base, folder, lines = path.parent, Folder(path.parent, budget=budget), dict[str, int]()
    for line, row in table.read(path, ("file", "label")):
        split = SPLIT_NAMES.get(row["split"].lower(), "")
        if not row["label"]:
            raise DatasetError(f"{path.name}, line {line}: the label is empty. Every image needs one.")
        if is_missing(row["label"]):
            raise DatasetError(
                f"{path.name}, line {line}: the label is missing (a program wrote nan, NULL or the like). Every image "
                "needs one: fill it in, or remove the row."
            )
        if row["split"] and not split:
            raise DatasetError(
                f"{path.name}, line {line}: expected the split train, val or test, got {row['split']!r}."
            )
        image = _resolved(base, row["file"])
        file = relative(base, image)
        if file in lines:
            raise DatasetError(f"{path.name}: lines {lines[file]} and {line} name the same file, {file}. Keep one.")
        lines[file] = line
        if not reach.reachable(image):
            found.unreadable.append((file, reach.OUTSIDE))
        elif not (Path(file).is_absolute() and _is_unpacked(base)):
            if budget:
                budget.found()
            entry = folder.entry(image)
            if entry is not None:
                found.items.append(Item(file, entry, row["label"], split, row["patient"], row["source"], row["age"]))
        else:
            found.unreadable.append((file, "lies outside of the uploaded archive"))
    found.unreadable += [(relative(base, image), f"{reason}; the table names it") for image, reason in folder.troubles]
    if not found.items:
        raise NoneFoundError(
            f"{path.name}: none of its {len(lines)} files was found. Paths are relative to the table's folder, {base}."
        )
    return found


def _resolved(base: Path, file: str) -> Path:
    """Path of a table's entry, ``..`` resolved but links kept. A backslash from Windows counts as a slash."""
    path = base / file
    if "\\" in file and not os.path.exists(path):
        path = base / file.replace("\\", "/")
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1] or parts
        else:
            parts.append(part)
    return Path(*parts)


def _is_unpacked(base: Path) -> bool:
    return base.resolve().is_relative_to(unpacked_dir())


def join_sources(found: Listing, path: Path) -> None:
    """Add patient, source and age from ``sources.csv`` to the images of a folder; rows of absent files are passed over.

    Raises DatasetError for a malformed table, one that contradicts itself, and one that fits none of the images.
    """
    names = table.read_header(path)
    if "file" in names and not {"patient", "source", "age"} & set(names):
        raise DatasetError(
            f"{path.name}: expected the column file and at least one of patient, source and age, got "
            f"{', '.join(name for name in names if name in table.COLUMNS)} and {len(names):,} columns in all."
        )
    known: dict[str, tuple[str, str, str]] = {}
    for line, row in table.read(path, ("file",)):
        file = relative(found.root, _resolved(found.root, row["file"]))
        about = (row["patient"], row["source"], row["age"])
        if known.setdefault(file, about) != about:
            raise DatasetError(f"{path.name}, line {line}: says something else of {file} than a line before. Keep one.")
    files = {item.file for item in found.items}
    if not files & known.keys():
        raise DatasetError(
            f"{path.name}: none of its {len(known)} files is among the {len(files)} images. "
            f"Write paths relative to {path.parent.name}, such as {min(files)}."
        )
    for index, item in enumerate(found.items):
        patient, source, age = known.get(item.file, (item.patient, item.source, item.age))
        found.items[index] = replace(item, patient=patient, source=source, age=age)
