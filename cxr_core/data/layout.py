"""A folder or a table -> the list of its images with label and split, before any image is opened.

Three layouts: ``ROOT/{train,test,val}/CLASS/**``, ``ROOT/CLASS/**`` and a CSV table with ``file,label`` and
optionally ``patient,source,age,split``. Beside folders a ``sources.csv`` adds patient, source and age.
"""

import re
import stat
from pathlib import Path

from cxr_core import reach
from cxr_core.data import table
from cxr_core.data.budget import Budget
from cxr_core.data.folder import Folder
from cxr_core.data.listing import SPLIT_NAMES, Item, Listing, relative
from cxr_core.data.tabular import from_table, join_sources
from cxr_core.data.unpacked import holding
from cxr_core.errors import DatasetError
from cxr_core.paths import is_virtual, kind_of, shown

SPLIT_FOLDERS = "split folders"
CLASS_FOLDERS = "class folders"
SOURCES = "sources.csv"
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom"}
# Names of folders that hold images of any class: as public data sets ship them, and one for each patient.
_PLACE = re.compile(
    r"^((stage[ _-]?\d+[ _-])?((train|test|val|valid|raw|all)[ _-])*"
    r"(images?|imgs?|pictures?|pics|photos?|pngs?|jpe?gs?|dicoms?|dcms?|x-?rays?|radiographs?|files?)([ _-]?\d+)?"
    r"|(patient|pat|subject|person|study|series)[ _-]?\d+)$",
    re.IGNORECASE,
)
_EXPECTED = (
    "Expected train/CLASS/images and test/CLASS/images, CLASS/images, or a CSV table with the columns file, label"
)


def listing(root: Path, budget: Budget | None = None) -> Listing:
    """List a data set's images. ``root``: a folder, or the path of a CSV table. ``budget`` bounds the walk.

    Raises DatasetError where there is no such folder, or it has none of the three layouts.
    """
    reach.check(root)
    if _is_table(root):
        return from_table(root, budget)
    folder = Folder(root, budget=budget)
    children = folder.folders(root)
    if folder.troubles and folder.troubles[0][0] == root:
        raise DatasetError(f"{root}: {folder.troubles[0][1]}. Check its permissions.")
    splits = [(child, SPLIT_NAMES[child.name.lower()]) for child in children if child.name.lower() in SPLIT_NAMES]
    tables = [path for path in folder.files(root) if path.suffix.lower() == ".csv"]
    if splits:
        found = _from_splits(folder, splits, [child for child in children if child.name.lower() not in SPLIT_NAMES])
    elif (chosen := _table_of(root, tables, children)) is not None:
        return from_table(chosen)
    else:
        _check_not_above(folder, children)
        found = Listing(root, CLASS_FOLDERS, _of_classes(folder, root, ""))
    _check_classes(folder, found, tables)
    found.unreadable += [(relative(root, path), reason) for path, reason in folder.troubles]
    if not found.items:
        raise DatasetError(_nothing_found(folder, found))
    sources = [path for path in tables if path.name.lower() == SOURCES]
    if sources:
        join_sources(found, sources[0])
    return found


def _is_table(root: Path) -> bool:
    """True for a file, False for a folder that may be walked. Raises DatasetError for anything else."""
    try:
        about = root.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        deleted = holding(root)
        hint = "Upload the zip again: its unpacked copy was deleted" if deleted else "Check the path"
        raise DatasetError(f"{shown(root)}: there is no such folder. {hint}.") from None
    except OSError as error:
        raise DatasetError(
            f"{shown(root)}: cannot be opened ({error.strerror}). Check the path and its permissions."
        ) from error
    if is_virtual(about) or not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
        raise DatasetError(f"{shown(root)}: expected a folder or a CSV table, got {kind_of(about)}. Check the path.")
    if root.resolve().parent == root.resolve():
        raise DatasetError(
            f"{root}: this is everything that the machine has, not a data set. Choose the folder of the images itself."
        )
    return stat.S_ISREG(about.st_mode)


