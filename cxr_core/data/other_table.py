"""Tables that nobody's reader knows -> the list of their images: as a person described them, or as their columns tell.

listed(path, root, rules, budget)                   # QuestionError where only a person can tell
listed(path, root, rules, budget, description)
own_or_other(path, rules, budget)                   # file,label between commas is read by :mod:`tabular`
"""

from pathlib import Path

from cxr_core.data import table
from cxr_core.data.budget import Budget
from cxr_core.data.listing import Listing, several
from cxr_core.data.recorded import recorded
from cxr_core.data.sets import tables
from cxr_core.data.sets.description import Description, content
from cxr_core.data.sets.other import described, propose
from cxr_core.data.sets.place import Place, is_of_tables
from cxr_core.data.sets.reader import chosen
from cxr_core.data.tabular import from_table
from cxr_core.errors import DatasetError, Question, QuestionError
from cxr_core.paths import shown

WAY_ON = (
    "Say it on the Dataset page, or with --describe FILE: scan --propose FILE writes a description of the table, to be "
    "corrected"
)


def own_or_other(path: Path, rules: dict[str, str], budget: Budget | None) -> Listing:
    """The listing of a table that was chosen by its path, or that describes its folder."""
    if _is_own(path):
        chosen({}, rules, path.name)
        return from_table(path, budget)
    return listed(path, path, rules, budget)


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
    try:
        from_table(path)
    except DatasetError as error:
        return f" Without one: {error}"
    return ""


def beside(place: Place) -> list[Path]:
    """The tables that may describe a folder: those in it, and in a folder of tables."""
    return [path for path in place.tables if path.parent == place.root or is_of_tables(path.parent)]


def fitting(place: Place, description: Description) -> Path:
    """The table of a folder that has the columns of a description."""
    wanted = {name.lower() for name in (description.file, *description.labels, *description.about().values())}
    found = place.having(*wanted)
    if len(found) != 1:
        listed_names = ", ".join(path.name for path in found) or "none"
        raise DatasetError(
            f"{shown(place.root)}: expected one table with the columns {', '.join(sorted(wanted))[:300]} that its "
            f"description names, got {listed_names}. Choose it by its path, or describe it anew."
        )
    return found[0]
