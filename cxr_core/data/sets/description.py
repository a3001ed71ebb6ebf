"""What a table's columns and values mean, as a person said it: a readable JSON or TOML file outside of the data.

description = load(Path("mine.toml"))
save(description, Path("mine.json"))

file = "image"                      # TOML: the column that names the image
labels = ["findings"]               # one column of names, or one column a finding
separator = "|"                     # between the names in one column; "list" for ['A', 'B']; "" for one name
task = "findings"                   # or "exclusive": one class an image
patient = "person"                  # and study, age, sex, view, source, split, where there are such columns
yes = ["present"]                   # of one column a finding: the values; also no, uncertain, blank
"""

import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cxr_core.errors import DatasetError

YES = ("1", "1.0", "yes", "y", "true", "t", "positive", "pos", "present")
NO = ("0", "0.0", "no", "n", "false", "f", "negative", "neg", "absent")
UNCERTAIN = ("-1", "-1.0", "uncertain")
BLANK = ("", "nan", "na", "n/a", "none", "null", "-", "?")
LIST = "list"
_MAX_BYTES = 2**20


class Description(BaseModel):
    """Names of columns, and what the values in the columns of findings mean; case does not matter in values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(min_length=1)
    labels: tuple[str, ...] = Field(min_length=1)
    separator: str = ""
    task: Literal["exclusive", "findings"] = "findings"
    no_finding: str = ""
    patient: str = ""
    study: str = ""
    age: str = ""
    sex: str = ""
    view: str = ""
    source: str = ""
    split: str = ""
    yes: tuple[str, ...] = YES
    no: tuple[str, ...] = NO
    uncertain: tuple[str, ...] = UNCERTAIN
    blank: tuple[str, ...] = BLANK

    @model_validator(mode="after")
    def _consistent(self) -> "Description":
        told = [value.lower() for values in (self.yes, self.no, self.uncertain, self.blank) for value in values]
        twice = sorted({value for value in told if told.count(value) > 1})
        if twice:
            raise ValueError(f"the value {twice[0]!r} has two meanings")
        if self.separator and len(self.labels) > 1:
            raise ValueError("a separator goes with one column of labels, not with several")
        if self.separator and self.task == "exclusive":
            raise ValueError("several labels in one cell cannot be exclusive: say findings")
        return self

    def about(self) -> dict[str, str]:
        """Column of a record -> column of the table, those that there are."""
        names = ("patient", "study", "age", "sex", "view", "source", "split")
        return {name: column for name in names if (column := str(getattr(self, name)))}


def load(path: Path) -> Description:
    """Raises DatasetError where the file cannot be read, or says what no description says."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DatasetError(f"{path.name}: too large for a description of a data set. Choose the right file.")
        text = path.read_text(encoding="utf-8-sig")
        return Description.model_validate(tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text))
    except OSError as error:
        raise DatasetError(
            f"{path.name}: the description cannot be read ({error.strerror}). Check the path."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise DatasetError(f"{path.name}: {where}: {first['msg']}. Correct the description.") from error
    except ValueError as error:
        raise DatasetError(f"{path.name}: expected a description as JSON or TOML ({error}). Correct it.") from error


def content(description: Description) -> dict[str, Any]:
    """As it is written down; what nobody changed is left out."""
    told = {name: value for name, value in description.model_dump(mode="json").items() if value}
    usual = Description(file="x", labels=("x",)).model_dump(mode="json")
    return {name: value for name, value in told.items() if name == "task" or value != usual[name]}


def save(description: Description, path: Path) -> None:
    """Write it as JSON."""
    path.write_text(json.dumps(content(description), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
