"""Which site profile of a run answers: a choice that is only there where the run has one.

run = with_profile(run)
"""

import streamlit as st

from cxr_core.runs import Run, profiles
from cxr_core.ui import escaped

OWN = "None: as trained"


def with_profile(run: Run) -> Run:
    """The run as it decides by the profile that the reader chose, by its own rule where none is chosen."""
    names = profiles.names(run)
    if not names:
        return run
    chosen = st.selectbox(
        "Site profile",
        ["", *names],
        format_func=lambda name: name or OWN,
        key=f"profile-{run.id}",
        help="Another temperature and other thresholds, fitted to local images (Evaluate, Fit to my hospital).",
    )
    if chosen:
        st.caption(escaped(f"Site profile {chosen}: {profiles.read(run, chosen).sentence}"))
    return profiles.using(run, chosen or "")
