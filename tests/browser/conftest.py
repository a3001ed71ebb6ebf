"""The dashboard in a real Chromium: ``dashboard``, ``page``, ``visit``, ``settle`` and ``shot``.

A test in this folder asks for what it needs::

    def test_x(page: Page, visit: Visit, shot: Shot) -> None:
        visit(page, "Train")
        ...
        shot(page, "train-running")          # -> test-artefacts/train-running.png

Each test module has a server and folders of its own (``dashboard_home``: runs, cache, data). ``LOOKS`` are the three
ways in which a page is looked at; parametrize ``look`` indirectly to get ``page`` in another one than light.
"""

import os
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Locator, Page

from tests import ROOT
from tests.server_support import served

ARTEFACTS = ROOT / "test-artefacts"
SETTLE_SECONDS = 60

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOW_TO_GET_CHROMIUM = (
    "no Chromium found. Debian: sudo apt-get install chromium; Fedora: sudo dnf install chromium; "
    "macOS: brew install --cask google-chrome; or name one in the environment variable CHROMIUM"
)

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}

Visit = Callable[..., None]
Settle = Callable[[Page], None]
Shot = Callable[[Page, str], Path]


def seen(found: Locator) -> Locator:
    """The first of those that are seen.

    A table's text stands in the page a second time, in hidden cells for screen readers that come and go with its
    drawing: ``.first`` alone may mean one of them.
    """
    return found.filter(visible=True).first


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last: Playwright leaves an event loop in the process, which other tests would trip over."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.path.is_relative_to(here))


def chromium_path() -> str | None:
    """The system's Chromium, or the one that ``CHROMIUM`` names; None where there is none."""
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            pytest.fail(f"CHROMIUM is {named!r}, which cannot be run: expected the path of a Chromium")
        return found
    return next((found for candidate in (*NAMES, str(MAC)) if (found := shutil.which(candidate))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium; without one the tests are skipped, and fail where CI is set."""
    found = chromium_path()
    if found:
        return found
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(HOW_TO_GET_CHROMIUM)
    pytest.skip(HOW_TO_GET_CHROMIUM)


@pytest.fixture(scope="session")
def browser_type_launch_args(chromium: str) -> dict[str, Any]:
    """How pytest-playwright starts the browser: the system's, in a fresh user data folder (Playwright's default)."""
    return {"executable_path": chromium, "args": list(FLAGS), "headless": True}


@pytest.fixture
def look(request: pytest.FixtureRequest) -> str:
    """Name of the look that ``page`` has, a key of LOOKS."""
    return str(getattr(request, "param", "light"))


@pytest.fixture
def browser_context_args(look: str, dashboard: str) -> dict[str, Any]:
    """The look, and the server as the base of relative addresses."""
    return {**LOOKS[look], "base_url": dashboard, "locale": "en-GB", "reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def dashboard_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server under test keeps ``runs``, ``cache`` and ``data``."""
    return tmp_path_factory.mktemp("dashboard")


def end_workers(runs: Path) -> None:
    """End the trainings of the server under test, known by their runs folder: they are meant to outlive it."""
    for process in psutil.process_iter():
        try:
            if process.environ().get("CXR_RUNS") == str(runs) and process.pid != os.getpid():
                process.kill()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


@pytest.fixture(scope="module")
def dashboard(chromium: str, dashboard_home: Path) -> Iterator[str]:
    """A dashboard of its own on a free port: the base URL, e.g. ``http://127.0.0.1:45678``."""
    try:
        with served(dashboard_home) as server:
            yield server.base
    finally:
        end_workers(dashboard_home / "runs")


@pytest.fixture(scope="session")
def settle() -> Settle:
    """``settle(page)`` waits until Streamlit has run the page and has drawn it."""

    def wait(page: Page) -> None:
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(
            timeout=SETTLE_SECONDS * 1000
        )
        page.wait_for_function("document.querySelectorAll('[data-testid=\"stSkeleton\"]').length === 0")
        page.wait_for_load_state("networkidle")

    return wait


@pytest.fixture
def visit(dashboard: str, settle: Settle) -> Visit:
    """``visit(page, "Train", run="...")`` opens a page by its address, "" for home, and waits until it has settled."""

    def go(page: Page, address: str = "", **query: str) -> None:
        asked = urllib.parse.urlencode(query)
        page.goto(f"{dashboard}/{address}" + (f"?{asked}" if asked else ""))
        settle(page)
        allow = page.get_by_role("button", name="Open it", exact=True)
        if "data" in query and allow.is_visible():
            # A path that a link brings is asked about the first time.
            allow.click()
            page.get_by_text("was not opened here before").wait_for(state="detached")
            settle(page)

    return go


@pytest.fixture(scope="session")
def shot() -> Shot:
    """``shot(page, name)`` keeps the whole page as ``test-artefacts/<name>.png`` and returns that path."""

    def keep(page: Page, name: str) -> Path:
        size = page.viewport_size or {"width": 1280, "height": 900}
        # Streamlit scrolls inside the page, so that a full-page screenshot ends at the window: grow the window instead.
        height = page.evaluate("document.querySelector('[data-testid=\"stMain\"]')?.scrollHeight ?? 0")
        file = ARTEFACTS / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        page.set_viewport_size({"width": size["width"], "height": min(max(size["height"], height), 6000)})
        page.wait_for_timeout(300)
        page.screenshot(path=file)
        page.set_viewport_size(size)
        return file

    return keep
