"""A browser is known again by its name, however often it opens or reloads the page."""

from pathlib import Path

import pytest
import streamlit as st

from cxr_core.runs import viewings
from cxr_core.runs.run import Run
from cxr_core.server.browser import COOKIE
from tests.pages.support import open_page, texts, tiny_dataset, tiny_run


@pytest.fixture
def run(isolated: Path) -> Run:
    return tiny_run(isolated / "runs", tiny_dataset(isolated / "tiny"), "completed")


def visit(run: Run) -> None:
    """A new session opens the page, and it is drawn three times."""
    at = open_page("pages/5_Evaluate.py", run=run.id)
    for _ in range(2):
        at.run()
    assert not at.exception
    assert viewings.sentence(run) in texts(at)


def test_a_browser_with_a_name_counts_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in (("a", 1), ("a", 1), ("b", 2), ("a", 2)):
        with monkeypatch.context() as patch:
            patch.setattr(type(st.context), "cookies", {COOKIE: name, "another": "cookie"})
            visit(run)
        assert viewings.count(run) == count


def test_without_a_name_each_session_counts_once(run: Run) -> None:
    for count in (1, 2):
        visit(run)
        assert viewings.count(run) == count
