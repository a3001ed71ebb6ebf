"""Controls on Evaluate in a real browser: started, watched, stopped, gone on with, and the bars at the end."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cxr_core.runs import controls
from cxr_core.runs.companions import CONTROLS, folder_of
from cxr_core.runs.run import Run
from tests.browser.conftest import Shot, Visit, seen
from tests.runs_support import train, wait_until

MINUTE = 60_000
# Long enough to be seen at work and stopped, in a network that takes a fraction of a second for an epoch.
EPOCHS = 200


@pytest.fixture(scope="module")
def run(tiny_dataset: Path, dashboard_home: Path) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", os.fspath(dashboard_home / "cache"))
        return train(tiny_dataset, dashboard_home / "runs", epochs=EPOCHS, image_size=32)


def _open(page: Page, visit: Visit, run: Run) -> None:
    visit(page, "Evaluate", run=run.id)
    seen(page.get_by_test_id("stMain").get_by_text("Controls", exact=True)).click()
    expect(page.get_by_role("heading", name="Controls")).to_be_visible(timeout=MINUTE)


def test_controls_are_started_stopped_gone_on_with_and_shown(page: Page, visit: Visit, shot: Shot, run: Run) -> None:
    _open(page, visit, run)
    page.get_by_role("button", name="Measure controls").click()
    expect(page.get_by_text("1 of 2: Without lungs")).to_be_visible(timeout=MINUTE)
    first = folder_of(run, CONTROLS, controls.MASKS[0])
    wait_until(lambda: len(first.history) >= 2, "the first control trained two epochs")
    # The page follows by itself.
    expect(page.get_by_test_id("stMain").get_by_role("progressbar").first).to_be_visible(timeout=MINUTE)
    shot(page, "controls-live")

    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Without lungs: stopped.")).to_be_visible(timeout=MINUTE)
    kept = first.history
    assert first.state == "stopped"
    assert 2 <= len(kept) < EPOCHS
    shot(page, "controls-stopped")

    page.get_by_role("button", name="Go on").click()
    wait_until(lambda: (run.path / CONTROLS.file).exists(), "both controls were measured", seconds=120)
    # Nobody reloads: the bars come by themselves.
    expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=MINUTE)
    found = controls.scores(run)
    assert found is not None
    assert {bar.kind for bar in found.bars} >= {"run", *controls.MASKS}
    chart = page.locator(".js-plotly-plot")
    expect(chart.locator("g.bars g.point path")).to_have_count(len(found.bars))
    expect(chart.locator("path.xerror")).to_have_count(len(found.bars))
    for bar in found.bars:
        expect(chart.get_by_text(bar.title, exact=True)).to_be_visible()
        expect(chart.get_by_text(bar.written, exact=True)).to_be_visible()
        expect(page.get_by_text(bar.meaning)).to_be_visible()
    expect(page.get_by_role("paragraph").filter(has_text=controls.verdict(found))).to_be_visible()
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    shot(page, "controls-done")


@pytest.mark.parametrize("look", ["dark", "narrow"], indirect=True)
def test_controls_stay(page: Page, visit: Visit, shot: Shot, run: Run, look: str) -> None:
    if controls.scores(run) is None:
        pytest.skip("the controls were not measured: the test before this one failed")
    _open(page, visit, run)
    expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=MINUTE)
    page.wait_for_timeout(300)
    shot(page, f"controls-{look}")
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 1
