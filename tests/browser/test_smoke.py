"""Every page opens in Chromium, in three looks, without an error; a screenshot of each is kept."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LOOKS, ROOT, Shot, Visit

# Streamlit's address of a page is its file's name without the number in front.
ADDRESSES = ["", *(re.sub(r"^\d+[_ -]*", "", file.stem) for file in sorted((ROOT / "pages").glob("*.py")))]


@pytest.mark.parametrize("look", LOOKS, indirect=True)
@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address or "home")
def test_page_opens(page: Page, visit: Visit, shot: Shot, address: str, look: str) -> None:
    script_errors: list[str] = []
    page.on("pageerror", lambda error: script_errors.append(str(error)))
    visit(page, address)

    image: Path = shot(page, f"{(address or 'home').lower()}-{look}")
    assert image.stat().st_size > 0
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    text = page.locator("body").inner_text()
    assert "Traceback (most recent call last)" not in text
    assert "Page not found" not in text
    assert page.locator("h1, h2").count() > 0, "a page has a heading"
    assert script_errors == []
    main = page.locator('[data-testid="stMain"]')
    overflow = main.evaluate("main => main.scrollWidth - main.clientWidth")
    assert overflow <= 1, f"the page is {overflow} px wider than the window"
