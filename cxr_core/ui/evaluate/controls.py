"""The section Controls: what of the run's score can be had without lungs, and the button that measures it."""

from collections.abc import Callable

import streamlit as st

from cxr_core import charts
from cxr_core.runs import Run, controls
from cxr_core.runs.companions import CONTROLS
from cxr_core.runs.controls import Scores
from cxr_core.ui import escaped
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.companions import measuring
from cxr_core.ui.evaluate.where import where_view


def controls_section(run: Run, by_finding: Callable[[Scores], None] | None = None) -> None:
    """The scores side by side once they are measured; before, the button; meanwhile, how far it is.

    ``by_finding`` draws each finding, of a run that has any.
    """
    found = controls.scores(run)
    if found is not None:
        _shown(found)
        if by_finding is not None:
            by_finding(found)
        st.caption(escaped(f"{headline(found)} with its 95 % interval by patient. {controls.PROTOCOL}"))
    else:
        st.write(escaped(controls.PROTOCOL))
        measuring(run, CONTROLS, "Measure controls", len(controls.planned(run)))
    where_view(run)


def _shown(found: Scores) -> None:
    st.write(escaped(controls.verdict(found)))
    bars = found.bars
    st.plotly_chart(
        charts.score_bars(
            [bar.title for bar in bars],
            [bar.value for bar in bars],
            [bar.interval for bar in bars],
            [f"{bar.n:,} {bar.on}" for bar in bars],
            found.chance,
            headline(found),
        ),
        key="controls",
        config=NO_BAR,
    )
    for bar in bars:
        st.markdown(f"**{bar.title}**, {bar.n:,} {escaped(bar.on)}: {escaped(bar.meaning)}")


def headline(found: Scores) -> str:
    """``Macro F1`` or ``Macro ROC AUC``, as a title."""
    title = found.headline.title
    return f"{title[0].upper()}{title[1:]}"
