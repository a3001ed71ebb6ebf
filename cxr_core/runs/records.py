"""What the JSON files of a run must hold at least, so that whoever reads them need not ask.

    fits(document, RunInfo)     # whether a document has these fields, of these types

A run is a folder that anyone can edit, and that another version may have written: fields that are not named here stay.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Number = float | None
Pair = Annotated[list[float], Field(min_length=2, max_length=2)] | None


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class RunInfo(_Shape):
    """``run.json``."""

    config: dict[str, Any]
    classes: Annotated[list[str], Field(min_length=1)]
    implied: dict[str, list[str]]
    data: str
    folder: str
    dataset_name: str = ""
    data_digest: str = ""
    created: str = ""
    counts: dict[str, dict[str, int]] = {}
    unreadable: int = 0
    warnings: list[str] = []
    mask: str = ""
    experiment: str = ""
    pixels: int = 0


class _PerClass(_Shape):
    precision: Number
    recall: Number
    f1: Number
    support: int
    roc_auc: Number = None
    average_precision: Number = None


class _Intervals(_Shape):
    accuracy: Pair = None
    balanced_accuracy: Pair = None
    macro_f1: Pair = None
    per_class: dict[str, dict[str, Pair]] = {}


class Metrics(_Shape):
    """``metrics_SPLIT.json``, and what is kept of an external data set."""

    split: str
    n: int
    classes: list[str]
    accuracy: float
    balanced_accuracy: Number
    macro_f1: float
    per_class: dict[str, _PerClass]
    confusion: list[list[int]]
    one_vs_rest: dict[str, list[list[int]]]
    ci: _Intervals | None = None
    calibration: dict[str, Number] | None = None
    thresholds: dict[str, float] = {}
    warnings: list[str]

    @model_validator(mode="after")
    def _classes_agree(self) -> "Metrics":
        count = len(self.classes)
        if set(self.per_class) != set(self.classes) or [len(row) for row in self.confusion] != [count] * count:
            raise ValueError("the figures are of other classes")
        if any([len(row) for row in table] != [2, 2] for table in self.one_vs_rest.values()):
            raise ValueError("expected tables of two by two")
        return self


class Epoch(_Shape):
    """A line of ``history.jsonl``. A loss that is no number may stand in it."""

    model_config = ConfigDict(allow_inf_nan=True)

    epoch: int
    best: bool
    seconds: float = 0
    images_per_second: Number = None
    lr: Number = None
    train: dict[str, Number] = {}
    val: dict[str, Number | dict[str, Number] | list[list[int]]] = {}


def fits(document: Any, shape: type[_Shape]) -> bool:
    """Whether a document has the fields of ``shape``."""
    try:
        shape.model_validate(document)
    except (ValidationError, RecursionError):
        return False
    return True
