"""Tables as public sets ship them -> text columns under the names that a reader asks for.

    names(path)                                    # of the header, lower case; () where the file is no table
    read(path, ("Path", "Sex"), ("AP/PA",))        # DataFrame of text: the needed columns, and the optional ones

Commas, semicolons or tabs, plain or gzip, UTF-8, UTF-16 or Windows' own encoding. Blanks around names and values are
stripped, columns without a name passed over, names met in any case. Every value is text: nothing is taken for a number
or for missing. Only the columns asked for are kept, so a table of 250,000 rows with its reports opens in seconds.
"""

import codecs
import csv
import gzip
import io
import itertools
import stat
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pandas as pd
from pyarrow import ArrowInvalid  # type: ignore[import-untyped]
from pyarrow import csv as csv_of_arrow

from cxr_core import reach
from cxr_core.errors import DatasetError
from cxr_core.figures import counted
from cxr_core.paths import kind_of

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
MAX_BYTES = 4 * 2**30
_HEAD = 2**16
# Bytes parsed at once; no row, with its report, is longer.
_BLOCK = 2**23
_GZIP = b"\x1f\x8b"
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile)


def is_table(path: Path) -> bool:
    """Whether the name is one of a table with a header."""
    return path.name.lower().endswith(SUFFIXES)


def names(path: Path) -> tuple[str, ...]:
    """Names of the columns, lower case, those without one left out; () where the file has no header or is no text."""
    try:
        return tuple(name.lower() for name in _header(path)[0] if name)
    except (DatasetError, OSError, *_BROKEN, UnicodeError, csv.Error):
        return ()


def spelled(path: Path) -> tuple[str, ...]:
    """Names of the columns as they are spelled, those without one left out; DatasetError where there are none."""
    found = tuple(name for name in _header(path)[0] if name) if not trouble(path) else ()
    if not found:
        raise DatasetError(trouble(path) or f"{path.name}: expected the names of the columns in the first line.")
    return found


def trouble(path: Path) -> str:
    """Why a table has no names, "" where it has."""
    try:
        _header(path)
    except _BROKEN:
        return _cut(path)
    except (DatasetError, OSError, UnicodeError, csv.Error) as error:
        return str(error)
    return ""


def head(path: Path, rows: int) -> pd.DataFrame:
    """The first rows, all named columns, as text: to be looked at. Raises DatasetError where the file is no table."""
    columns = spelled(path)
    names_of, separator = _header(path)
    places = [place for place, name in enumerate(names_of) if name]
    try:
        with _opened(path, _encoding(path)) as file:
            read_rows = list(itertools.islice(csv.reader(file, delimiter=separator), rows + 1))[1:]
    except (OSError, UnicodeError, csv.Error, *_BROKEN) as error:
        raise DatasetError(f"{path.name}: the table cannot be read ({type(error).__name__}). Save it again.") from error
    cells = [[row[place].strip() if place < len(row) else "" for place in places] for row in read_rows]
    return pd.DataFrame(cells, columns=list(columns), dtype="str")


def lines(path: Path) -> list[str]:
    """The lines of a text file without a header, blank ones left out. Raises DatasetError where it cannot be read."""
    if said := wrong(path):
        raise DatasetError(said)
    try:
        with _opened(path, _encoding(path)) as file:
            return [line.strip() for line in file.read().splitlines() if line.strip()]
    except OSError as error:
        raise DatasetError(
            f"{path.name}: the file cannot be read ({error.strerror}). Check its permissions."
        ) from error
    except UnicodeError as error:
        raise DatasetError(f"{path.name}: expected text, got something else. Save it again as UTF-8.") from error


