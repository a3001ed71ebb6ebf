"""Tables as CSV: the one writer of every file that a person may open in a spreadsheet, and its reader.

    write_atomic(path, written(table))
    table = read(path, text=("file", "label"))        # the same values back
    defused(table)                                    # for a table that a page draws: its toolbar copies what it shows

A spreadsheet runs a cell as a formula that begins with one of ``FORMULA``, and names of files, classes and patients
come from outside. So a text with such a sign where a cell may begin gets an apostrophe before it (OWASP, "CSV
Injection"): at its own beginning, and behind a semicolon, tab or line break, at which a spreadsheet of another language
splits. Texts that already have apostrophes there get one more, so that nothing is lost: ``plain(safe(text)) == text``.
Numbers stay numbers.
"""

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import pandas as pd

# The last four are the wide forms, which a Japanese spreadsheet takes for the plain ones.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_SIGNS = "".join(map(re.escape, FORMULA))
_BEGIN = r"(?:\A|(?<=[;\t\r\n]))"
_LIVE = re.compile(f"{_BEGIN}(?='*[{_SIGNS}])")
_DEFUSED = re.compile(f"{_BEGIN}'(?='*[{_SIGNS}])")


def safe(text: str) -> str:
    """``text``, with an apostrophe wherever a spreadsheet would begin a formula."""
    return _LIVE.sub("'", text)


def plain(cell: str) -> str:
    """What :func:`safe` made ``cell`` of."""
    # Few have one, and a table may have a million cells.
    return _DEFUSED.sub("", cell) if "'" in cell else cell


def defused(table: pd.DataFrame) -> pd.DataFrame:
    """A copy of which every text is safe: cells, titles of the columns, and the index."""
    return _each(table, safe)


def written(table: pd.DataFrame, index: bool = False) -> str:
    """The table as CSV, its texts defused. Floats are written in full, so that they come back the same."""
    sheet = defused(table)
    text = str(sheet.to_csv(index=index, lineterminator="\n"))
    # A lone carriage return is not quoted, and would end its row for a reader.
    return str(sheet.to_csv(index=index, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)) if "\r" in text else text


def read(source: Path | IO[str], text: Iterable[str] | None = None) -> pd.DataFrame:
    """A table that :func:`written` wrote. ``text``: the columns that stay texts whatever they look like; None: all.

    An empty cell of these is "", and NaN of a column of numbers. Raises OSError and ValueError where there is no such
    table.
    """
    texts = None if text is None else list(map(safe, text))
    kinds: Any = str if texts is None else dict.fromkeys(texts, str)
    table = pd.read_csv(source, dtype=kinds, keep_default_na=False)
    for name in [] if texts is None else table.columns.difference(texts, sort=False):
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = _numbers(table[name])
    return _each(table, plain)


def _numbers(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The column with its empty cells as NaN, where all others are numbers."""
    try:
        return pd.to_numeric(column.mask(column == ""))
    except ValueError:
        return column


def _each(table: pd.DataFrame, change: Any) -> pd.DataFrame:
    changed = table.copy()
    for place in range(table.shape[1]):
        column = table.iloc[:, place]
        if not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column):
            cells = [_cell(value, change) for value in column]
            changed.isetitem(place, pd.Series(cells, index=table.index, dtype=_kind(column)))
    changed.columns = table.columns.map(lambda name: _cell(name, change)) if table.shape[1] else table.columns
    changed.columns.names = table.columns.names
    if not isinstance(table.index, pd.RangeIndex | pd.DatetimeIndex) and len(table.index):
        changed.index = table.index.map(lambda name: _cell(name, change))
        changed.index.names = table.index.names
    return changed


def _kind(column: "pd.Series[Any]") -> Any:
    # A category that becomes another text is none of the column's categories.
    return object if isinstance(column.dtype, pd.CategoricalDtype) else column.dtype


def _cell(value: Any, change: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_cell(part, change) for part in value)
    return change(value) if isinstance(value, str) else value
