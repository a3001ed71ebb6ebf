"""A select box whose choice stands in the URL: a link, a reload or the back button leads to the same choice.

    run_id = linked_box("Run", "run", ids, ids[0])      # ?run=...

Streamlit's own ``bind="query-params"`` does not do where several pages bind the same key (1.67): a link from one to
the other arrives with an empty box, or with the former page's choice. So the URL is read and written here.
"""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

PAGE = "page"


def enter(page: str) -> None:
    """Say which page is drawn: a choice is taken from the URL anew when the page is another one."""
    st.session_state[PAGE] = page


def asked(key: str) -> str | None:
    """What is chosen under ``key`` right now: by the box, by a newer link, else on the page before."""
    page, seen = st.session_state.get(f"{key}-seen", (None, None))
    linked = st.query_params.get(key)
    if (page, seen) == (st.session_state[PAGE], linked) and key in st.session_state:
        chosen: str | None = st.session_state[key]
        return chosen if chosen is not None else linked
    return linked or seen


def drop(key: str) -> None:
    """Forget what this person has chosen under ``key``, as where she deleted it herself."""
    st.query_params.pop(key, None)
    st.session_state.pop(f"{key}-seen", None)


def linked_box(
    label: str,
    key: str,
    options: Sequence[str],
    first: str | None,
    gone: Callable[[str], None] | None = None,
    **box: Any,
) -> str | None:
    """The option chosen under ``?key=``; ``first`` where nothing is. ``box``: further arguments of ``st.selectbox``.

    What the URL names and ``options`` do not is an option too where the box accepts new ones. Else nothing is chosen,
    the URL stays, and ``gone`` says so below the box: another option would be taken for the one that was asked for.
    """
    value = asked(key) or first
    absent = None
    if value is not None and value not in options:
        if box.get("accept_new_options"):
            options = [*options, value]
        else:
            absent, value = value, None
    st.session_state[key] = value
    chosen: str | None = st.selectbox(label, options, index=None, key=key, **box)
    if absent is not None and chosen is None:
        if gone is not None:
            gone(absent)
        if st.query_params.get(key) != absent:
            st.query_params[key] = absent
        st.session_state[f"{key}-seen"] = (st.session_state[PAGE], absent)
        return None
    if chosen is None:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != chosen:
        st.query_params[key] = chosen
    st.session_state[f"{key}-seen"] = (st.session_state[PAGE], chosen)
    return chosen
