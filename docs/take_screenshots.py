"""Renews ``docs/screenshots/*.png``, in full colour: ``make screenshots`` (some minutes, and needs Chromium).

It draws the demo data set into a temporary folder, trains a small network on it (and its controls), starts the
dashboard there, opens each page and waits until two pictures of it are the same, so that no chart is caught on its way.
"""

import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from cxr_core.runs import Run, list_runs
from cxr_core.settings import remember_dataset
from tests.browser.conftest import FLAGS, HOW_TO_GET_CHROMIUM, ROOT, chromium_path, end_workers
from tests.server_support import served

OUT = Path(__file__).parent / "screenshots"
WINDOW: ViewportSize = {"width": 1280, "height": 1500}
# As wide as README shows two beside each other, on a screen of twice the density.
WIDTH = 960
IMAGES = 600
PATIENCE_SECONDS = 90


def command_line(*arguments: str) -> None:
    """Run ``python -m cxr_core`` with these arguments."""
    subprocess.run([sys.executable, "-m", "cxr_core", *arguments], cwd=ROOT, check=True)


def prepared(home: Path) -> Run:
    """A named run on the demo data set, with its controls and a second run to compare with."""
    data = home / "data" / "demo"
    command_line("demo", "--out", str(data), "--images", str(IMAGES))
    for epochs in ("8", "12"):
        command_line("train", "--data", str(data), "--backbone", "small-cnn", "--epochs", epochs)
    run = list_runs(home / "runs")[0]
    run.rename("Small network, 12 epochs")
    command_line("audit", "--run", run.id, "--only", "controls")
    remember_dataset(data)
    return run


def at_rest(page: Page) -> bytes:
    """A picture of the window, once the page has run and looks the same twice."""
    before, end = b"", time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        running = page.locator('[data-testid="stApp"]:not([data-test-script-state="notRunning"])').count()
        waiting = page.locator('[data-testid="stSkeleton"], [data-testid="stSpinner"]').count()
        now = page.screenshot()
        if now == before and not running and not waiting:
            return now
        before = now
        page.wait_for_timeout(700)
    sys.exit(f"{page.url} does not come to rest.")


def keep(name: str, picture: bytes) -> None:
    """Write it smaller, in full colour."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    small = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    small.save(OUT / f"{name}.png", optimize=True)
    print(f"{OUT / name}.png", flush=True)


def answered(page: Page, run: Run) -> None:
    """Upload a picture of the test split, and lay the heat map over it."""
    file = run.split.query("split == 'test' and label == 'PNEUMONIA'")["file"].iloc[0]
    page.locator('input[type="file"]').first.set_input_files(str(run.picture(file)))
    page.get_by_text("Heat map", exact=True).click(timeout=1000 * PATIENCE_SECONDS)
    page.get_by_text("Heat map of").first.wait_for(timeout=1000 * PATIENCE_SECONDS)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        os.environ.update({f"CXR_{name.upper()}": str(home / name) for name in ("runs", "cache", "data")})
        run = prepared(home)
        data = str(home / "data" / "demo")
        pages = {
            "home": "",
            "dataset": f"Dataset?data={data}",
            "train": f"Train?run={run.id}",
            "runs": f"Runs?run={run.id}",
            "evaluate": f"Evaluate?run={run.id}",
            "predict": f"Predict?run={run.id}",
            "audit": f"Audit?data={data}",
        }
        if (path := chromium_path()) is None:
            sys.exit(HOW_TO_GET_CHROMIUM)
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS), headless=True)
        try:
            with served(home) as server:
                for name, address in pages.items():
                    page = browser.new_context(
                        viewport=WINDOW, color_scheme="light", reduced_motion="reduce"
                    ).new_page()
                    page.goto(f"{server.base}/{address}")
                    at_rest(page)
                    if name == "predict":
                        answered(page, run)
                    keep(name, at_rest(page))
                    page.context.close()
        finally:
            end_workers(home / "runs")
        browser.close()


if __name__ == "__main__":
    main()
