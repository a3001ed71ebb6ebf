"""Folders of classes -> the list of their images: ``ROOT/{train,test,val}/CLASS/**`` and ``ROOT/CLASS/**``.

    found = listed(place, rules, budget)      # or that of a table in the folder, which tells more

Folders that look like no classes are asked (:mod:`cxr_core.data.doubt`), those of masks are no images.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from cxr_core.data import other_table, table
from cxr_core.data.budget import Budget
from cxr_core.data.doubt import CLASSES, FIRST, NEAREST, asked, doubt, nearest, person
from cxr_core.data.folder import IMAGE_SUFFIXES, Folder
from cxr_core.data.listing import SPLIT_NAMES, Item, Listing, relative
from cxr_core.data.recorded import CLASS_FOLDERS, SPLIT_FOLDERS
from cxr_core.data.sets.index import is_mask
from cxr_core.data.sets.other import ASKS_FILE
from cxr_core.data.sets.place import Place, look
from cxr_core.data.sets.reader import chosen
from cxr_core.data.sets.registry import reader_of
from cxr_core.data.tabular import from_table
from cxr_core.errors import DatasetError, Question, QuestionError

MASKS = {"masks": ("left out", "kept")}
_NEAREST_RULE = "The folder next to an image is its class; folders named like patients are its patient."
_EXPECTED = (
    "Expected train/CLASS/images and test/CLASS/images, CLASS/images, or a CSV table with the columns file, label"
)


def listed(place: Place, rules: dict[str, str], budget: Budget | None = None, known: Collection[str] = ()) -> Listing:
    """``known``: names that are classes for certain. Raises DatasetError where there are no images in any class,
    QuestionError where it is not clear what the classes are.
    """
    root = place.root
    folder = Folder(root, budget=budget)
    children = folder.folders(root)
    if folder.troubles and folder.troubles[0][0] == root:
        raise DatasetError(f"{root}: {folder.troubles[0][1]}. Check its permissions.")
    splits = [(child, SPLIT_NAMES[child.name.lower()]) for child in children if child.name.lower() in SPLIT_NAMES]
    tables = [path for path in folder.files(root) if path.suffix.lower() == ".csv" and path in place.tables]
    made = chosen({**CLASSES, **MASKS}, rules, root.name)
    if splits:
        others = [child for child in children if child.name.lower() not in SPLIT_NAMES]
        found, masks = _from_splits(folder, splits, others)
    elif own := _tables_of(root, tables, children):
        told = {path: other_table.own_or_other(path, rules, budget) for path in own}
        return other_table.joined(told, root) if len(told) > 1 else told[own[0]]
    else:
        _check_not_above(folder, children)
        found, masks = Listing(root, CLASS_FOLDERS), []
        _add_classes(folder, root, "", found, masks)
    if made["masks"] == "kept":
        found.items, masks = sorted([*found.items, *masks], key=lambda item: item.file), []
    if made["classes"] == NEAREST:
        found.items = [replace(item, label=nearest(item.file), patient=person(item.file)) for item in found.items]
        if any(not item.label for item in found.items):
            file = next(item.file for item in found.items if not item.label)
            raise DatasetError(f"{root}: no folder above {file} names a class. Choose another way to read the folders.")
    elif made["classes"] != FIRST:
        other = _doubtful(folder, found, place, tables, rules, budget, known)
        if other is not None:
            return other
    found.unreadable += [(relative(root, path), reason) for path, reason in folder.troubles]
    if not found.items:
        raise _nothing_found(folder, found)
    offered = {
        **(CLASSES if made["classes"] in (FIRST, NEAREST) else {}),
        **(MASKS if masks or made["masks"] == "kept" else {}),
    }
    found.origin = replace(
        found.origin,
        rules={rule: made[rule] for rule in offered},
        choices=offered,
        left_out=(("masks", len(masks)),) if masks else (),
        rule=_NEAREST_RULE if made["classes"] == NEAREST else found.origin.rule,
    )
    return found


def _doubtful(
    folder: Folder,
    found: Listing,
    place: Place,
    tables: list[Path],
    rules: dict[str, str],
    budget: Budget | None,
    known: Collection[str],
) -> Listing | None:
    """Where the folders are no classes: what a table beside them says. Raises QuestionError where none tells; None
    where the folders are classes.
    """
    root = folder.root
    heap = not found.items and any(path.suffix.lower() in IMAGE_SUFFIXES for path, _ in folder.troubles)
    question = doubt(found.items, known)
    if question is None and not heap:
        return None
    told_by: dict[Path, Listing] = {}
    asked_of: QuestionError | None = None
    for path in other_table.beside(place):
        try:
            told_by[path] = other_table.listed(path, root, rules, budget)
        except QuestionError as error:
            asked_of = asked_of or error
        except DatasetError:
            # Said below, where no other table helps.
            continue
    if len(told_by) > 1:
        return other_table.joined(told_by, root)
    if told_by:
        return next(iter(told_by.values()))
    if asked_of is not None and asked_of.question.asks != ASKS_FILE:
        # It names the images: it knows more than the folders do.
        raise asked_of
    told = f" {_not_read(tables[0])}" if tables else ""
    if question is None:
        message = _stray(folder)
        question = Question("Which table names the class of each image?", f"{message}.{told}")
        raise QuestionError(f"{root}: {message}.{told} {_EXPECTED}.", question)
    raise asked(root, replace(question, because=f"{question.because}{told}"))


def _from_splits(folder: Folder, splits: list[tuple[Path, str]], others: list[Path]) -> tuple[Listing, list[Item]]:
    found, masks = Listing(folder.root, SPLIT_FOLDERS), list[Item]()
    for path, split in splits:
        _add_classes(folder, path, split, found, masks)
    for other in others:
        if any(entry.path.suffix.lower() in IMAGE_SUFFIXES for entry in folder.walk(other)):
            found.unreadable.append((relative(folder.root, other), "is no split folder (train, val, test): left out"))
    return found, masks


def _add_classes(folder: Folder, parent: Path, split: str, found: Listing, masks: list[Item]) -> None:
    """Images of the class folders in ``parent``, those in folders of masks apart; stray images beside the class folders
    go to the troubles.
    """
    for path in folder.folders(parent):
        entries = list(folder.walk(path))
        for entry in entries:
            item = Item(relative(folder.root, entry.path), entry, path.name, split)
            (masks if is_mask(relative(path, entry.path)) else found.items).append(item)
        if not entries and not any(trouble.is_relative_to(path) for trouble, _ in folder.troubles):
            folder.troubles.append((path, "the class folder is empty"))
    for path in folder.files(parent):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            folder.troubles.append((path, "lies beside the class folders, so its class is unknown"))


def _check_not_above(folder: Folder, children: list[Path]) -> None:
    """A folder that merely holds a data set would otherwise be read as one class of that name."""
    for child in children:
        if any(path.name.lower() in SPLIT_NAMES for path in folder.folders(child)) or (
            len(children) == 1 and reader_of(look(child)) is not None
        ):
            raise DatasetError(f"{folder.root}: the data set lies one folder deeper. Choose {child}.")


def _not_read(path: Path) -> str:
    """Why a table beside the folders was not taken for the data set's."""
    try:
        from_table(path)
    except DatasetError as error:
        return f"The table beside is not read: {error}"
    return f"The table beside, {path.name}, was not taken for the data set's: open it by its path."


