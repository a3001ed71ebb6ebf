"""An external data set in a real browser: chosen, evaluated, beside the test; a reload is no second viewing."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cxr_core import demo
from cxr_core.runs import viewings
from cxr_core.runs.run import Run
from tests.browser.conftest import Shot, Visit, seen
from tests.runs_support import train


@pytest.fixture(scope="module")
def run(dashboard_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small run, trained in the folders of the server under test."""
    root = demo.draw(tmp_path_factory.mktemp("own") / "hospital a", images=60, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", os.fspath(dashboard_home / "cache"))
        return train(root, dashboard_home / "runs")


def _section(page: Page, name: str) -> None:
    seen(page.get_by_test_id("stMain").get_by_text(name, exact=True)).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=20_000)


@pytest.mark.parametrize("look", ["light", "narrow"], indirect=True)
def test_internal_beside_external(
    page: Page, visit: Visit, shot: Shot, run: Run, look: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = viewings.count(run)
    visit(page, "Evaluate", run=run.id)
    expect(page.get_by_text("Internal test", exact=True)).to_be_visible()
    for _ in range(2):
        page.reload()
        expect(page.get_by_text("Internal test", exact=True)).to_be_visible()
        expect(page.get_by_text("Test results viewed")).to_be_visible()
    assert viewings.count(run) == before + 1

    other = demo.draw(tmp_path_factory.mktemp(look) / f"hospital {look}", images=40, seed=len(look))
    _section(page, "Sources")
    expect(page.get_by_text("Macro F1 is over the classes of that source")).to_be_visible()
    shot(page, f"sources-{look}")
    _section(page, "External test")
    box = page.get_by_role("combobox", name="External data set")
    box.fill(str(other))
    box.press("Enter")
    page.get_by_role("button", name="Evaluate on it").click()
    expect(page.get_by_text("its figures are kept with the run")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(f"External: hospital {look}")).to_be_visible()
    shot(page, f"external-{look}")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
