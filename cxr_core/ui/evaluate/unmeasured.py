"""The Evaluate page of a run that came without figures: what that means, and the data sets that it was evaluated on."""

import streamlit as st

from cxr_core.findings import FINDINGS
from cxr_core.runs import Run
from cxr_core.ui import escaped
from cxr_core.ui.evaluate.external import external_section
from cxr_core.ui.evaluate.findings.external import findings_external_section


def is_unmeasured(run: Run) -> bool:
    """Whether a run was imported without figures of its own: there is nothing of it that a split could show."""
    return run.imported is not None and run.metrics("test") is None


def unmeasured_page(run: Run) -> None:
    """No figures yet, what is known of it, and the way to some."""
    st.info("**No figures yet.** Evaluate it on a data set below.", icon=":material/info:")
    st.markdown("\n".join(f"- {escaped(warning)}" for warning in run.warnings))
    if run.task == FINDINGS:
        findings_external_section(run)
    else:
        external_section(run)
