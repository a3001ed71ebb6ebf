"""Numbers as text: one form each, and a figure that is not there is never written as one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_core.figures import compact, counted, interval, likely, number, of, percent, signed, spelled
from tests.test_layers import SOURCES

SHARES = st.floats(0, 1)
NUMBERS = st.floats(-1, 1)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (of(171, 220), "171 of 220"),
        (of(171, 1220), "171 of 1,220"),
        (counted(1, "image"), "1 image"),
        (counted(0, "image"), "0 images"),
        (counted(1200, "image"), "1,200 images"),
        (counted(2, "copy", "copies"), "2 copies"),
        (percent(57, 80), "71 %"),
        (percent(57, 80, 1), "71.2 %"),
        (percent(0.052, digits=1), "5.2 %"),
        (percent(0, 0), "–"),
        (number(0.7115, 2), "0.71"),
        (number(-0.24, 2), "−0.24"),
        (signed(0.024), "+0.024"),
        (signed(-0.024), "−0.024"),
        (interval((-0.34, 0.14), 2), "−0.34 to 0.14"),
        (spelled(-0.24, (-0.34, -0.14), 2), "−0.24 (−0.34 to −0.14)"),
        (spelled(0.712), "0.712"),
        (spelled(0.712, None, lacking="(no interval)"), "0.712 (no interval)"),
        (compact(0.712, [0.601, 0.811]), "0.712 (0.601–0.811)"),
        (compact(0.712, [0.601, 0.811], 2), "0.71 (0.60–0.81)"),
        (compact(0.712, None, 2), "0.71"),
        (compact(0.712, None, lacking="(no interval)"), "0.712 (no interval)"),
        (compact(None), "–"),
        (compact(None, [0.1, 0.2]), "–"),
    ],
)
def test_each_is_written_in_one_form(written: str, expected: str) -> None:
    assert written == expected


@given(NUMBERS, st.tuples(NUMBERS, NUMBERS), st.integers(1, 4))
def test_what_is_spelled_out_can_be_read_back(value: float, ends: tuple[float, float], digits: int) -> None:
    found = re.fullmatch(r"(\S+) \((\S+) to (\S+)\)", spelled(value, ends, digits))
    assert found
    for text, exact in zip(found.groups(), (value, *ends), strict=True):
        assert "-" not in text
        assert float(text.replace("−", "-")) == pytest.approx(exact, abs=0.5001 * 10**-digits)


@given(SHARES, st.tuples(SHARES, SHARES))
def test_a_table_says_the_same_as_a_sentence(value: float, ends: tuple[float, float]) -> None:
    assert compact(value, ends).replace("–", " to ") == spelled(value, ends)


def test_nobody_writes_them_anew() -> None:
    """A count with its denominator and an interval are written here alone, whatever they are of."""
    own = re.compile(r":,\} of \{[^}]*:,\}|\.\df\} (?:to|and) \{[^}]*\.\df\}|\.\df\}–\{")
    found = [
        f"{file.name}: {line.strip()}"
        for name, file in SOURCES.items()
        if name != "cxr_core.figures"
        for line in file.read_text(encoding="utf-8").splitlines()
        if own.search(line)
    ]
    assert not found


def test_no_probability_is_rounded_to_sure() -> None:
    assert [likely(value) for value in (1.0, 0.996, 0.99, 0.62, 0.01, 0.004, 0.0)] == [
        *("over 99 %", "over 99 %", "99 %", "62 %", "1 %", "under 1 %", "under 1 %"),
    ]
