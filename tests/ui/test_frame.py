"""Texts of the frame: durations as a person says them, names from files as plain text."""

import re

import pytest

from cxr_core.figures import of
from cxr_core.ui.frame import duration, escaped


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (45.4, "45 s"), (100, "2 min"), (3600, "60 min"), (7800, "2 h 10 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_of_groups_thousands() -> None:
    assert of(171, 1220) == "171 of 1,220"


@pytest.mark.parametrize("text", ["www.x.org", "see HTTPS://x.org/a?b", "http://x", "mailto:a@b.org", "a.b+c@d.org"])
def test_addresses_are_no_links(text: str) -> None:
    # What Streamlit's Markdown makes a link of, tried on the text that is left when backslashes are read.
    shown = escaped(text).replace("\\", "")
    assert not re.search(r"https?://|www\.|[\w.+-]@\w", shown, re.IGNORECASE)
    assert shown.replace("\u2060", "") == text


def test_escaped_leaves_no_sign_that_markdown_reads() -> None:
    assert escaped("a*b_c :red[x] $y$ <i>") == "a\\*b\\_c \\:red\\[x\\] \\$y\\$ \\<i\\>"
