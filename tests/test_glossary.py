"""The glossary: a term's meaning, several together, and none that is not there."""

import re

import pytest

from cxr_core.glossary import meaning
from tests import ROOT


def test_terms_are_told_apart() -> None:
    assert meaning("threshold") == "The probability from which on a label is called."
    assert meaning("threshold", "split").startswith("**Threshold**: The probability")
    with pytest.raises(KeyError):
        meaning("magic")


def test_every_term_that_a_page_asks_for_is_there() -> None:
    files = [*ROOT.glob("pages/*.py"), *ROOT.glob("cxr_core/ui/**/*.py")]
    calls = [found for file in files for found in re.findall(r"\bmeaning\(([^)]*)\)", file.read_text(encoding="utf-8"))]
    terms = [term for call in calls for term in re.findall(r'"([^"]+)"', call)]
    assert terms
    assert all(meaning(term) for term in terms)
