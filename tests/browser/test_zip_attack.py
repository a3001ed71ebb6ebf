"""An attack on a running dashboard: a zip whose entries name places outside of it, through the Dataset page."""

import io
import os
import zipfile
from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import ROOT, Visit
from tests.images.files import encoded, noise

MARK = "raise SystemExit('this file came out of an uploaded zip')\n"


def attack(targets: list[str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for label in ("A", "B"):
            for number in range(3):
                archive.writestr(f"set/{label}/{number}.png", encoded(noise(number), "PNG"))
        for target in targets:
            info = zipfile.ZipInfo("x")
            info.filename = target
            archive.writestr(info, MARK)
    return buffer.getvalue()


def test_an_uploaded_zip_writes_no_page_and_no_start_up_code(page: Page, visit: Visit, dashboard_home: Path) -> None:
    uploads = dashboard_home / "data" / "uploads"
    places = [
        *(ROOT / "pages" / "9_New.py", ROOT / "sitecustomize.py", ROOT / "usercustomize.py"),
        dashboard_home / "runs" / "x" / "run.json",
    ]
    assert not any(place.exists() for place in places)
    up = os.path.relpath(ROOT, uploads / "attack" / "content")
    try:
        for number, prefix in enumerate(["//", "/", "///", "\\\\", f"{up}/../../../../../../../../../..//"]):
            visit(page, "Dataset")
            page.get_by_role("button", name="Upload a zip").click()
            content = attack([prefix + str(place).removeprefix("/") for place in places])
            file: FilePayload = {"name": f"attack{number}.zip", "mimeType": "application/zip", "buffer": content}
            page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(file)
            expect(page.locator('[data-testid="stAlert"]', has_text="leads out of the archive")).to_be_visible()
            assert not any(place.exists() for place in places), prefix
            assert not uploads.exists() or not list(uploads.iterdir())
        visit(page, "New")
        assert "this file came out" not in (dashboard_home / "server.txt").read_text(errors="replace")
    finally:
        for place in places:
            place.unlink(missing_ok=True)
