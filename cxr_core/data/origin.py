"""Where a data set's labels come from: which set it is, which rules made it what it is, and what they left out.

    dataset.origin.set            # "CheXpert", None where it is none of the known public sets
    dataset.origin.left_out       # (("views", 32_387), ("missing", 12)): rule -> how many images
    dataset.origin.choices        # {"views": ("frontal", "all"), ...}: what a person can choose instead

What a person chose is kept by :mod:`cxr_core.data.answers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BY_FOLDER = "The folder that an image lies in is its class."
BY_TABLE = "The column label of the table is the class of the image."


@dataclass(frozen=True)
class Origin:
    """``rule``: a sentence, how the labels were made. ``rules``: the choice that was made of each of ``choices``, whose
    first is taken where nobody says otherwise. ``problems``: sentences on what is odd in the tables. ``tables``: those
    that were read, relative to the data set. ``description``: what a person, or the table itself, said of its columns,
    None where a reader knows them. ``agreement``: several readers labelled each image; ``readers``: finding -> (images
    in which one of them at least saw it, images in which all did). ``overlaps``: another set -> what the two share.
    """

    set: str | None = None
    rule: str = BY_FOLDER
    rules: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[tuple[str, int], ...] = ()
    problems: tuple[str, ...] = ()
    attribution: str = ""
    tables: tuple[str, ...] = ()
    description: Mapping[str, Any] | None = None
    agreement: bool = False
    readers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    overlaps: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What a run keeps of it."""
        return {
            "set": self.set,
            "rule": self.rule,
            "rules": dict(self.rules),
            "left_out": [{"rule": rule, "n": n} for rule, n in self.left_out],
            "attribution": self.attribution,
            "tables": list(self.tables),
            "description": None if self.description is None else dict(self.description),
        }
