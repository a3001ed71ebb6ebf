"""No cell of a CSV begins a formula, nothing of a table is lost on the way, and there is no other writer."""

import ast
import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cxr_core.sheets import FORMULA, defused, plain, read, safe, written
from tests import ROOT

# What a file system, a CSV and this software's files can hold: no NUL, no half of a character.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
SHARP = st.text(st.sampled_from("=+-@\t\r\n';,\"a \uff1d0"), max_size=8)


@given(TEXTS | SHARP)
@example("'=1")
@example("''\t'=")
def test_a_text_comes_back_and_begins_no_formula(text: str) -> None:
    assert plain(safe(text)) == text
    for separators in ("", ";", "\t", "\r", "\n"):
        # What a spreadsheet that splits there takes for a cell, with an independent splitter.
        parts = [safe(text)]
        for sign in separators:
            parts = [part for whole in parts for part in whole.split(sign)]
        assert not any(part.startswith(("=", "+", "-", "@")) for part in parts), parts
    assert not safe(text).startswith(FORMULA)


@given(st.lists(st.tuples(TEXTS | SHARP, TEXTS | SHARP, st.floats(allow_nan=False), st.integers(-9, 9)), max_size=4))
def test_a_table_comes_back_to_the_last_bit(rows: list[tuple[str, str, float, int]]) -> None:
    titles = ["file", "=label", "p_@x", "n"]
    table = pd.DataFrame(rows, columns=titles).astype({"file": str, "=label": str, "p_@x": float, "n": int})
    text = written(table)
    again = read(io.StringIO(text, newline=""), text=("file", "=label"))
    assert list(again.columns) == titles
    for place, name in enumerate(titles):
        assert [row[place] for row in rows] == again[name].tolist()
    # By the standard library's reader: numbers are no texts, and no text is a formula.
    header, *cells = csv.reader(io.StringIO(text, newline=""))
    assert header == ["file", "'=label", "p_@x", "n"]
    for row, (file, label, value, count) in zip(cells, rows, strict=True):
        assert (float(row[2]), int(row[3])) == (value, count)
        assert (plain(row[0]), plain(row[1])) == (file, label)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row[:2])


def test_numbers_stay_numbers_and_gaps_stay_gaps() -> None:
    table = pd.DataFrame({"value": [-0.25, np.nan], "count": [-3, 4], "text": ["-0.25", None], "mixed": [-1, "-1"]})
    assert written(table) == "value,count,text,mixed\n-0.25,-3,'-0.25,-1\n,4,,'-1\n"
    assert defused(table)["value"].dtype == float
    assert defused(table)["count"].tolist() == [-3, 4]


def test_index_titles_and_categories_are_defused_too() -> None:
    table = pd.DataFrame({"+a": pd.Categorical(["=x", "y"])}, index=pd.Index(["-s", "t"], name="source"))
    assert written(table, index=True) == "source,'+a\n'-s,'=x\nt,y\n"
    assert defused(table).index.name == "source"
    assert written(pd.DataFrame({"a": [1]})) == "a\n1\n"
    assert written(pd.DataFrame(columns=["a", "b"])) == "a,b\n"


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a;=1+1"])
def test_a_name_that_would_be_a_formula_is_not_one(name: str) -> None:
    assert "'" in safe(name)
    assert safe("a=1") == "a=1"
    assert safe("it's") == "it's"


def test_nothing_else_writes_a_csv() -> None:
    """Whoever needs a table on disk or for download goes through ``written``."""
    others = []
    for file in [*ROOT.glob("cxr_core/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "dashboard.py"]:
        calls = [node.func for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
        found = {ast.unparse(call) for call in calls if isinstance(call, ast.Attribute)}
        found = {name for name in found if name.endswith(".to_csv") or name in ("csv.writer", "csv.DictWriter")}
        # The audit's key is a digest's input, which nobody reads.
        if found and file.name not in ("sheets.py", "auditing.py"):
            others.append(f"{file.relative_to(ROOT)}: {sorted(found)}")
    assert not others, f"use cxr_core.sheets.written: {others}"


def test_tables_of_a_page_are_drawn_defused() -> None:
    """The toolbar of a table copies and downloads what the table holds, so what it holds must be harmless."""
    bare = [
        str(file.relative_to(ROOT))
        for file in [*ROOT.glob("cxr_core/ui/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "dashboard.py"]
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("dataframe", "table", "data_editor")
        and file.name != "sheet.py"
    ]
    assert not bare, f"draw with cxr_core.ui.sheet.sheet instead: {bare}"
