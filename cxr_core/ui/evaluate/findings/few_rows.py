"""Which of many findings a chart shows: all where they are few, else those that are chosen.

names = some_of(order, "findings-some")
"""

from collections.abc import Sequence

import streamlit as st

from cxr_core.figures import of

# So many rows stand on one screen.
READABLE = 30


def some_of(order: Sequence[str], key: str, first: Sequence[str] | None = None) -> list[str]:
    """The findings to draw, in their ``order``; of more than READABLE a slider says from which on, and a box picks by
    name. ``first``: those that come before the others.
    """
    names = [*(first or ()), *(name for name in order if name not in set(first or ()))]
    if len(names) <= READABLE:
        return names
    left, right = st.columns(2)
    picked = right.multiselect("Only these", names, key=f"{key}-names", placeholder="Type a part of a name")
    start = left.slider(
        "From place", 1, len(names) - READABLE + 1, key=f"{key}-from", disabled=bool(picked), help=f"Of {len(names):,}."
    )
    if picked:
        return [name for name in names if name in set(picked)]
    st.caption(f"Places {start:,} to {of(start + READABLE - 1, len(names))} are drawn; the table below has all.")
    return names[start - 1 : start - 1 + READABLE]
