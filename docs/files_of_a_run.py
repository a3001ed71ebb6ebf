"""``python -m docs.files_of_a_run`` writes docs/files-of-a-run.md from the models in ``cxr_core.runs.records``."""

from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cxr_core.runs import files, records
from cxr_core.runs.records import FORMAT, Record

OUT = Path(__file__).parent / "files-of-a-run.md"

HEAD = f"""# Files of a run

Made by `python -m docs.files_of_a_run` from the models in `cxr_core/runs/records.py`; a test holds the two together.

A run is a folder below the runs folder. Each of its files has one writer: whoever starts the run writes `{files.RUN}`,
`{files.SPLIT}` and the first `{files.STATUS}`; from then on the worker writes, and a page may put `{files.STOP}`,
`{files.NAME}` and `{files.OPERATING_POINT}` there. A JSON file is replaced in one step, so nobody reads half of it.
Each is read once and checked against its model: a field that is missing without a default, or of another type, makes
the file a damaged one, and the message names it and what to do. Fields that are not listed here are left alone.

`format` in `{files.RUN}` is {FORMAT}; a run without it is of the first format, which is read too. A run of a later
format than {FORMAT} is refused with the advice to update the software.
"""
RECORDS: tuple[tuple[str, type[Record]], ...] = (
    (files.RUN, records.RunInfo),
    ("Its imported, of a run that was not trained here", records.ImportedNote),
    (files.STATUS, records.Status),
    (files.LAUNCHED, records.LaunchNote),
    (files.PROGRESS, records.ProgressNote),
    (f"A line of {files.HISTORY}", records.Epoch),
    ("Its train and val", records.EpochFigures),
    (files.FOUND, records.FoundNote),
    (files.DECISION, records.DecisionRule),
    (files.OPERATING_POINT, records.OperatingPoint),
    (files.metrics("SPLIT"), records.Metrics),
    (f"{files.metrics('SPLIT')} of findings", records.FindingMetrics),
    (files.CONTROLS, records.ControlScores),
    ("Its scores", records.ControlScore),
    (f"{files.CONTROLS} of findings", records.FindingControlScores),
    ("Their scores", records.FindingControlScore),
    ("Each finding of them", records.ControlFinding),
    (files.LUNG_HEAT, records.LungHeatNote),
    ("Its shares", records.HeatShare),
    (files.LEFT_OUT, records.LeftOutNote),
    (f"{files.EXTERNAL}/NAME-DIGEST.json", records.ExternalNote),
    (f"{files.PROFILES}/NAME.json", records.ProfileNote),
    ("Its figures", records.FigureChange),
    ("Its halves", records.ProfileHalf),
    ("The rule that it was compared with", records.OwnRule),
    (files.VIEWINGS, records.ViewingsNote),
)
OTHERS = (
    (files.SPLIT, "a row per image: file, label, patient, source, split, digest of its content"),
    (files.predictions("SPLIT"), "a row per image of the split: its probabilities `p_CLASS` and the decision"),
    (files.UNREADABLE, "images that could not be read when the run was trained: file, reason"),
    (files.AUDIT, "the audit of the data set as this run splits it, as `audit --json` prints it"),
    (files.LEFT_OUT_TABLE, "what was decided on the images of each source by the training without it"),
    (files.WEIGHTS, "weights of the best validation epoch (safetensors: loading them runs no code)"),
    (files.LAST_WEIGHTS, "weights of the last epoch"),
    (files.PREFIX, "weights of the frozen part"),
    (files.EMBEDDING, "where the training images lie in the feature space: for similar cases and what is like them"),
    (f"{files.LAST}/", "the state that an unfinished training goes on from"),
    (files.LOG, "what the worker said"),
    (files.NAME, "the name that a person gave"),
    (files.STOP, "an empty file: please stop"),
    (files.WORKER_LOCK, "held by the worker as long as it lives"),
)


def page() -> str:
    """The page as the models are now."""
    parts = [HEAD, "## Records\n"]
    for title, record in RECORDS:
        called = f"`{title}`" if "." in title and " " not in title else title
        parts.append(f"### {called}\n\n{_what(record)}\n\n{_fields(record)}\n")
    listed = "\n".join(f"| `{name}` | {what} |" for name, what in OTHERS)
    parts.append(f"## Tables, weights and signs\n\n| file | what is in it |\n| --- | --- |\n{listed}\n")
    return "\n".join(parts)


def _what(record: type[Record]) -> str:
    first = (record.__doc__ or "").strip().split("\n\n")[0].replace("``", "`")
    text = " ".join(line.strip() for line in first.splitlines())
    _, colon, rest = text.partition(": ")
    said = rest if colon else text
    return said[0].upper() + said[1:]


def _fields(record: type[Record]) -> str:
    rows = ["| field | type | default | what it is |", "| --- | --- | --- | --- |"]
    for name, field in record.model_fields.items():
        default = "needed" if field.is_required() else f"`{_value(field.default)}`"
        kind = _kind(field.annotation)
        rows.append(f"| `{field.alias or name}` | {kind} | {default} | {field.description or ''} |")
    return "\n".join(rows)


def _value(default: Any) -> str:
    if isinstance(default, Record):
        return "{}"
    return {None: "null", "": '""'}.get(default, str(default)) if not isinstance(default, dict | list) else str(default)


def _kind(annotation: Any) -> str:
    """A type as JSON has it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0])
    if origin in (Union, UnionType):
        return " or ".join(_kind(part) for part in inner)
    if origin is Literal:
        return ", ".join(str(part) for part in inner)
    if origin is list:
        return f"list of {_kind(inner[0])}"
    if origin is dict:
        return "object" if inner[1] is Any else f"object of {_kind(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return "object"
    return {str: "text", int: "whole number", float: "number", bool: "true or false", NoneType: "null"}.get(
        annotation, "any"
    )


if __name__ == "__main__":
    OUT.write_text(page(), encoding="utf-8")
