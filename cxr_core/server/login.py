"""Who a request comes from, by the cookie of Streamlit's login: for the routes that Streamlit itself gives to anybody.

A page asks ``st.user``. Pictures (``/media``) and uploads have no page; without this, who has not logged in could fill
the memory with uploads, and a picture's address would be enough to see it.
"""

import json
import time
from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.types import Scope

# Streamlit offers no public way to read its cookie outside of a page. It is pinned, and tests/server/test_login.py
# says when this changes.
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from cxr_core.server.serving import Serving

# Streamlit's own cookie holds for 30 days, whatever the provider says of its token.
LOGIN_HOURS = 12
# Parts of an address that say that it leads to what people uploaded or look at.
BEHIND_LOGIN = {"media", "upload_file"}


def is_behind_login(path: str) -> bool:
    """Whether this address is for those alone who have logged in, where there is a login. Pages ask for themselves."""
    return not BEHIND_LOGIN.isdisjoint(path.split("/"))


def may_enter(serving: Serving, scope: Scope) -> bool:
    """Whether the request brings the signed cookie of somebody who is let in."""
    try:
        raw = _get_signed_cookie_with_chunks(HTTPConnection(scope).cookies, USER_COOKIE_NAME)
        said = json.loads(raw) if raw else None
    except ValueError:
        return False
    return isinstance(said, dict) and is_let_in(serving, said)


def is_let_in(serving: Serving, claims: Mapping[str, object]) -> bool:
    """Whether these claims are of somebody who has logged in, lately, and is one of those that were named."""
    return claims.get("is_logged_in") is True and not too_old(claims) and serving.lets_in(claims)


def too_old(claims: Mapping[str, object]) -> bool:
    """Whether the provider said longer ago than ``LOGIN_HOURS`` who this is."""
    said = claims.get("iat")
    return isinstance(said, int | float) and time.time() - said > LOGIN_HOURS * 3600
