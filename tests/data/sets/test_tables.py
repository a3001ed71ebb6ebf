"""Tables as they are saved by different programs, and files that are none."""

from pathlib import Path

import pytest

from cxr_core.data.sets import tables
from cxr_core.errors import DatasetError
from tests.data.sets.standins import rewrite


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv"])
def test_tables_in_every_dress(tmp_path: Path, separator: str, encoding: str, ending: str) -> None:
    path = tmp_path / f"t{ending}"
    rows = [["", "File ", " Place", "other", ""], ["0", " a.png", "Köln ", "x", ""], ["1", "b.png", "", "NA", ""]]
    rewrite(path, "\r\n".join(separator.join(row) for row in rows), encoding)
    assert tables.names(path) == ("file", "place", "other")
    found = tables.read(path, ("file", "PLACE"), ("other", "absent"))
    assert found.to_dict("list") == {
        "file": ["a.png", "b.png"],
        "PLACE": ["Köln", ""],
        "other": ["x", "NA"],
        "absent": ["", ""],
    }


def test_a_letter_of_windows_far_below(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"file,place\n" + b"a,b\n" * 40_000 + "a,Köln\n".encode("cp1252"))
    assert tables.read(path, ("place",))["place"].iloc[-1] == "Köln"


@pytest.mark.parametrize("content", [b"", b"\n", b"\x00\x01\x02" * 50])
def test_what_is_no_table(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert tables.names(path) == ()
    with pytest.raises(DatasetError):
        tables.read(path, ("file",))


def test_a_row_with_a_value_too_many(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("file,label\na.png,x\nb.png,y,z\n")
    with pytest.raises(DatasetError, match="a value holds the separator without quotes"):
        tables.read(path, ("file", "label"))
    path.write_text("file,label\na.png,x,1\nb.png,y,z\n")
    with pytest.raises(DatasetError, match="a value holds the separator without quotes"):
        tables.read(path, ("file", "label"))