def read(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """The columns as text, named as asked; an optional one that is absent is empty. One row a row of the table.

    Raises DatasetError where the table cannot be read, lacks a needed column, has one of them twice, has no rows, or a
    row of another length than the header (a download that was cut).
    """
    if said := wrong(path):
        raise DatasetError(said)
    try:
        header, separator = _header(path)
        places = _places(path, header, needed, optional)
        frame = _parsed(path, header, separator, sorted(places.values()))
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise DatasetError(_cut(path)) from error
        raise DatasetError(f"{path.name}: the table cannot be read ({error.strerror}).") from error
    except (EOFError, zlib.error) as error:
        raise DatasetError(_cut(path)) from error
    if not len(frame):
        raise DatasetError(f"{path.name}: the table has no rows below its header. Expected one row for each image.")
    columns = {
        name: frame[places[name]].str.strip() if name in places else _empty(frame) for name in (*needed, *optional)
    }
    return pd.DataFrame(columns)


def _empty(frame: pd.DataFrame) -> pd.Series:
    return pd.Series("", index=frame.index, dtype="str")


def _cut(path: Path) -> str:
    return f"{path.name}: the compressed table ends too early or is damaged. Download it again."


def no_text(path: Path) -> str:
    """What is said of a table that is no text."""
    return f"{path.name}: expected text, got binary content. Save the table as 'CSV UTF-8'."


def wrong(path: Path, most: int = MAX_BYTES) -> str:
    """Why a file cannot be opened as a table of at most so many bytes, "" where it can."""
    if not reach.reachable(path):
        return f"{path.name} {reach.OUTSIDE}. Choose a table inside of it."
    try:
        about = path.stat()
    except OSError as error:
        return f"{path.name}: the table cannot be read ({error.strerror}). Check the path."
    if not stat.S_ISREG(about.st_mode):
        return f"{path.name}: expected a table, got {kind_of(about)}. Remove it, or save it again."
    if about.st_size > most:
        return f"{path.name}: {about.st_size / 2**20:,.0f} MiB, over the limit of {most // 2**20:,} MiB for a table."
    return ""


def _binary(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _encoding(path: Path) -> str:
    with _binary(path) as file:
        head = file.read(_HEAD)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _opened(path: Path, encoding: str) -> IO[str]:
    return io.TextIOWrapper(_binary(path), encoding=encoding, newline="")


def _header(path: Path) -> tuple[list[str], str]:
    """Names of the columns as they stand there, blanks around them stripped, "" for one without; and the separator."""
    if said := wrong(path):
        raise DatasetError(said)
    with _opened(path, _encoding(path)) as file:
        try:
            line = file.readline(_HEAD)
        except UnicodeError as error:
            raise DatasetError(f"{path.name}: expected text, got something else. Save the table as UTF-8.") from error
    if "\0" in line:
        raise DatasetError(no_text(path))
    if not line.strip():
        raise DatasetError(f"{path.name}: the table is empty. Expected the names of its columns in the first line.")
    separator = max(",;\t", key=line.count)
    found = [
        name.strip() for name in next(csv.reader([line.strip("\r\n")], delimiter=separator, skipinitialspace=True))
    ]
    return ["" if name.lower().startswith("unnamed:") else name for name in found], separator


def _places(path: Path, header: list[str], needed: Sequence[str], optional: Sequence[str]) -> dict[str, int]:
    lower = [name.lower() for name in header]
    missing = [name for name in needed if name.lower() not in lower]
    if missing:
        raise DatasetError(
            f"{path.name}: expected the columns {', '.join(needed)}, got {counted(len(header), 'column')} without "
            f"{', '.join(missing)}. Take the table as it was downloaded, or add the missing."
        )
    asked = {name.lower() for name in (*needed, *optional)}
    twice = sorted(name for name, count in Counter(lower).items() if count > 1 and name in asked)
    if twice:
        raise DatasetError(f"{path.name}: the column {twice[0]} stands twice. Keep one of them.")
    return {name: lower.index(name.lower()) for name in (*needed, *optional) if name.lower() in lower}


def _parsed(path: Path, header: list[str], separator: str, places: list[int]) -> pd.DataFrame:
    """The columns at these places, named by them. A row of another length is an error: pandas would fill or drop."""
    # Blank names at the end may have no values below them.
    named = max(place for place, name in enumerate(header) if name) + 1
    invalid: list[Any] = []
    for width in dict.fromkeys((len(header), named)):
        invalid = []
        for encoding in dict.fromkeys((_encoding(path), "cp1252")):
            try:
                found = _strict(path, width, separator, places, encoding, invalid)
            except UnicodeError:
                continue
            except ArrowInvalid as error:
                if "UTF8" in str(error):
                    continue
                raise DatasetError(
                    f"{path.name}: not a table all through ({str(error).strip()[:200]}). It was cut, or a quote is "
                    "never closed: download it again."
                ) from error
            if not invalid:
                return found
            break
        else:
            raise DatasetError(f"{path.name}: expected text in UTF-8, UTF-16 or Windows' encoding. Save it as UTF-8.")
    row = invalid[0]
    what = (
        "the table was cut, or saved with another separator: download it again"
        if row.actual_columns < row.expected_columns
        else "a value holds the separator without quotes around it: put them there, or download the table again"
    )
    raise DatasetError(
        f"{path.name}, row {row.number or 0:,}: expected {counted(len(header), 'value')} as the header has, got "
        f"{row.actual_columns:,} ({len(invalid):,} such {'row' if len(invalid) == 1 else 'rows'}): {what}."
    )


def _strict(
    path: Path, width: int, separator: str, places: list[int], encoding: str, invalid: list[Any]
) -> pd.DataFrame:
    """Rows of ``width`` values; others are appended to ``invalid``."""

    def refuse(row: Any) -> str:
        invalid.append(row)
        return "skip"

    names = [str(place) for place in range(width)]
    wanted = [names[place] for place in places]
    with _binary(path) as file:
        table = csv_of_arrow.read_csv(
            file,
            csv_of_arrow.ReadOptions(
                column_names=names,
                skip_rows=1,
                encoding="utf8" if encoding == "utf-8-sig" else encoding,
                use_threads=False,
                block_size=_BLOCK,
            ),
            csv_of_arrow.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=refuse),
            csv_of_arrow.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, "string"), strings_can_be_null=False
            ),
        )
    found = pd.DataFrame({place: table[names[place]].to_pandas().astype("str") for place in places})
    return found.reset_index(drop=True)
