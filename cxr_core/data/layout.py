"""A folder or a table -> the list of its images with labels and split, before any image is opened.

In this order: what a person said of it (:mod:`cxr_core.data.answers`); a public set as it is downloaded
(:mod:`cxr_core.data.sets.registry`); ``ROOT/{train,test,val}/CLASS/**``, a CSV table with ``file,label`` and optionally
``patient,source,age,split``, ``ROOT/CLASS/**`` (:mod:`cxr_core.data.class_folders`); any other table whose columns tell
what they are. Beside folders a ``sources.csv`` adds patient, source and age. What could be read in several ways is a
QuestionError.
"""

import stat
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from cxr_core import reach
from cxr_core.data import class_folders, other_table
from cxr_core.data.answers import Answers, said
from cxr_core.data.budget import Budget
from cxr_core.data.doubt import is_place
from cxr_core.data.folder import IMAGE_SUFFIXES, Folder
from cxr_core.data.listing import SPLIT_NAMES, Listing, relative
from cxr_core.data.recorded import TABLE, recorded
from cxr_core.data.sets.place import Place, look
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.registry import reader_of
from cxr_core.data.tabular import join_sources
from cxr_core.data.unpacked import holding
from cxr_core.errors import DatasetError
from cxr_core.paths import is_virtual, kind_of, shown

SOURCES = "sources.csv"
# Offered wherever there is a validation split, and applied by whoever scans.
VALIDATION = {"validation": ("as given", "from train")}


def listing(
    root: Path, budget: Budget | None = None, answers: Answers | None = None, known_classes: Collection[str] = ()
) -> Listing:
    """List a data set's images. ``root``: a folder, or the path of a table. ``budget`` bounds the walk. ``answers``:
    what a person said of it, the kept ones where none are given. ``known_classes``: names that are classes for certain.

    Raises DatasetError where there is no such folder, or it has none of the layouts; QuestionError where a person has
    to say what its folders or columns mean.
    """
    reach.check(root)
    is_table = _is_table(root)
    answers = said(root) if answers is None else answers
    rules = {rule: choice for rule, choice in answers.rules.items() if rule not in VALIDATION}
    place = look(root)
    if not is_table:
        place = replace(place, tables={path: names for path, names in place.tables.items() if not _is_sources(path)})
    if answers.description is not None:
        paths = [root] if is_table else other_table.fitting(place, answers.description)
        told = {path: other_table.listed(path, root, rules, budget, answers.description) for path in paths}
        return other_table.joined(told, root) if len(told) > 1 else told[paths[0]]
    reader, beside = _reader(place, is_table)
    if reader is not None:
        found = recorded(reader.read(place, rules, budget), root, budget)
        found.origin = replace(found.origin, overlaps=dict(reader.overlaps))
    elif is_table:
        return other_table.own_or_other(root, rules, budget)
    else:
        found = class_folders.listed(place, rules, budget, known_classes)
        found.origin = replace(found.origin, problems=(*beside, *found.origin.problems))
    sources = [] if is_table or (found.layout == TABLE and reader is None) else Folder(root).files(root)
    for path in filter(_is_sources, sources):
        join_sources(found, path)
    return found


def _is_sources(path: Path) -> bool:
    return path.name.lower() == SOURCES


def _reader(place: Place, is_table: bool) -> tuple[Reader | None, tuple[str, ...]]:
    """The reader of a public set; None, and what to say of it, where its images were sorted into folders of classes."""
    sorted_ = not is_table and _are_sorted(place.root)
    try:
        reader = reader_of(place)
    except DatasetError:
        if sorted_:
            return None, ()
        raise
    paths = reader.finds(place) if reader else []
    if reader is None or not sorted_ or any(path.is_dir() for path in paths):
        return reader, ()
    listed = relative(place.root, paths[0])
    return None, (
        f"The table of {reader.name} lies beside ({listed}), and is not read: the folders are taken for the classes. "
        "Open the table by its path to read the labels that it has.",
    )


def _are_sorted(root: Path) -> bool:
    """Whether two folders at least have names of classes and hold images directly."""
    folder = Folder(root)
    children = folder.folders(root)
    splits = [child for child in children if child.name.lower() in SPLIT_NAMES]
    named = [
        child
        for parent in splits
        for child in folder.folders(parent)
        if not is_place(child.name) and not child.name.isdigit()
    ] or [child for child in children if child not in splits and not is_place(child.name) and not child.name.isdigit()]
    holding_images = 0
    for child in named:
        holding_images += any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.files(child))
        if holding_images > 1:
            return True
    return False


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
