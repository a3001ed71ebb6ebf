"""Audit: what a score on a data set is worth; what was found, in pictures, and how to mend it."""

import pandas as pd
import streamlit as st

from cxr_core import ui
from cxr_core.audit.audit import Audit
from cxr_core.ui.findings import audited, findings_list, mends_list, verdict


def figures(found: Audit) -> None:
    """The scores that need no look at a lung."""
    source, shortcut = found.facts["source_only"], found.facts["shortcut"]
    first, second, third, fourth = st.columns(4)
    with first:
        ui.metric("Source alone, macro F1", source and source["macro_f1"], source and source["n"])
    with second:
        chance = shortcut["chance_macro_f1"]
        ui.metric("Shortcut, macro F1", shortcut["macro_f1"], f"chance {chance:.3f}" if chance else "too few patients")
    with third:
        ui.metric("Source and class, Cramer's V", found.facts["cramers_v"], "0 apart, 1 the same")
    with fourth:
        ui.metric("Pairs of one picture", str(len(found.facts["duplicates"])), found.facts["images"])


def tables(found: Audit) -> None:
    """What the figures come from."""
    with st.expander("Sources by class, and what carries the shortcut"):
        sources = pd.DataFrame(found.facts["sources"]).T
        if sources.empty:
            st.caption("No source is known: a sources.csv beside the folders would say.")
        else:
            st.dataframe(sources)
        carried = pd.Series(found.facts["shortcut"]["by_feature"], name="macro F1 lost without it").round(3)
        if len(carried):
            st.dataframe(carried)
        widths = pd.Series(found.facts["widest_interval"], name="recall may be off by (95 %)").round(3)
        if len(widths):
            st.dataframe(widths)


ui.page("Audit", ":material/fact_check:")
with ui.guarded():
    dataset = ui.open_dataset()
    if dataset is not None:
        mended, found = audited(dataset)
        st.markdown(f"**{verdict(found)}**")
        figures(found)
        tables(found)
        findings_list(mended, found)
        mends_list(dataset)
