"""Findings in Chromium: trained from the page, from a false negative to its heat map, subgroups, an answer."""

from pathlib import Path

from playwright.sync_api import Page, expect

from cxr_core.runs.run import list_runs
from tests.browser.conftest import Settle, Shot, Visit, seen

MINUTE = 60_000


def test_from_training_to_an_answer(
    page: Page, findings_dataset: Path, dashboard_home: Path, visit: Visit, settle: Settle, shot: Shot
) -> None:
    visit(page, "Train", data=str(findings_dataset))
    page.get_by_role("combobox", name="Preset").click()
    page.get_by_role("option", name="Quick look").click()
    settle(page)
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("2")
    epochs.press("Enter")
    size = page.get_by_role("spinbutton", name="Image size")
    size.fill("64")
    size.press("Enter")
    settle(page)
    shot(page, "findings-train")
    page.get_by_role("button", name="Start training").click()
    expect(seen(page.get_by_text("Completed"))).to_be_visible(timeout=3 * MINUTE)
    expect(seen(page.get_by_text("Macro ROC AUC, validation"))).to_be_visible(timeout=MINUTE)
    shot(page, "findings-live")

    (run,) = list_runs(dashboard_home / "runs")
    metrics = run.metrics("test")
    assert metrics is not None
    # The finding that is shown first, and the first of its cells that has images.
    name = metrics["classes"][0]
    (_, fp), (fn, _) = metrics["one_vs_rest"][name]
    cell = "False negatives" if fn else "False positives" if fp else "True negatives"
    visit(page, "Evaluate", run=run.id)
    expect(seen(page.get_by_text("Macro ROC AUC"))).to_be_visible(timeout=MINUTE)
    shot(page, "findings-all")
    page.get_by_role("radio", name="One finding").click()
    settle(page)
    page.get_by_role("radio", name=cell).click()
    expect(seen(page.get_by_text(f"{cell}: {name}"))).to_be_visible(timeout=MINUTE)
    settle(page)
    shot(page, "findings-one")
    page.locator('[class*="st-key-case-"] button').first.click()
    dialog = page.get_by_role("dialog")
    # As soon as it is there: the rest of the page is still being drawn.
    dialog.get_by_text("Heat map", exact=True).click(timeout=MINUTE)
    expect(dialog.get_by_text(f"Heat map of {name}")).to_be_visible(timeout=MINUTE)
    settle(page)
    shot(page, "findings-heat-map")
    dialog.get_by_role("button", name="Close").click()

    page.get_by_role("radio", name="Subgroups").click()
    settle(page)
    expect(seen(page.get_by_text("Too few to say"))).to_be_visible(timeout=MINUTE)
    shot(page, "findings-subgroups")

    visit(page, "Predict", run=run.id)
    picture = run.picture(run.split["file"].iloc[0])
    page.locator('input[type="file"]').first.set_input_files(picture)
    page.get_by_text("Similar training cases").click(timeout=MINUTE)
    expect(seen(page.get_by_text("Nearest training cases"))).to_be_visible(timeout=MINUTE)
    settle(page)
    shot(page, "findings-predict")
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
