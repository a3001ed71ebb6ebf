"""The list of a data set's images before any of them is opened."""

import re
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from cxr_core.data.folder import Entry
from cxr_core.data.origin import Origin

SPLITS = ("train", "val", "test")
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
}


# Why a file is left out, in a word: its end is missing, or any other reason.
CUT_SHORT, UNREADABLE = "cut short", "unreadable"


class Unreadable(NamedTuple):
    """Why a file is no image: ``kind`` is CUT_SHORT or UNREADABLE, ``reason`` a sentence."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Item:
    """One image of a listing: ``file`` is its name in the data set, ``entry`` where it lies on disk; ``age`` as the
    table has it.
    """

    file: str
    entry: Entry
    label: str
    split: str = ""
    patient: str = ""
    source: str = ""
    age: str = ""


@dataclass
class Listing:
    """All images of a data set, and what cannot be read: ``unreadable`` holds (file, reason).

    ``about``: file -> the columns study, sex, view and, of findings, one float32 column y_NAME a name; None where
    nothing of it is known. ``below``: the folder that the files' names begin at, where it is another than that of
    ``root``. ``in_headers``: the columns that only the files' headers tell.
    """

    root: Path
    layout: str
    items: list[Item] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    origin: Origin = field(default_factory=Origin)
    about: pd.DataFrame | None = None
    below: Path | None = None
    in_headers: tuple[str, ...] = ()


def several(label: str, labels: Container[str]) -> bool:
    """Whether a label seems to name several findings: parts between commas, semicolons, slashes or bars, of which one
    at least is another label by itself; between bars always.
    """
    parts = [part.strip() for part in re.split(r"[,;/|]", label)]
    return len(parts) > 1 and ("|" in label or any(part in labels for part in parts))


def relative(root: Path, path: Path) -> str:
    """A path as a data set names it: with slashes, relative to ``root``, absolute where it lies outside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
