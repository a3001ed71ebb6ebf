"""What a person said of how to read a data set: rules, and what the columns of its table mean. Kept as a readable file
outside of the data, so that every page and command reads the data set alike.

    change(root, rules={"views": "all"})            # and what was said before stays
    change(root, description=load(Path("mine.toml")))
    said(root)                                      # Answers; empty where nothing was said
    forget(root)

One JSON file for each data set under ``data_dir()/answers``.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cxr_core.data.changes import changing
from cxr_core.data.sets.description import Description
from cxr_core.data.sets.description import content as description_content
from cxr_core.errors import DatasetError
from cxr_core.settings import data_dir, write_atomic

FOLDER = "answers"


class Answers(BaseModel):
    """``rules``: rule -> choice, those that somebody made; ``description``: of the table, where somebody gave one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Mapping[str, str] = Field(default_factory=dict)
    description: Description | None = None

    @property
    def are_empty(self) -> bool:
        return not self.rules and self.description is None

    def content(self) -> dict[str, Any]:
        """As it is written down."""
        description = None if self.description is None else description_content(self.description)
        return {"rules": dict(self.rules), "description": description}


def file_of(root: Path) -> Path:
    """Where the answers on a data set are kept: by the name that leads to it, whatever links are on the way."""
    real = os.path.realpath(root)
    name = re.sub(r"[^\w-]+", "-", Path(real).name)[:40] or "data"
    return data_dir() / FOLDER / f"{name}-{hashlib.blake2b(os.fsencode(real), digest_size=6).hexdigest()}.json"


def said(root: Path) -> Answers:
    """What was said of this data set. Raises DatasetError where its file is damaged."""
    path = file_of(root)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Answers(rules=kept["rules"], description=kept["description"])
    except (FileNotFoundError, NotADirectoryError):
        return Answers()
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        raise DatasetError(
            f"{path} is damaged: expected what was said of how to read {root}. Correct it, or delete it and say it "
            "again."
        ) from None


def change(root: Path, rules: Mapping[str, str] | None = None, description: Description | None = None) -> Answers:
    """Add to what was said; a rule or a description that was given before is replaced."""
    path = file_of(root)
    with changing(path):
        before = said(root)
        after = Answers(rules={**before.rules, **(rules or {})}, description=description or before.description)
        if after != before:
            content = {"data": os.path.realpath(root), **after.content()}
            write_atomic(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return after


def forget(root: Path) -> None:
    """As if nothing had been said."""
    path = file_of(root)
    with changing(path):
        path.unlink(missing_ok=True)
