"""What stands before every route of the server: pages, websocket, media, uploads, health, log in.

``dashboard.py`` hands it to ``st.App``, so ``streamlit run dashboard.py`` serves nothing without it. A request is
answered only where

- its Host header names a host that the server was told of (else a foreign name that was made to point here, DNS
  rebinding, reaches the dashboard from any site that a person visits),
- no other site's page made it: its Origin is the Host, and a browser that says so (``Sec-Fetch-Site``) calls it our
  own, or it opens the dashboard as a page of its own,
- the dashboard may be shown at all (``Serving.refusal``),
- where there is a login and no page that asks for it, for pictures and uploads, somebody has logged in.

Whatever is answered may not be shown in another site's frame; and a page names the browser that opens it.
"""

import html
import logging
from collections.abc import Iterable
from dataclasses import replace

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cxr_core.errors import ConfigError
from cxr_core.server import exposure, login
from cxr_core.server.browser import naming
from cxr_core.server.serving import Serving, host_name, is_local

LOGGER = logging.getLogger(__name__)

HEADERS = (
    (b"content-security-policy", b"frame-ancestors 'self'"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
)
OWN_SITE = ("same-origin", "none")
FOREIGN_SITE = "This request was made by a page of another site; the dashboard answers to its own pages alone."
NO_LOGIN = "Log in on a page of the dashboard first."
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Chest X-ray classification</title>
<body style="font: 16px/1.5 sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem">
<h1 style="font-size: 1.4rem">This page is not shown</h1><p>{reason}</p></body></html>
"""


def middleware() -> list[Middleware]:
    """For ``st.App``: what every request passes before Streamlit sees it."""
    return [Middleware(Guard)]


class Guard:
    """Middleware of the server; pure ASGI, so that it sees the websocket too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            say()
            await self.app(scope, receive, send)
            return
        reason = refused(scope)
        if reason is not None:
            await _refuse(scope, receive, send, reason)
            return

        named = naming(scope) if scope["type"] == "http" else []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*_without_ours(message.get("headers", ())), *HEADERS, *named]}
            await send(message)

        await self.app(scope, receive, sending)


def say() -> None:
    """At the start, on the terminal: who may reach the dashboard, where that is more than this machine."""
    try:
        serving = exposure.at_start()
    except ConfigError as error:
        LOGGER.error("%s No page is shown.", error)
        return
    if serving.refusal:
        LOGGER.error("%s", serving.refusal)
    elif serving.warning:
        LOGGER.warning("%s", serving.warning)


def refused(scope: Scope) -> str | None:
    """Why this request is not answered; None where it is."""
    try:
        serving = _serving(scope)
    except ConfigError as error:
        return str(error)
    hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
    if len(hosts) != 1 or not serving.serves(hosts[0]):
        return unknown_host(hosts[0] if len(hosts) == 1 else None)
    if any(not _same(origin, hosts[0]) for origin in origins) or _from_elsewhere(scope):
        return FOREIGN_SITE
    if serving.login and login.is_behind_login(scope["path"]) and not login.may_enter(serving, scope):
        return NO_LOGIN
    return serving.refusal


def unknown_host(header: str | None) -> str:
    """What is said to a request under a name that the server was not told of."""
    name = host_name(header)
    return (
        f"This dashboard does not answer to the host name {name or 'of this request'}. It answers to localhost, to its "
        "own address, and to the names in CXR_HOSTS: whoever runs it can add this one there (docs/serving.md)."
    )


def _serving(scope: Scope) -> Serving:
    """How we are served; a connection that came in from elsewhere corrects an address that says otherwise."""
    serving = exposure.serving()
    came_in, _ = scope.get("server") or (None, None)
    if came_in and is_local(serving.address) and not is_local(came_in):
        serving = exposure.correct(replace(serving, address=came_in))
    return serving


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _same(origin: str, host: str) -> bool:
    """Whether an Origin header names the very host, port and all, that the request went to."""
    scheme, _, place = origin.partition("://")
    return scheme.lower() in ("http", "https") and place.lower() == host.lower()


def _from_elsewhere(scope: Scope) -> bool:
    """Whether the browser says that another site's page made this, except by opening us as a page of our own."""
    sites = _values(scope, b"sec-fetch-site")
    opened = _values(scope, b"sec-fetch-mode") == ["navigate"] and _values(scope, b"sec-fetch-dest") == ["document"]
    return any(site not in OWN_SITE for site in sites) and not (opened and scope.get("method") == "GET")


def _without_ours(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    # Several policies of contents all hold; of the other headers ours is the one that counts.
    single = {name for name, _ in HEADERS} - {b"content-security-policy"}
    return [(name, value) for name, value in headers if name.lower() not in single]


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        # Before it was accepted: the server answers the handshake with 403.
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    body = PAGE.format(reason=html.escape(reason)).encode()
    length = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store"), length, *HEADERS]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
