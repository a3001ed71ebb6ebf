"""Streamlit's login with a provider on this machine: every page is behind it, and says who has logged in."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.provider import CLIENT, SECRET, provider
from tests.server_support import Served, free_port, opened_before, served, session, xsrf_token

PAGES = ("", "Dataset", "Train", "Runs", "Evaluate", "Predict", "Audit")
CLARA = {"email": "clara@example.org", "email_verified": True, "name": "Clara"}
HOME = "Quick start"


@pytest.fixture(scope="module")
def claims() -> dict[str, Any]:
    """What the provider says of who logs in next."""
    return {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, claims: dict[str, Any], tiny_dataset: Path) -> Iterator[Served]:
    """A dashboard beyond this machine with a login, for clara and all of hospital.example."""
    home = tmp_path_factory.mktemp("login")
    port = free_port()
    with provider(claims) as issuer:
        secrets = home / "secrets.toml"
        secrets.write_text(
            f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{"s" * 40}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n'
        )
        flags = ["--server.address", "0.0.0.0", "--secrets.files", str(secrets)]
        opened_before(home, tiny_dataset)
        told = {"CXR_USERS": "clara@example.org, @hospital.example", "CXR_ROOTS": str(tiny_dataset.parent)}
        with served(home, *flags, port=port, **told) as running:
            yield running


@pytest.fixture(autouse=True)
def clara(claims: dict[str, Any]) -> None:
    claims.clear()
    claims.update(CLARA)


def log_in(server: Served) -> str:
    """As a browser does it: the button, the provider, the way back. The Cookie header that comes of it."""
    with session(server) as visitor:
        assert "Log in to see this page" in visitor.run()
        visitor.run(pressed="Log in")
        assert visitor.redirect
    with httpx.Client(follow_redirects=True, base_url=server.base) as browser:
        arrived = browser.get(visitor.redirect)
        assert arrived.status_code == 200
        assert arrived.url == f"{server.base}/"
        cookies = {cookie.name: cookie.value for cookie in browser.cookies.jar if cookie.name != "_streamlit_xsrf"}
        return "; ".join(f"{name}={value}" for name, value in cookies.items())


def as_user(server: Served, cookie: str) -> dict[str, str]:
    return {"Cookie": cookie, "Origin": server.base}


def test_without_a_login_no_page_shows_anything(server: Served) -> None:
    with session(server) as visitor:
        for page in PAGES:
            shown = visitor.run(page)
            assert "Log in to see this page" in shown, page
            assert list(visitor.buttons) == ["Log in"], page
            assert "subheader" not in shown, page


def test_who_has_logged_in_sees_every_page_and_a_way_out(server: Served) -> None:
    cookie = log_in(server)
    with session(server, as_user(server, cookie)) as visitor:
        for page in PAGES:
            shown = visitor.run(page)
            assert "Log in to see this page" not in shown, page
            # A joiner that nobody sees keeps the address from becoming a link.
            assert "Logged in as clara@example.org" in shown.replace("\u2060", ""), page
        assert HOME in visitor.run()
        visitor.run(pressed="Log out")
        assert visitor.redirect.endswith("/auth/logout")
        # The session is nobody's from then on.
        assert "Log in to see this page" in visitor.run()


def test_the_record_names_who_has_logged_in(server: Served, tiny_dataset: Path) -> None:
    with session(server, as_user(server, log_in(server))) as visitor:
        visitor.run("Dataset", f"data={tiny_dataset}")
    record = server.log.parent / "runs" / "activity.jsonl"
    opened = [json.loads(line) for line in record.read_text().splitlines()][-1]
    assert (opened["user"], opened["action"]) == ("clara@example.org", "opened")


@pytest.mark.parametrize(
    ("said", "let_in"),
    [
        ({"email": "dan@hospital.example", "email_verified": True}, True),
        ({"email": "DAN@Hospital.example", "email_verified": True}, True),
        ({"email": "dan@hospital.example", "email_verified": False}, False),
        ({"email": "dan@hospital.example.evil.example", "email_verified": True}, False),
        ({"email": "eve@example.org", "email_verified": True}, False),
        ({"email": "", "name": "clara@example.org"}, False),
    ],
)
def test_only_those_that_were_named_are_let_in(
    server: Served, claims: dict[str, Any], said: dict[str, Any], let_in: bool
) -> None:
    claims.clear()
    claims.update(said)
    with session(server, as_user(server, log_in(server))) as visitor:
        shown = visitor.run()
        assert (HOME in shown) == let_in
        assert ("not among those that may see" in shown) == (not let_in)
        assert "Log out" in visitor.buttons


def test_after_half_a_day_one_logs_in_again(server: Served, claims: dict[str, Any]) -> None:
    claims["iat"] = int(time.time()) - 11 * 3600
    with session(server, as_user(server, log_in(server))) as visitor:
        assert HOME in visitor.run()
    claims["iat"] = int(time.time()) - 13 * 3600
    with session(server, as_user(server, log_in(server))) as visitor:
        shown = visitor.run()
        assert "Log in to see this page" in shown
        assert HOME not in shown


def test_a_cookie_that_was_made_up_or_comes_from_another_origin_is_none(server: Served) -> None:
    cookie = log_in(server)
    name, _, value = next(part for part in cookie.split("; ") if part.startswith("_streamlit_user=")).partition("=")
    for forged in (f"{name}={value[:-4]}AAAA", f"{name}={value.swapcase()}", f'{name}={{"is_logged_in": true}}'):
        with session(server, as_user(server, forged)) as visitor:
            assert "Log in to see this page" in visitor.run()
    local = f"localhost:{server.port}"
    with session(server, {"Cookie": cookie, "Host": local, "Origin": f"http://{local}"}) as visitor:
        assert "Log in to see this page" in visitor.run()


def test_pictures_and_uploads_are_for_those_who_have_logged_in(
    server: Served, claims: dict[str, Any], tiny_dataset: Path
) -> None:
    """The address of a picture and the session of an upload are real; who comes with them has not logged in."""
    cookie, token = log_in(server), xsrf_token(server)
    claims["email"] = "eve@example.org"
    eve = log_in(server)
    with session(server, as_user(server, cookie)) as visitor:
        shown = visitor.run("Dataset", f"data={tiny_dataset}")
        picture = re.findall(r"/media/\w+\.\w+", shown)[0]
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc\r\n--x--\r\n'
        path = f"/_stcore/upload_file/{visitor.id}/1"
        sent = {"Content-Type": "multipart/form-data; boundary=x", "X-Xsrftoken": token}
        for known, picture_status, upload_status in ((None, 403, 403), (eve, 403, 403), (cookie, 200, 204)):
            jar = "; ".join(filter(None, [known, f"_streamlit_xsrf={token}"]))
            assert server.status("GET", picture, {"Cookie": jar}) == picture_status
            assert server.status("PUT", path, {**sent, "Cookie": jar}, body) == upload_status
            assert server.status("PUT", f"/{path}", {**sent, "Cookie": jar}, body) != 204 or known == cookie
    assert server.status("GET", "/_stcore/health") == 200


def test_the_login_itself_answers_to_our_host_alone(server: Served) -> None:
    for path in ("/auth/login?provider=x", "/auth/logout", "/oauth2callback?code=1&state=2"):
        assert server.status("GET", path, {"Host": "evil.example"}) == 403


@pytest.mark.parametrize(
    ("secrets", "why"),
    [
        ('[auth]\ncookie_secret = "xxx"\n', "expected a cookie_secret of 32 characters or more"),
        ("[auth\n", "secrets cannot be read"),
    ],
)
def test_a_login_that_is_set_up_wrongly_shows_nothing(tmp_path: Path, secrets: str, why: str) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text(secrets)
    with served(tmp_path, "--secrets.files", str(file)) as server:
        status, page = server.request("GET", "/")
        assert status == 403
        assert why in page
        assert server.handshake({"Origin": server.base}) == 403
    assert why in server.log.read_text()
