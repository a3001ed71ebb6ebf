"""The box that asks for another data set than the run's own: to test on, or to fit to.

chosen = other_data(run, "External data set", "external-data", "All of its images are taken.")
"""

import streamlit as st

from cxr_core.runs import Run
from cxr_core.ui import known_datasets


def other_data(run: Run, label: str, key: str, taken: str) -> str | None:
    """A path that was chosen or typed, None before. ``taken``: which of its images are, as the help says it."""
    own = str(run.data)
    return st.selectbox(
        label,
        [str(path) for path in known_datasets() if str(path) != own],
        index=None,
        key=key,
        accept_new_options=True,
        filter_mode="contains",
        placeholder="Type the path of a folder or a CSV table",
        help=f"Choose a recent one, or type a path and press Enter. {taken}",
    )
