"""Tables that nobody's reader knows -> the list of their images: as a person described them, or as their columns tell.

listed(path, root, rules, budget)                   # QuestionError where only a person can tell
listed(path, root, rules, budget, description)
own_or_other(path, rules, budget)                   # file,label between commas is read by :mod:`tabular`
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from cxr_core.data import table
from cxr_core.data.budget import Budget
from cxr_core.data.listing import SPLIT_NAMES, Listing, several
from cxr_core.data.recorded import recorded
from cxr_core.data.sets import tables
from cxr_core.data.sets.description import Description, content
from cxr_core.data.sets.other import described, propose
from cxr_core.data.sets.place import Place, is_of_tables
from cxr_core.data.sets.reader import chosen
from cxr_core.data.tabular import NoneFoundError, from_table
from cxr_core.errors import DatasetError, Question, QuestionError
from cxr_core.findings import PREFIX
from cxr_core.paths import shown

WAY_ON = (
    "Say it on the Dataset page, or with --describe FILE: scan --propose FILE writes a description of the table, to be "
    "corrected"
)


def own_or_other(path: Path, rules: dict[str, str], budget: Budget | None) -> Listing:
    """The listing of a table that was chosen by its path, or that describes its folder."""
    if not _is_own(path):
        return listed(path, path, rules, budget)
    try:
        found = from_table(path, budget)
    except NoneFoundError as error:
        # The files may lie elsewhere below, or be named with a foreign prefix.
        try:
            return listed(path, path, rules, budget)
        except DatasetError:
            raise error from None
    chosen({}, rules, path.name)
    return found


def _is_own(path: Path) -> bool:
    """Whether a table has our columns and one label a row; and what is no table at all, to be told by our reader."""
    if not {"file", "label"} <= set(table.read_header(path)):
        return not tables.is_table(path) or bool(tables.trouble(path))
    try:
        labels = {row["label"] for _, row in table.read(path, ("file", "label"))}
    except table.EncodingError:
        return False
    bars = any("|" in label or label.startswith("[") for label in labels)
    return not bars and not any(";" in label and several(label, labels) for label in labels)


def listed(
    path: Path, root: Path, rules: dict[str, str], budget: Budget | None, description: Description | None = None
) -> Listing:
    """The images of a table. Raises QuestionError where its columns do not tell what they are."""
    if description is None:
        if budget:
            budget.again()
        found = propose(path, budget)
        if isinstance(found, Question):
            raise QuestionError(f"{path.name}: {found.because}. {found.asks} {WAY_ON}.{_without(path)}", found)
        description = found
    if budget:
        budget.again()
    return recorded(described(path, description, rules, budget), root, budget, content(description))


def _without(path: Path) -> str:
    """What a table needs that is to be read without a description."""
    if path.suffix.lower() != ".csv":
        return ""
    try:
        from_table(path)
    except DatasetError as error:
        return f" Without one: {error}"
    return ""


def beside(place: Place) -> list[Path]:
    """The tables that may describe a folder: those in it, and in a folder of tables."""
    return [path for path in place.tables if path.parent == place.root or is_of_tables(path.parent)]


def fitting(place: Place, description: Description) -> list[Path]:
    """The tables of a folder that have the columns of a description: one, or one for each split."""
    wanted = {name.lower() for name in (description.file, *description.labels, *description.about().values())}
    found = place.having(*wanted)
    if not found or (len(found) > 1 and not all(map(split_of, found))):
        listed_names = ", ".join(path.name for path in found) or "none"
        raise DatasetError(
            f"{shown(place.root)}: expected one table with the columns {', '.join(sorted(wanted))[:300]} that its "
            f"description names, got {listed_names}. Choose it by its path, or describe it anew."
        )
    return found


def joined(found: Mapping[Path, Listing], root: Path) -> Listing:
    """One listing of the tables of several splits, train.csv and test.csv. Raises DatasetError for other tables."""
    (first, *others) = found.values()
    names = ", ".join(path.name for path in found)
    listed_names = all((one.origin.description or {}).get("separator") for one in found.values())
    # Names between separators that one table does not have are absent there; columns have to be the same.
    columns = [None if one.about is None or listed_names else list(one.about.columns) for one in found.values()]
    splits = [split_of(path) for path in found]
    if not all(splits) or len(set(splits)) < len(splits) or any(names_of != columns[0] for names_of in columns):
        raise DatasetError(f"{shown(root)}: {names} describe images each. Choose one by its path, or make one of them.")
    for path, one in found.items():
        one.items = [replace(item, split=item.split or split_of(path)) for item in one.items]
    seen: set[str] = set()
    for item in (item for one in found.values() for item in one.items):
        if item.file in seen:
            raise DatasetError(f"{shown(root)}: {item.file} stands in two of {names}. Remove it from one of them.")
        seen.add(item.file)
    left_out = Counter[str]()
    for one in found.values():
        left_out.update(dict(one.origin.left_out))
    first.items = [item for one in found.values() for item in one.items]
    first.unreadable = [entry for one in found.values() for entry in one.unreadable]
    if first.about is not None:
        first.about = pd.concat([one.about for one in found.values() if one.about is not None])
        values = [name for name in first.about.columns if name.startswith(PREFIX)]
        if listed_names:
            first.about[values] = first.about[values].fillna(0).astype("float32")
    first.origin = replace(
        first.origin,
        tables=tuple(table for one in (first, *others) for table in one.origin.tables),
        problems=tuple(problem for one in (first, *others) for problem in one.origin.problems),
        left_out=tuple(left_out.items()),
    )
    return first


def split_of(path: Path) -> str:
    """The split that a table's name says, "" for none."""
    return SPLIT_NAMES.get(re.split(r"[^a-z]", path.name.lower())[0], "")
