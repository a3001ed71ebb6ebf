"""Attacks on a server that runs: foreign host names, foreign pages, frames."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server_support import Served, opened_before, served, session, xsrf_token

FOREIGN = (
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "192.168.1.5",
    "user@localhost",
    "",
    None,
)
ROUTES = (
    *("/", "/Train", "/nothing", "/index.html", "/favicon.png", "/_stcore/health", "/_stcore/script-health-check"),
    *("/_stcore/metrics", "/_stcore/host-config", "/media/abc.png", "/component/x/index.html", "/app/static/x"),
    *("/_stcore/bidi-components/x", "/auth/login", "/auth/logout", "/oauth2callback", "/_stcore/agent/openapi.json"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_dataset: Path) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("served")
    opened_before(home, tiny_dataset)
    with served(home) as running:
        yield running


@pytest.mark.parametrize("host", FOREIGN)
def test_no_route_answers_to_a_foreign_host(server: Served, host: str | None) -> None:
    for route in ROUTES:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            status = server.status(method, route, {"Host": host})
            # Without any Host, or with one that is no name, the HTTP parser may be the first to refuse.
            assert status in ((403,) if host else (400, 403)), (method, route)
    origin = f"http://{host}"
    assert server.handshake({"Host": host, "Origin": origin}) in ((403,) if host else (400, 403))
    assert server.handshake({"Host": host}) in ((403,) if host else (400, 403))


def test_the_reason_names_the_host_and_what_to_do(server: Served) -> None:
    _, page = server.request("GET", "/", {"Host": "evil.example"})
    assert "evil.example" in page
    assert "CXR_HOSTS" in page
    # What is no name is not repeated.
    assert "script" not in server.request("GET", "/", {"Host": "<script>"})[1]


def test_two_hosts_are_none(server: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Host", server.host)
    connection.putheader("Host", "evil.example")
    connection.endheaders()
    assert connection.getresponse().status in (400, 403)
    connection.close()


@pytest.mark.parametrize("host", ["localhost:{}", "127.0.0.1:{}", "[::1]:{}", "LOCALHOST:{}"])
def test_this_machine_is_answered(server: Served, host: str) -> None:
    name = host.format(server.port)
    assert server.status("GET", "/", {"Host": name}) == 200
    assert server.status("GET", "/_stcore/health", {"Host": name}) == 200
    assert server.handshake({"Host": name, "Origin": f"http://{name}"}) == 101


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://localhost:1", "http://127.0.0.1:1", "null", "", "file://", "http://0.0.0.0:{}"],
)
def test_a_page_of_another_origin_opens_no_websocket(server: Served, origin: str) -> None:
    foreign = origin.format(server.port)
    assert server.handshake({"Origin": foreign}) == 403
    for route in ROUTES:
        assert server.status("GET", route, {"Origin": foreign}) == 403, route
        assert server.status("POST", route, {"Origin": foreign}) == 403, route


def test_another_site_embeds_and_reads_nothing(server: Served) -> None:
    for site in ("cross-site", "same-site"):
        for mode, dest in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("no-cors", "script")):
            sent = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
            assert server.status("GET", "/media/abc.png", sent) == 403
            assert server.status("GET", "/", sent) == 403
        # A link to the dashboard, or the way back from a login.
        opened = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        assert server.status("GET", "/", opened) == 200
        assert server.status("POST", "/", opened) == 403
    own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    assert server.status("GET", "/_stcore/health", own) == 200


def test_no_other_site_may_frame_it(server: Served) -> None:
    for route, host in (("/", server.host), ("/_stcore/health", server.host), ("/", "evil.example")):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", route, headers={"Host": host})
        headers = connection.getresponse().headers
        connection.close()
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_upload_of_a_real_session_needs_the_host_too(server: Served) -> None:
    """The session and its token are real, as after an attacker has seen them: only the host is foreign."""
    with session(server) as visitor:
        assert "Next" in visitor.run()
        token = xsrf_token(server)
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc\r\n--x--\r\n'
        path = f"/_stcore/upload_file/{visitor.id}/1"
        sent = {"Content-Type": "multipart/form-data; boundary=x", "X-Xsrftoken": token}
        sent["Cookie"] = f"_streamlit_xsrf={token}"
        assert server.status("PUT", path, {**sent, "Host": "evil.example"}, body) == 403
        assert server.status("PUT", path, {**sent, "Origin": "http://evil.example"}, body) == 403
        assert server.status("DELETE", path, {**sent, "Host": "evil.example"}) == 403
        assert server.status("PUT", path, {**sent, "Origin": f"http://{server.host}"}, body) == 204


def test_a_picture_is_not_served_under_a_foreign_host(server: Served, tiny_dataset: Path) -> None:
    with session(server) as visitor:
        shown = visitor.run("Dataset", f"data={tiny_dataset}")
        picture = re.findall(r"/media/\w+\.\w+", shown)
        assert picture, shown[-3000:]
        assert server.status("GET", picture[0]) == 200
        assert server.status("GET", picture[0], {"Host": "evil.example"}) == 403
        assert server.status("GET", picture[0], {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}) == 403


def test_a_page_that_was_started_without_the_guard_shows_nothing(tmp_path: Path) -> None:
    """``streamlit run pages/1_Dataset.py``: Streamlit's own server answers, the page does not."""
    with served(tmp_path, script="pages/1_Dataset.py") as server:
        with session(server, {"Host": "evil.example", "Origin": "http://evil.example"}) as visitor:
            shown = visitor.run()
            assert "does not answer to the host name evil.example" in shown
            assert "file_uploader" not in shown
        with session(server) as visitor:
            assert "file_uploader" in visitor.run()
