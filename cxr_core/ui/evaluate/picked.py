"""The finding, or class, that the sections look at: chosen once, kept from one to the next."""

from collections.abc import Sequence

import streamlit as st

KEY = "finding"


def pick_finding(names: Sequence[str], title: str = "Finding") -> str:
    """A box over ``names``; the first where none was chosen, or where another run does not know what was chosen."""
    if st.session_state.get(KEY) not in names:
        st.session_state[KEY] = names[0]
    chosen = st.selectbox(title, list(names), key=KEY, persist_state="session")
    return str(chosen or names[0])
