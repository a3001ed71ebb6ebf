"""What a run of findings says to one upload: every probability against its threshold, and the rule.

findings_view(run, prediction, key="a")
findings_rule(run, prediction)
label = first(run, prediction)           # whose heat map is offered first
"""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from cxr_core.charts.present import SHOWN, by_threshold, present_bars
from cxr_core.figures import number
from cxr_core.runs import Decision, Run
from cxr_core.runs.decision import rule_sentence
from cxr_core.ui import escaped
from cxr_core.ui.sheet import sheet

if TYPE_CHECKING:
    from cxr_core.inference import Prediction


def findings_view(run: Run, prediction: "Prediction", key: str) -> None:
    """Each probability against its threshold, those that reach it first; of many findings all in a table. Raises
    RunError.
    """
    scores, limits = _scores(run, prediction), Decision.load(run).thresholds
    order = by_threshold(scores, limits)
    st.plotly_chart(present_bars(scores, limits), key=f"present-{key}", config={"displayModeBar": False})
    implied = [name for name in prediction.present or () if scores[name] < limits[name]]
    if implied:
        st.caption(escaped(f"Below their own threshold, but implied by another: {', '.join(implied)}."))
    if len(order) > SHOWN:
        with st.expander(f"All {len(order)} findings"):
            rows = [{"Finding": name, "Probability": scores[name], "Threshold": limits[name]} for name in order]
            digits = {name: st.column_config.NumberColumn(format="%.3f") for name in ("Probability", "Threshold")}
            sheet(pd.DataFrame(rows), hide_index=True, column_config=digits)


def findings_rule(run: Run, prediction: "Prediction") -> None:
    """Each probability against its threshold in figures, and how they become findings. Raises RunError."""
    scores, limits = _scores(run, prediction), Decision.load(run).thresholds
    listed = ", ".join(
        f"{escaped(name)} {number(scores[name])} ({'reaches' if scores[name] >= limits[name] else 'below'} "
        f"{number(limits[name])})"
        for name in by_threshold(scores, limits)[:SHOWN]
    )
    st.caption(f"Probability against threshold: {listed}.")
    st.caption(escaped(rule_sentence(run, limits)))


def first(run: Run, prediction: "Prediction") -> str:
    """The most probable finding that reaches its threshold, else the one nearest to it. Raises RunError."""
    return by_threshold(_scores(run, prediction), Decision.load(run).thresholds)[0]


def _scores(run: Run, prediction: "Prediction") -> dict[str, float]:
    probabilities = prediction.probabilities or {}
    return {name: probabilities[name] for name in run.findings}
