"""Each browser that opens the dashboard gets a name of its own, and keeps it."""

import urllib.request
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from cxr_core.runs import viewings
from cxr_core.runs.run import Run
from cxr_core.server.browser import COOKIE, naming
from tests.pages.support import tiny_dataset as squares
from tests.pages.support import tiny_run
from tests.server_support import Served, opened_before, served, session

PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def run(home: Path) -> Run:
    return tiny_run(home / "runs", squares(home / "squares"), "completed")


@pytest.fixture(scope="module")
def server(home: Path, run: Run) -> Iterator[Served]:
    opened_before(home, run.data)
    with served(home) as running:
        yield running


def given(method: str = "GET", scheme: str = "http", **headers: str) -> str:
    """The cookie that a request with these headers gets, "" for none."""
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "method": method, "scheme": scheme, "path": "/", "headers": sent}
    found = dict(naming(scope))
    return found.get(b"set-cookie", b"").decode()


def test_who_opens_a_page_without_a_name_gets_one_that_no_script_reads() -> None:
    first, second = SimpleCookie(given(**PAGE)), SimpleCookie(given(scheme="https", **PAGE))
    assert len(first[COOKIE].value) == 32
    assert first[COOKIE].value != second[COOKIE].value
    for cookie in (first[COOKIE], second[COOKIE]):
        assert cookie["httponly"]
        assert (cookie["samesite"], cookie["path"]) == ("Lax", "/")
        # Until the browser is closed.
        assert not cookie["max-age"]
        assert not cookie["expires"]
    assert not first[COOKIE]["secure"]
    assert second[COOKIE]["secure"]


def test_no_other_request_and_nobody_twice() -> None:
    assert given(cookie=f"{COOKIE}=abc", **PAGE) == ""
    assert given(cookie=f"{COOKIE}=", **PAGE) != ""
    assert given("POST", **PAGE) == ""
    assert given(accept="*/*") == ""
    assert given() == ""


def test_two_sessions_of_one_browser_count_as_one_viewer(server: Served, run: Run) -> None:
    """As the browser does it: the page, its cookie, and the websocket that sends it; then the page once more."""

    def opens(cookie: str | None = None) -> str | None:
        sent = {"Accept": "text/html", **({"Cookie": cookie} if cookie else {})}
        request = urllib.request.Request(f"{server.base}/Evaluate", headers=sent)
        with urllib.request.urlopen(request, timeout=20) as answer:
            kept = [part.split(";")[0] for part in answer.headers.get_all("Set-Cookie", []) if COOKIE in part]
        assert bool(kept) != bool(cookie)
        name = kept[0] if kept else cookie
        with session(server, {"Cookie": str(name), "Origin": server.base}) as visitor:
            assert "Test results viewed" in visitor.run("Evaluate", f"run={run.id}")
        return name

    first = opens()
    assert viewings.count(run) == 1
    opens(first)
    assert viewings.count(run) == 1
    opens()
    assert viewings.count(run) == 2
