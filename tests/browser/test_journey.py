"""One person's way through the dashboard: Quick start, the live curve, stop, resume, matrix, upload, prediction."""

import re
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

from cxr_core.runs.run import Run, list_runs
from tests.browser.conftest import Settle, Shot, Visit, seen

MINUTE = 60_000


def live(page: Page) -> Locator:
    return page.locator('[data-testid="stMain"]')


def wait_for_epochs(page: Page, run: Run, epochs: int) -> None:
    """Until ``epochs`` are on disk: what the page shows comes from there."""
    for _ in range(1200):
        if len(run.history) >= epochs:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{len(run.history)} epochs after two minutes, expected {epochs}; log:\n{run.log}")


def test_from_quick_start_to_a_prediction(
    page: Page, visit: Visit, settle: Settle, shot: Shot, dashboard_home: Path
) -> None:
    visit(page)
    expect(seen(page.get_by_text("not for clinical use"))).to_be_visible()
    page.get_by_role("button", name="Quick start").click()

    # The run appears by itself, and its curves move without a click.
    expect(live(page).get_by_role("button", name="Stop")).to_be_visible(timeout=2 * MINUTE)
    run = list_runs(dashboard_home / "runs")[0]
    wait_for_epochs(page, run, 1)
    expect(page.locator('[data-testid="stVegaLiteChart"]').first).to_be_visible(timeout=MINUTE)
    first = re.search(r"(\d+) done", live(page).inner_text())
    assert first is not None
    shot(page, "journey-1-live")
    wait_for_epochs(page, run, int(first[1]) + 1)
    expect(seen(live(page).get_by_text(re.compile(r"\d+ done")))).not_to_contain_text(
        f"; {first[1]} done", timeout=MINUTE
    )

    # Leaving the page does not disturb the training; the way back shows it.
    visit(page, "Runs")
    expect(seen(live(page).get_by_text(re.compile("Training$")))).to_be_visible(timeout=MINUTE)
    visit(page)
    live(page).get_by_role("button", name="Stop").click()
    expect(live(page).get_by_role("button", name="Resume")).to_be_visible(timeout=MINUTE)
    assert run.state == "stopped"
    kept = run.history
    shot(page, "journey-2-stopped")
    live(page).get_by_role("button", name="Resume").click()
    expect(live(page).get_by_role("link", name="Evaluate").first).to_be_visible(timeout=5 * MINUTE)
    for _ in range(1200):
        if run.state == "completed":
            break
        page.wait_for_timeout(100)
    assert run.state == "completed", run.log
    assert run.history[: len(kept)] == kept
    shot(page, "journey-3-completed")

    # The matrices of the test split, and what must be known beside them.
    visit(page, "Evaluate", run=run.id)
    metrics = run.metrics("test")
    assert metrics is not None
    right = sum(row[k] for k, row in enumerate(metrics["confusion"]))
    expect(seen(live(page).get_by_text(f"{right} of {metrics['n']} images"))).to_be_visible(timeout=MINUTE)
    expect(seen(live(page).get_by_text("What this score is worth"))).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=MINUTE)
    shot(page, "journey-4-evaluate")

    # Two uploads: one X-ray, one that is none. Each gets its answer.
    visit(page, "Predict", run=run.id)
    test_images = run.split.query("split == 'test'")
    image = Path(run.info.folder) / test_images["file"].iloc[0]
    uploads: list[FilePayload] = [
        {"name": "patient.png", "mimeType": "image/png", "buffer": image.read_bytes()},
        {"name": "notes.png", "mimeType": "image/png", "buffer": b"not an image"},
    ]
    page.locator('input[type="file"]').first.set_input_files(uploads)
    expect(seen(live(page).get_by_text("1 answered, 1 unreadable"))).to_be_visible(timeout=2 * MINUTE)
    settle(page)
    expect(live(page).locator('[data-testid="stAlert"]').filter(has_text="notes.png")).to_be_visible()
    live(page).get_by_role("button", name="Read one by one").click()
    predicted = run.predictions("test")
    decision = predicted.loc[predicted["file"] == test_images["file"].iloc[0], "decision"].iloc[0]
    found = live(page).get_by_role("heading", name=re.compile(f"^{decision}.* % probable$"))
    expect(found).to_be_visible(timeout=MINUTE)
    settle(page)
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    shot(page, "journey-5-predict")
