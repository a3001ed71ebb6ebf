"""Which findings are predicted together, against which are together."""

import pandas as pd
import streamlit as st

from cxr_core.charts.findings import together as together_chart
from cxr_core.evaluation.findings import Together, together
from cxr_core.figures import of
from cxr_core.runs import Run
from cxr_core.settings import Stamp
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.findings.judged import judged_images
from cxr_core.ui.run import stamps
from cxr_core.ui.sheet import sheet

SHOWN = 12


def together_section(run: Run, split: str) -> None:
    """The pairs that are predicted most unlike how they are, drawn; all of them in a table."""
    pairs = _pairs(run, split, stamps(run, split))
    if not pairs:
        st.info("This run has one finding, so there are no pairs.", icon=":material/info:")
        return
    st.plotly_chart(together_chart(pairs[:SHOWN]), key="together", config=NO_BAR)
    st.caption(
        f"{of(min(SHOWN, len(pairs)), len(pairs))} pairs, the largest differences between true and predicted first. "
        "Counted on the images where both findings are known. By chance alone: the number to expect if the two were "
        "independent."
    )
    sheet(pairs_table(pairs), hide_index=True)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _pairs(run: Run, split: str, changed: tuple[Stamp, ...]) -> list[Together]:
    images = judged_images(run, split)
    return together(images.truth, images.known, images.called, images.names)


def pairs_table(pairs: list[Together]) -> pd.DataFrame:
    """A row per pair, in counts of images."""
    rows = [
        {
            "Finding": pair.first,
            "and": pair.second,
            "Both known": pair.n,
            "There together": pair.there,
            "Predicted together": pair.called,
            "Of these correct": pair.right,
            "By chance alone": round(pair.alone),
        }
        for pair in pairs
    ]
    return pd.DataFrame(rows)
