"""What only a browser shows: names from files that look like addresses, the way back, and a scan that is stopped."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from cxr_core.runs.run import Run
from tests.browser.conftest import Settle, Shot, Visit, seen
from tests.pages.support import tiny_dataset, tiny_run

PAGES = ("", "Dataset", "Train", "Runs", "Evaluate", "Predict", "Audit")
SECTIONS = ("Matrix", "Classes", "Sources", "Operating point", "Calibration", "Epochs", "Compare", "Controls")
# Every form of which some reader of Markdown makes a link.
CLASSES = {
    "COVID19": "www.evil.example.org",
    "NORMAL": "http-- a@evil.example.org",
    "PNEUMONIA": "[x](evil.example.org) mailto-b@evil.example.org",
}


@pytest.fixture(scope="module")
def hostile(dashboard_home: Path) -> Path:
    """A data set whose classes, files, patients and own name look like addresses."""
    root = tiny_dataset(dashboard_home / "www.evil.example.org set@evil.example.org")
    rows = ["file,patient,source"]
    for name, other in CLASSES.items():
        (root / name).rename(root / other)
        for k, file in enumerate(sorted((root / other).iterdir())):
            named = file.rename(file.with_name(f"www.evil.example.org-{k} c@evil.example.org.png"))
            rows.append(f"{other}/{named.name},https://evil.example.org/p{k},https://evil.example.org/{k % 2}")
        (root / other / "https www.evil.example.org.png").write_text("no image", encoding="utf-8")
    (root / "sources.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    # A copy, so that the audit has a finding with files.
    first = next(iter(sorted((root / CLASSES["COVID19"]).glob("www*"))))
    shutil.copy(first, root / CLASSES["NORMAL"] / "d@evil.example.org.png")
    return root


@pytest.fixture(scope="module")
def runs(hostile: Path, dashboard_home: Path) -> list[Run]:
    made = [tiny_run(dashboard_home / "runs", hostile, "completed", train_anyway=True) for _ in range(2)]
    made[0].rename("https://evil.example.org/run e@evil.example.org")
    failed = tiny_run(dashboard_home / "runs", hostile, "failed", train_anyway=True)
    return [*made, failed]


def outward(page: Page) -> list[str]:
    """Addresses of the links on the page that lead elsewhere, those of charts (SVG) too."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('a')].map(a => a.href?.baseVal ?? a.href ?? a.getAttribute('xlink:href') ?? '')"
        ".filter(href => href && new URL(href, location.href).host !== location.host)"
    )
    return found


def test_no_name_becomes_a_link(page: Page, visit: Visit, shot: Shot, hostile: Path, runs: list[Run]) -> None:
    visit(page, "Dataset", data=str(hostile))
    assert page.get_by_text("evil.example.org").count() > 10
    seen = {"Dataset": outward(page)}
    for name in PAGES:
        visit(page, name)
        seen[name] = outward(page)
    for section in SECTIONS:
        visit(page, "Evaluate", run=runs[0].id, section=section)
        seen[section] = outward(page)
    for other in (runs[2].id, "www.evil.example.org", "f@evil.example.org"):
        for name in ("Train", "Runs", "Evaluate"):
            visit(page, name, run=other)
            seen[f"{name} {other}"] = outward(page)
    visit(page, "Dataset", data="/www.evil.example.org/g@evil.example.org https://evil.example.org")
    seen["error"] = outward(page)
    shot(page, "hostile-path")
    assert {place: links for place, links in seen.items() if links} == {}


def test_one_press_of_back_leaves_a_page(page: Page, visit: Visit, settle: Settle, runs: list[Run]) -> None:
    visit(page)
    page.locator('[data-testid="stSidebarNavLink"]').filter(has_text="Evaluate").click()
    page.wait_for_url(re.compile(r"/Evaluate\?.*run="))
    settle(page)
    page.get_by_role("radio", name="Calibration").or_(page.get_by_role("button", name="Calibration")).first.click()
    page.wait_for_url(re.compile(r"section=Calibration"))
    settle(page)
    # A reload leads to the same section of the same run.
    address = page.url
    page.reload()
    settle(page)
    assert page.url == address
    page.get_by_role("heading", name="Calibration").wait_for()
    page.go_back()
    page.wait_for_url(lambda url: "Evaluate" not in url)
    settle(page)
    page.get_by_role("heading", name="Chest X-ray classification").wait_for()


def test_a_scan_can_be_stopped_from_the_page(page: Page, visit: Visit, shot: Shot, dashboard_home: Path) -> None:
    root = dashboard_home / "many"
    for name in ("A", "B"):
        (root / name).mkdir(parents=True)
        for k in range(4000):
            Image.new("L", (900, 900), k % 200).save(root / name / f"{k}.png", compress_level=0) if k < 40 else (
                (root / name / f"{k}.png").symlink_to(root / name / f"{k % 40}.png")
            )
    page.goto("/Dataset")
    box = page.get_by_role("combobox", name="Data set")
    box.fill(str(root))
    box.press("Enter")
    stop = page.get_by_role("button", name="Stop", exact=True)
    stop.wait_for(timeout=30_000)
    seen(page.get_by_text(re.compile(r"Reading the data set: [\d,]+ (of 8,000 files|files found)"))).wait_for()
    shot(page, "scan-running")
    stop.click()
    page.get_by_text(re.compile(r"the scan was stopped after .* files.*Nothing was opened")).wait_for(timeout=30_000)
    shot(page, "scan-stopped")
