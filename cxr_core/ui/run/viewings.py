"""A page that shows the test's figures counts one viewing of them per browser session, and says how many there were."""

import secrets
from itertools import cycle

import streamlit as st

from cxr_core.runs import viewings
from cxr_core.runs.run import Run

# Kept for as long as the browser is open. A reload starts a new session here, but sends the same token.
_COOKIE = "_streamlit_xsrf"


def viewed(run: Run) -> str:
    """Count this browser's viewing of the test split of ``run``, once; the sentence that stands beside its figures."""
    key = f"viewed-{run.path}"
    if key not in st.session_state:
        st.session_state[key] = True
        viewings.add(run, _viewer())
    return viewings.sentence(run)


def _viewer() -> str:
    """A name for this browser that outlives a reload, or for this session where there is no cookie."""
    token = unmasked(st.context.cookies.get(_COOKIE) or "")
    return token or str(st.session_state.setdefault("viewer", secrets.token_hex(8)))


def unmasked(cookie: str) -> str:
    """The token in an XSRF cookie of the form ``2|mask|masked|time`` (Tornado's): each page load masks it anew. ""
    where it is none.
    """
    try:
        version, mask, masked, _ = cookie.split("|")
        pairs = zip(bytes.fromhex(masked), cycle(bytes.fromhex(mask)), strict=False)
        return bytes(a ^ b for a, b in pairs).hex() if version == "2" and mask else ""
    except ValueError:
        return ""
