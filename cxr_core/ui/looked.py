"""A page that shows the test's figures counts one look at them per browser session, and says how many there were."""

import secrets

import streamlit as st

from cxr_core.training import looks
from cxr_core.training.runs import Run

# Set by the server for as long as the browser is open: a reload keeps it, while it starts a new session here.
_COOKIES = ("_streamlit_xsrf", "_xsrf")


def looked(run: Run) -> str:
    """Count this browser's look at the test split of ``run``, once; the sentence that stands beside its figures."""
    key = f"looked-{run.path}"
    if key not in st.session_state:
        st.session_state[key] = True
        looks.look(run, _viewer())
    return looks.sentence(run)


def _viewer() -> str:
    cookies = st.context.cookies
    named = next((cookies[name] for name in _COOKIES if cookies.get(name)), None)
    return named or str(st.session_state.setdefault("viewer", secrets.token_hex(8)))
