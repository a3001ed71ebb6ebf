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
    # The policies of uncertain and blank labels are for findings, and their effect stands in counts before the start.
    page.get_by_text("Findings", exact=True).first.click()
    expect(seen(page.get_by_text("Uncertain"))).to_be_visible()
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
    expect(seen(page.get_by_text("Macro ROC AUC, validation"))).to_be_visible()
    shot(page, "findings-live")

    (run,) = list_runs(dashboard_home / "runs")
    metrics = run.metrics("test")
    assert metrics is not None
    missed = {name: table[1][0] for name, table in metrics["one_vs_rest"].items()}
    visit(page, "Evaluate", run=run.id)
    expect(seen(page.get_by_text("Macro ROC AUC"))).to_be_visible(timeout=MINUTE)
    shot(page, "findings-all")
    page.get_by_role("radio", name="One finding").click()
    settle(page)
    # A finding of which some are missed.
    name = max(missed, key=lambda finding: missed[finding])
    box = page.get_by_role("combobox", name="Finding", exact=True)
    box.fill(name)
    box.press("Enter")
    settle(page)
    if not missed[name]:
        page.get_by_role("radio", name="True positives").click()
        settle(page)
    shot(page, "findings-one")
    page.locator('[class*="st-key-case-"] button').first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Heat map", exact=True).click(timeout=MINUTE)
    expect(dialog.locator(f'img[alt*="heat map of {name}"]')).to_be_visible(timeout=MINUTE)
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
    expect(seen(page.get_by_text("Nearest training cases"))).to_be_visible(timeout=MINUTE)
    settle(page)
    shot(page, "findings-predict")
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
