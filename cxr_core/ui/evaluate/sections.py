"""Which section of the page is shown: one row of choices, kept in the address.

section = pick_section(("Matrix", "Classes"), key="section")
"""

from collections.abc import Sequence

import streamlit as st


def pick_section(sections: Sequence[str], key: str) -> str:
    """The chosen one, as a heading too; the first from the start. Whoever calls computes that one alone."""
    chosen = st.segmented_control(
        "Section",
        sections,
        key=key,
        default=sections[0],
        required=True,
        label_visibility="collapsed",
        bind="query-params",
    )
    # An address can name none.
    section = chosen or sections[0]
    st.subheader(section, anchor=False, divider="gray")
    return section
