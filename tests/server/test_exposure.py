"""A server that listens beyond this machine: refused without a login, unless it was said to be open."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from cxr_core.server import exposure
from cxr_core.server.guard import Guard
from cxr_core.server.serving import Serving
from tests.pages.support import open_page, texts
from tests.server_support import ROOT, Served, served, session

PAGES = ["dashboard.py", *sorted(f"pages/{file.name}" for file in (ROOT / "pages").glob("*.py"))]


@pytest.fixture
def listening(request: pytest.FixtureRequest) -> Iterator[None]:
    """Streamlit's address is the parameter, for as long as the test runs."""
    before = config.get_option("server.address")
    config.set_option("server.address", request.param)
    yield
    config.set_option("server.address", before)


def everything(at: AppTest) -> int:
    """How much a page holds apart from its title and its messages."""
    return len(at.button) + len(at.selectbox) + len(at.text_input) + len(at.subheader)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("listening", ["0.0.0.0", "", "::", "192.168.1.5"], indirect=True)
def test_every_page_says_why_it_is_not_shown(path: str, listening: None) -> None:
    at = open_page(path)
    assert not at.exception
    assert "CXR_OPEN=yes" in texts(at)
    assert "--server.address 127.0.0.1" in texts(at)
    assert everything(at) == 0


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("listening", ["0.0.0.0"], indirect=True)
def test_every_page_shows_that_it_is_open(path: str, listening: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_OPEN", "yes")
    at = open_page(path)
    assert not at.exception
    assert [warning for warning in at.warning if "This dashboard is open" in warning.value]
    assert "CXR_OPEN=yes" not in texts(at)


@pytest.mark.parametrize(("name", "value"), [("CXR_OPEN", "perhaps"), ("CXR_HOSTS", "*"), ("CXR_USERS", "all")])
def test_an_unclear_setting_is_said_and_nothing_is_shown(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    at = open_page("pages/1_Dataset.py")
    assert f"{name}: expected" in texts(at)
    assert everything(at) == 0


def test_on_this_machine_nothing_is_said() -> None:
    at = open_page("pages/1_Dataset.py")
    assert not at.exception
    assert "open" not in " ".join(warning.value for warning in at.warning)
    assert everything(at) > 0


def test_a_server_beyond_this_machine_serves_the_reason_and_nothing_else(tmp_path: Path) -> None:
    with served(tmp_path, "--server.address", "0.0.0.0") as server:
        status, page = server.request("GET", "/")
        assert status == 403
        assert "CXR_OPEN=yes" in page
        assert server.status("GET", "/_stcore/health") == 403
        assert server.status("GET", "/static/js/index.js") == 403
        assert server.handshake({"Origin": server.base}) == 403
    assert "CXR_OPEN=yes" in server.log.read_text()


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("open")
    with served(home, "--server.address", "0.0.0.0", CXR_OPEN="yes", CXR_HOSTS="xray.example.org") as running:
        yield running


def test_an_open_server_says_so_on_page_and_terminal(open_server: Served) -> None:
    assert open_server.status("GET", "/") == 200
    assert "This dashboard is open" in open_server.log.read_text()
    with session(open_server) as visitor:
        for page in ("", "Dataset", "Train", "Runs", "Evaluate", "Predict", "Audit"):
            shown = visitor.run(page)
            assert "This dashboard is open" in shown, page


def test_an_open_server_answers_to_names_that_it_was_told_of_alone(open_server: Served) -> None:
    told = {"Host": "xray.example.org", "Origin": "https://xray.example.org"}
    assert open_server.status("GET", "/", told) == 200
    assert open_server.handshake(told) == 101
    assert open_server.status("GET", "/", {"Host": "0.0.0.0"}) == 403
    assert open_server.handshake({"Host": "evil.example", "Origin": "http://evil.example"}) == 403


async def answered(server: tuple[str, int] | None, host: str) -> int:
    """What the guard answers to a connection that came in at ``server``."""
    sent: list[dict[str, Any]] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", host.encode())], "server": server}
    await Guard(inner)(scope, None, send)  # type: ignore[arg-type]
    return int(sent[0]["status"])


def test_where_the_connection_came_in_is_believed_before_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """``uvicorn dashboard:app --host 0.0.0.0``: the settings still say 127.0.0.1."""
    monkeypatch.setattr(exposure, "_started", [Serving("127.0.0.1")])
    assert asyncio.run(answered(("127.0.0.1", 80), "localhost")) == 200
    assert asyncio.run(answered(("192.168.1.5", 80), "192.168.1.5")) == 403
    # From then on the pages know, whoever asks.
    assert exposure.serving().beyond
    assert asyncio.run(answered(("127.0.0.1", 80), "localhost")) == 403


def test_a_setting_that_is_edited_later_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "_started", [])
    assert not exposure.at_start().beyond
    monkeypatch.setenv("CXR_HOSTS", "evil.example")
    assert not exposure.serving().serves("evil.example")