def _from_splits(folder: Folder, splits: list[tuple[Path, str]], others: list[Path]) -> Listing:
    found = Listing(folder.root, SPLIT_FOLDERS)
    for path, split in splits:
        found.items += _of_classes(folder, path, split)
    for other in others:
        if any(entry.path.suffix.lower() in IMAGE_SUFFIXES for entry in folder.walk(other)):
            found.unreadable.append((relative(folder.root, other), "is no split folder (train, val, test): left out"))
    return found


def _of_classes(folder: Folder, parent: Path, split: str) -> list[Item]:
    """Images of the class folders in ``parent``; stray images beside the class folders go to the troubles."""
    items = []
    for path in folder.folders(parent):
        entries = list(folder.walk(path))
        items += [Item(relative(folder.root, entry.path), entry, path.name, split) for entry in entries]
        if not entries and not any(trouble.is_relative_to(path) for trouble, _ in folder.troubles):
            folder.troubles.append((path, "the class folder is empty"))
    for path in folder.files(parent):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            folder.troubles.append((path, "lies beside the class folders, so its class is unknown"))
    return items


def _check_not_above(folder: Folder, children: list[Path]) -> None:
    """A folder that merely holds a data set would otherwise be read as one class of that name."""
    for child in children:
        if any(path.name.lower() in SPLIT_NAMES for path in folder.folders(child)):
            raise DatasetError(f"{folder.root}: the data set lies one folder deeper. Choose {child}.")


def _check_classes(folder: Folder, found: Listing, tables: list[Path]) -> None:
    """Folders that hold images, or one patient's, would otherwise be read as classes."""
    classes = sorted({item.label for item in found.items})
    if not classes or not all(_PLACE.match(name) for name in classes):
        return
    listed = ", ".join(classes[:3]) + (f" and {len(classes) - 3:,} more" if len(classes) > 3 else "")
    beside = [path for path in tables if path.name.lower() != SOURCES]
    usable = [path for path in beside if {"file", "label"} <= set(table.read_header(path))]
    told = f" {_not_read([*usable, *beside][0])}" if beside else ""
    raise DatasetError(
        f"{folder.root}: {listed} {'seems' if len(classes) == 1 else 'seem'} to say where images lie and not of which "
        f"class they are.{told} {_EXPECTED}."
    )


def _not_read(path: Path) -> str:
    """Why a table beside the folders was not taken for the data set's."""
    try:
        from_table(path)
    except DatasetError as error:
        return f"The table beside is not read: {error}"
    return f"The table beside, {path.name}, was not taken for the data set's: open it by its path."


def _table_of(root: Path, tables: list[Path], children: list[Path]) -> Path | None:
    """The table that describes a folder, unless the folders in it are the classes themselves."""
    usable = [path for path in tables if {"file", "label"} <= set(table.read_header(path))]
    if children:
        # NIH's table often lies beside folders that its images were sorted into.
        usable = [path for path in usable if path.name.lower() != SOURCES and not table.is_nih(path)]
    if len(usable) > 1:
        names = ", ".join(path.name for path in usable)
        raise DatasetError(
            f"{root}: expected one table with the columns file, label, got {names}. Choose one by its path."
        )
    if not usable:
        return None
    folders = {child.name for child in children}
    labels = {row["label"] for _, row in table.read(usable[0], ("file", "label"))} if folders else set()
    return None if folders & labels else usable[0]


def _nothing_found(folder: Folder, found: Listing) -> str:
    stray = sum(path.suffix.lower() in IMAGE_SUFFIXES for path, _ in folder.troubles)
    if stray:
        return f"{folder.root}: {stray} images lie outside of any class folder. {_EXPECTED}."
    reasons = "; ".join(f"{file} {reason}" for file, reason in found.unreadable[:3])
    return f"{folder.root}: no images found{f' ({reasons})' if reasons else ''}. {_EXPECTED}."
