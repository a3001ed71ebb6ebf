"""A name for each browser that opens the dashboard, so that one that reloads a page is known again.

A cookie with a random text, which the browser sends back until it is closed. It says nothing of the person, lets nobody
in, and no script can read it. A page asks Streamlit for it: ``st.context.cookies.get(COOKIE)``.
"""

import secrets

from starlette.requests import HTTPConnection
from starlette.types import Scope

COOKIE = "cxr_browser"
# Also sent when a link on another site opens the dashboard, or that would be another browser.
_HOW = "Path=/; HttpOnly; SameSite=Lax"


def naming(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that give the browser its name; none where it has one, or no page is asked for."""
    request = HTTPConnection(scope)
    opens_page = scope.get("method") == "GET" and "text/html" in request.headers.get("accept", "")
    if not opens_page or request.cookies.get(COOKIE):
        return []
    how = f"{_HOW}; Secure" if scope.get("scheme") == "https" else _HOW
    return [(b"set-cookie", f"{COOKIE}={secrets.token_hex(16)}; {how}".encode())]
