"""Which site profile of a run answers: a choice that is only there where the run has one.

::

    run = with_profile(run, strip)
    said = doubt(run)              # what stands beside an answer by a profile that was not shown to help
"""

import streamlit as st

from cxr_core.runs import Run, profiles

OWN = "No site profile"
# In the session: the profile chosen for each run; its box forgets when another page is looked at.
_CHOSEN = "profiles-chosen"


def with_profile(run: Run, strip: bool = False) -> Run:
    """The run as it decides by the profile that the reader chose, by its own rule where none is chosen. ``strip``: a
    small box without its label.
    """
    options = ["", *profiles.names(run)]
    if len(options) == 1:
        return run
    kept = st.session_state.setdefault(_CHOSEN, {})
    before = kept.get(run.id, "")
    kept[run.id] = st.selectbox(
        "Site profile",
        options,
        index=options.index(before) if before in options else 0,
        format_func=lambda name: name or OWN,
        key=f"profile-{run.id}",
        label_visibility="collapsed" if strip else "visible",
        help="Another temperature and other thresholds, fitted to local images (Evaluate, Fit to my hospital).",
        width=140 if strip else "stretch",
    )
    return profiles.using(run, kept[run.id])


def doubt(run: Run) -> str:
    """What came of the profile that the run is used by, where it was not shown to help; "" else."""
    if not run.profile:
        return ""
    note = profiles.read(run, run.profile)
    return "" if note.better else f"Site profile {note.name}: {note.sentence}"
