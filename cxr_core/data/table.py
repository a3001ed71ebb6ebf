"""CSV tables that describe images: a data set's table (``file,label``) and ``sources.csv`` (``file,patient,source``).

A table is text in UTF-8 (with or without a byte order mark), separated by commas, its first line the column names.
Those of NIH ChestX-ray14's own table count as ours: Image Index is file, Finding Labels is label, and so on.
"""

import csv
import io
from pathlib import Path

from cxr_core.data.sets import tables
from cxr_core.errors import DatasetError
from cxr_core.figures import counted

MAX_BYTES = 256 * 2**20
COLUMNS = ("file", "label", "patient", "source", "split", "age")
NIH_COLUMNS = {
    "image index": "file",
    "finding labels": "label",
    "patient id": "patient",
    "patient age": "age",
}
Row = dict[str, str]


class EncodingError(DatasetError):
    """A table is no text in UTF-8."""


def read_header(path: Path) -> list[str]:
    """Column names of a table, lower case, NIH's as ours; [] where the file has none or is no text."""
    return _ours(_header(path))


def is_nih(path: Path) -> bool:
    """True for NIH's own table, or one that names its columns alike."""
    return "image index" in _header(path)


def _header(path: Path) -> list[str]:
    try:
        if not path.is_file():
            return []
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _lower(next(csv.reader([file.readline(65536).strip()]), []))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _lower(names: list[str]) -> list[str]:
    return [name.strip().lower() for name in names]


def _ours(names: list[str]) -> list[str]:
    """Column names with NIH's as ours, except where ours stands beside them."""
    return [name if NIH_COLUMNS.get(name) in names else NIH_COLUMNS.get(name, name) for name in names]


def read(path: Path, required: tuple[str, ...]) -> list[tuple[int, Row]]:
    """Rows as (line number, {column: text}), the columns in ``COLUMNS`` only, absent ones "", spaces stripped.

    Raises DatasetError where the file cannot be read, lacks a column of ``required``, holds no row, or has a row of
    another length than the header.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    rows: list[tuple[int, Row]] = []
    try:
        names = _ours(_lower(next(reader, [])))
        _check_names(path, names, required)
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(names):
                raise DatasetError(
                    f"{path.name}, line {reader.line_num}: expected {len(names)} values, got {len(values)}. "
                    "Put quotes around a value that holds a comma."
                )
            given = dict(zip(names, (value.strip() for value in values), strict=True))
            rows.append((reader.line_num, {column: given.get(column, "") for column in COLUMNS}))
    except csv.Error as error:
        raise DatasetError(f"{path.name}, line {reader.line_num}: not a CSV table ({error}). Save it again.") from error
    if not rows:
        raise DatasetError(f"{path.name}: the table has no rows below its header. Expected one row for each image.")
    for line, row in rows:
        if not row["file"]:
            raise DatasetError(f"{path.name}, line {line}: the column file is empty. Name the image of that row.")
    return rows


def _text(path: Path) -> str:
    if said := tables.wrong(path, MAX_BYTES):
        raise DatasetError(said)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path.name}: the table cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise EncodingError(f"{path.name}: expected text in UTF-8. Save the table as 'CSV UTF-8'.") from error
    if "\0" in text:
        raise DatasetError(tables.no_text(path))
    return text


def _check_names(path: Path, names: list[str], required: tuple[str, ...]) -> None:
    missing = [column for column in required if column not in names]
    if not missing:
        repeated = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
        if repeated:
            raise DatasetError(f"{path.name}: the column {repeated[0]} stands twice. Keep one of them.")
        return
    if names and names[0].startswith(("sep=", "#", "//")):
        raise DatasetError(
            f"{path.name}: expected the names of the columns in the first line, got a comment or a line for a "
            "spreadsheet (sep=). Remove what stands above the names."
        )
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise DatasetError(
            f"{path.name}: expected columns separated by commas, got semicolons or tabs. Save the table with commas."
        )
    # Any file can be named here: what stands in one that is no table is nobody's to read.
    known = [name for name in names if name in COLUMNS]
    count = counted(len(names), "column")
    got = f"{count} ({', '.join(known) or 'none of these'})" if names else "an empty file"
    raise DatasetError(
        f"{path.name}: expected the columns {', '.join(required)}, got {got}. Add the missing: {', '.join(missing)}."
    )
