"""A page that shows the test's figures counts one viewing of them per browser session, and says how many there were."""

import secrets

import streamlit as st

from cxr_core.runs import Run, viewings
from cxr_core.server.browser import COOKIE


def viewed(run: Run) -> str:
    """Count this browser's viewing of the test split of ``run``, once; the sentence that stands beside its figures."""
    key = f"viewed-{run.path}"
    if key not in st.session_state:
        st.session_state[key] = True
        viewings.add(run, _viewer())
    return viewings.sentence(run)


def _viewer() -> str:
    """A name for this browser that outlives a reload, or for this session where it has none."""
    name = st.context.cookies.get(COOKIE)
    return name or str(st.session_state.setdefault("viewer", secrets.token_hex(8)))
