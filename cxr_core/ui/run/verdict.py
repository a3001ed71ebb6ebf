"""The verdict on a run, as one calm banner beside its headline figure; what is behind it folds out below."""

import streamlit as st

from cxr_core.reports.verdict import Verdict, verdict
from cxr_core.runs import Run, external, files
from cxr_core.runs.companions import EXPERIMENTS
from cxr_core.settings import Stamp, stamp
from cxr_core.ui import escaped
from cxr_core.ui.run.measured import stamps

_FILES = (files.AUDIT, *(one.file for one in EXPERIMENTS), files.FOUND, files.predictions("test"), files.SPLIT)


def verdict_banner(run: Run) -> None:
    """Draw the verdict, all that it rests on, and the way to the audit of the run's data set. Raises RunError."""
    found = known_verdict(run)
    st.info(f"**What this score is worth.** {escaped(found.sentence)}", icon=":material/fact_check:")
    with st.expander(f"Known limitations ({len(found.details)})"):
        st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in found.details))
        if not run.imported:
            st.page_link(
                "pages/2_Audit.py",
                label="The audit of its data set",
                icon=":material/fact_check:",
                query_params={"data": str(run.data)},
            )


def known_verdict(run: Run) -> Verdict:
    """The verdict, made anew when one of the files that it rests on changes. Raises RunError."""
    files = [run.path / name for name in _FILES]
    changed = tuple(stamp(file) for file in files)
    found: Verdict = _verdict(run, (*stamps(run, "test"), *changed), external.stamps(run))
    return found


@st.cache_data(max_entries=64, show_spinner="Measuring", hash_funcs={Run: lambda run: str(run.path)})
def _verdict(run: Run, changed: tuple[Stamp, ...], kept: tuple[tuple[str, Stamp], ...]) -> Verdict:
    return verdict(run)
