"""Memory of the server after large uploads: ``python -m benchmarks.uploads [--uploads 10] [--megabytes 60]``.

Starts a dashboard on a tiny run of its own, opens Predict in Chromium, uploads a zip of noise as large as X-rays, waits
for the answers, closes the page, and so on; prints the resident memory of the server after each page was closed, and at
the end after ``--wait`` seconds without anybody. Needs Chromium, as the browser tests do.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.server_support import FOLDERS, served

SIDE = 2000


def archive(megabytes: int, seed: int) -> bytes:
    """A zip of about so many megabytes: PNGs of noise, which do not compress."""
    random = np.random.default_rng(seed)
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as files:
        for number in range(max(1, megabytes * 10**6 // SIDE**2)):
            picture = BytesIO()
            noise = random.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
            Image.fromarray(noise).save(picture, "PNG", compress_level=0)
            files.writestr(f"{number}.png", picture.getvalue())
    return content.getvalue()


def trained(folder: Path) -> str:
    """The id of a tiny run below ``folder``."""
    from cxr_core.config import TrainConfig
    from cxr_core.data import scan
    from cxr_core.demo import draw
    from cxr_core.runs import create_run
    from cxr_core.training import work

    config = TrainConfig.create(backbone="small-cnn", epochs=1, image_size=64, device="cpu")
    return work(create_run(scan(draw(folder / "drawn", 60, 0)), config, folder / "runs")).id


def megabytes(server: subprocess.Popen[bytes]) -> float:
    """Resident memory of the server, with the processes that it started."""
    process = psutil.Process(server.pid)
    return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]) / 1e6


def visit(browser: Browser, address: str, upload: bytes | None) -> None:
    """Open Predict, upload, wait for the answers, and close the page."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.get_by_text("X-rays: PNG, JPEG").first.wait_for(timeout=120_000)
    if upload is not None:
        uploader = page.get_by_test_id("stFileUploaderDropzoneInput").first
        file = Path(tempfile.gettempdir()) / f"cxr-upload-{os.getpid()}.zip"
        file.write_bytes(upload)
        uploader.set_input_files(str(file))
        page.get_by_text("Table as CSV").first.wait_for(timeout=300_000)
        page.wait_for_timeout(1_000)
        file.unlink()
    context.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.uploads", description=__doc__)
    parser.add_argument("--uploads", type=int, default=10)
    parser.add_argument("--megabytes", type=int, default=60)
    parser.add_argument("--pause", type=int, default=10, help="seconds after each page has closed")
    parser.add_argument("--wait", type=int, default=200, help="seconds at the end")
    options = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ |= {f"CXR_{name.upper()}": str(folder / name) for name in FOLDERS}
        run = trained(folder)
        with served(folder) as server:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                address = f"{server.base}/Predict?run={run}"
                # The first answers load the network; that stays.
                visit(browser, address, archive(9, 999))
                time.sleep(options.pause)
                before = megabytes(server.process)
                print(f"after a first small upload: {before:,.0f} MB", flush=True)
                for number in range(1, options.uploads + 1):
                    visit(browser, address, archive(options.megabytes, number))
                    time.sleep(options.pause)
                    now = megabytes(server.process)
                    print(f"after upload {number} of {options.megabytes} MB: {now:,.0f} MB", flush=True)
                browser.close()
            time.sleep(options.wait)
            after = megabytes(server.process)
            print(f"{options.wait} seconds later: {after:,.0f} MB, {after - before:+,.0f} MB against the beginning")


if __name__ == "__main__":
    main()
