"""An answer in Chromium: seen without scrolling on a laptop and on a phone, and reached from Home by keys alone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from cxr_core.runs.run import Run
from tests.browser.conftest import LOOKS, Settle, Shot, Visit
from tests.runs_support import copy_of

MINUTE = 60_000
LAPTOP: dict[str, Any] = {"color_scheme": "light", "viewport": {"width": 1366, "height": 768}}


@pytest.fixture(scope="module")
def answering(completed_run: Run, dashboard_home: Path) -> Run:
    """A run of the server under test."""
    return copy_of(completed_run, dashboard_home)


@pytest.fixture
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(LOOKS, "laptop", LAPTOP)
    return str(getattr(request, "param", "laptop"))


@pytest.mark.parametrize("look", ["laptop", "narrow"], indirect=True)
def test_headline_and_picture_are_seen_without_scrolling(
    page: Page, visit: Visit, settle: Settle, shot: Shot, answering: Run, tiny_dataset: Path, look: str
) -> None:
    visit(page, "Predict", run=answering.id)
    content = min(tiny_dataset.glob("test/PNEUMONIA/*.png")).read_bytes()
    files: list[FilePayload] = [{"name": "a.png", "mimeType": "image/png", "buffer": content}]
    page.locator('input[type="file"]').first.set_input_files(files)
    stage = page.locator(".panes")
    expect(stage).to_be_visible(timeout=MINUTE)
    settle(page)
    assert page.viewport_size
    for part in (page.locator(".st-key-answer-headline h3"), stage):
        box = part.bounding_box()
        assert box
        assert 0 <= box["y"] < box["y"] + box["height"] <= page.viewport_size["height"]
        assert 0 <= box["x"] < box["x"] + box["width"] <= page.viewport_size["width"]
    box = stage.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 240
    shot(page, f"answer-{look}")


def test_from_home_to_an_answer_by_keys_alone(
    page: Page, visit: Visit, settle: Settle, shot: Shot, answering: Run
) -> None:
    visit(page)
    shot(page, "home-drop")
    for _ in range(60):
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement.innerText") or ""
        if at.strip().endswith("PNEUMONIA"):
            break
    else:
        raise AssertionError("the sample was not reached by Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-answer-headline h3")).to_be_visible(timeout=MINUTE)
    settle(page)
    assert f"run={answering.id}" in page.url