def _tables_of(root: Path, tables: list[Path], children: list[Path]) -> list[Path]:
    """The table that describes a folder, or one for each split, unless the folders in it are the classes themselves."""
    usable = [path for path in tables if {"file", "label"} <= set(table.read_header(path))]
    if children:
        # NIH's table often lies beside folders that its images were sorted into.
        usable = [path for path in usable if not table.is_nih(path)]
    if len(usable) > 1 and not all(map(other_table.split_of, usable)):
        names = ", ".join(path.name for path in usable)
        raise DatasetError(
            f"{root}: expected one table with the columns file, label, got {names}. Choose one by its path."
        )
    folders = {child.name for child in children}
    labels = {row["label"] for path in usable for _, row in table.read(path, ("file", "label"))} if folders else set()
    return [] if folders & labels else usable


def _stray(folder: Folder) -> str:
    stray = sum(path.suffix.lower() in IMAGE_SUFFIXES for path, _ in folder.troubles)
    return f"{stray} images lie outside of any class folder"


def _nothing_found(folder: Folder, found: Listing) -> DatasetError:
    reasons = "; ".join(f"{file} {reason}" for file, reason in found.unreadable[:3])
    return DatasetError(f"{folder.root}: no images found{f' ({reasons})' if reasons else ''}. {_EXPECTED}.")
