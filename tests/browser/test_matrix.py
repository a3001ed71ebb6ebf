"""From a cell of the confusion matrix to a heat map, in Chromium, with ResNet18; how long that takes is printed."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from cxr_core.runs.run import Run
from tests.browser.conftest import Settle, Shot, Visit
from tests.runs_support import train

MINUTE = 60_000


@pytest.fixture(scope="module")
def resnet_run(tiny_dataset: Path, dashboard_home: Path) -> Run:
    """A head on ResNet18 with random weights, one epoch, at the size that people use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", str(dashboard_home / "cache"))
        config = {"backbone": "resnet18", "weights": "none", "image_size": 224, "hidden": (16,), "epochs": 1}
        return train(tiny_dataset, dashboard_home / "runs", labels="single", **config)


def click_cell(page: Page, true: int, predicted: int, classes: int) -> None:
    """Click the middle of a cell of the first matrix on the page."""
    area = page.locator(".js-plotly-plot .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    x = box["x"] + box["width"] * (predicted + 0.5) / classes
    y = box["y"] + box["height"] * (true + 0.5) / classes
    page.mouse.move(x, y)
    page.wait_for_timeout(150)
    page.mouse.click(x, y)


def way_to_heat_map(page: Page, run: Run, cell: tuple[int, int]) -> tuple[Locator, float]:
    """The dialog, and the seconds from the click on the cell to the heat map."""
    true, predicted = (run.classes[k] for k in cell)
    begun = time.perf_counter()
    click_cell(page, *cell, classes=len(run.classes))
    expect(page.get_by_text(f"True {true}, predicted {predicted} ·")).to_be_visible(timeout=MINUTE)
    page.locator('[class*="st-key-case-"] button').first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Heat map", exact=True).click(timeout=MINUTE)
    expect(dialog.get_by_text("Heat map of")).to_be_visible(timeout=MINUTE)
    return dialog, time.perf_counter() - begun


def test_a_click_on_a_cell_leads_to_a_heat_map(
    page: Page, resnet_run: Run, visit: Visit, settle: Settle, shot: Shot
) -> None:
    run = resnet_run
    metrics = run.metrics("test")
    assert metrics is not None
    cells = [(i, j) for i, row in enumerate(metrics["confusion"]) for j, count in enumerate(row) if count]
    # Not the cell that is open from the start.
    wrong = {(i, j): metrics["confusion"][i][j] for i, j in cells if i != j}
    cells = [cell for cell in cells if cell != max(wrong, key=lambda cell: wrong[cell], default=None)]

    visit(page, "Evaluate", run=run.id)
    expect(page.locator(".js-plotly-plot .nsewdrag").first).to_be_visible(timeout=MINUTE)
    dialog, cold = way_to_heat_map(page, run, cells[0])
    expect(dialog.get_by_text("not that the score is right")).to_be_visible()
    expect(dialog.get_by_text("Nearest training cases")).to_be_visible(timeout=MINUTE)
    expect(dialog.get_by_text("Among the nearest")).to_be_visible(timeout=MINUTE)
    settle(page)
    shot(page, "matrix-heat-map")

    dialog.get_by_role("button", name="Label looks wrong").click()
    expect(dialog.get_by_text("Marked label looks wrong")).to_be_visible(timeout=MINUTE)
    settle(page)
    # Not by Escape: the button that was pressed is gone, and with it, for a moment, the dialog's hold of the keyboard.
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0, timeout=MINUTE)
    expect(page.locator('[class*="st-key-tiles-cases"]').get_by_text("label looks wrong")).to_be_visible(timeout=MINUTE)

    # The network stays loaded: another visit, the same cell.
    visit(page, "Evaluate", run=run.id)
    expect(page.locator(".js-plotly-plot .nsewdrag").first).to_be_visible(timeout=MINUTE)
    settle(page)
    _, warm = way_to_heat_map(page, run, cells[0])
    print(f"\nfrom the click on a cell to the heat map, ResNet18 at 224 px: {warm:.2f} s; the first time {cold:.2f} s")
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
