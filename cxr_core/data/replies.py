"""A person's reply to what was asked of a data set: tried before it is kept, so that nothing is kept that fails.

    reply(root, rules={"views": "all"})
    reply(root, description=load(Path("mine.json")))
    propose(root)                   # what could be said, as it would be written down

See :mod:`cxr_core.data.answers`, which keeps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr_core.data import other_table
from cxr_core.data.answers import Answers, change, said
from cxr_core.data.layout import VALIDATION, listing
from cxr_core.data.sets import other, tables
from cxr_core.data.sets.description import Description, content
from cxr_core.data.sets.place import look
from cxr_core.data.sets.reader import chosen
from cxr_core.errors import DatasetError, Question
from cxr_core.paths import given, shown

# What somebody has to fill in where no column tells.
_BLANK = {"file": "", "labels": [], "task": "findings"}


def reply(
    root: Path | str, rules: Mapping[str, str] | None = None, description: Description | None = None, anew: bool = False
) -> Answers:
    """Read the data set by this and, where that succeeds, keep it. ``anew``: in the place of all that was said before.

    Raises DatasetError for a rule or a column that the data set does not have, QuestionError where another question is
    left; nothing is kept then.
    """
    root = given(root)
    before = Answers() if anew else said(root)
    wanted = Answers(rules={**before.rules, **(rules or {})}, description=description or before.description)
    chosen(VALIDATION, {rule: choice for rule, choice in wanted.rules.items() if rule in VALIDATION}, root.name)
    listing(root, answers=wanted)
    return change(root, wanted.rules, wanted.description)


@dataclass(frozen=True)
class Proposal:
    """``description``: as a file of it is written, with what has to be filled in where ``question`` is not None."""

    table: Path
    columns: tuple[str, ...]
    description: Mapping[str, Any]
    question: Question | None


def propose(root: Path | str) -> Proposal:
    """How the table of a data set could be described. Raises DatasetError where there is none, or several."""
    root = given(root)
    place = look(root)
    found = [root] if place.chosen is not None else other_table.beside(place)
    if len(found) != 1:
        listed = ", ".join(path.name for path in found[:6]) or "none"
        raise DatasetError(
            f"{shown(root)}: expected one table to describe, got {listed}. Choose it by its path; folders need a rule "
            "and no description."
        )
    (path,) = found
    columns = tables.spelled(path)
    asked = other.propose(path)
    if isinstance(asked, Question):
        proposed = (asked.proposal or {}).get("description", _BLANK)
        return Proposal(path, columns, proposed, asked)
    return Proposal(path, columns, content(asked), None)
