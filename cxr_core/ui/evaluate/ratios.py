"""An operating point in figures: its four ratios with their intervals, and what it is worth at another prevalence.

ratios_view(point, intervals)                       # operating.at_threshold, operating.point_intervals
prevalence = prevalence_view("Nodule", point, 0.08)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cxr_core import charts
from cxr_core.evaluation.operating import at_prevalence, fractions
from cxr_core.figures import of, percent
from cxr_core.ui import metric
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.headline import interval_text

RATIOS = {"sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV"}
MEANINGS = {
    "sensitivity": "Of the images that carry the label, the share that reaches the threshold.",
    "specificity": "Of the images without the label, the share that stays below the threshold.",
    "ppv": "Positive predictive value: of the images that reach the threshold, the share that carries the label.",
    "npv": "Negative predictive value: of the images below the threshold, the share without the label.",
}


def ratios_view(point: Mapping[str, Any], intervals: Mapping[str, Sequence[float] | None]) -> None:
    """Sensitivity, specificity, PPV and NPV, each with its interval and its counts."""
    counts = fractions(point)
    for column, (ratio, title) in zip(st.columns(4), RATIOS.items(), strict=True):
        with column:
            known = interval_text(intervals[ratio]) if point[ratio] is not None else "not defined"
            metric(title, point[ratio], f"{known} · {of(*counts[ratio])} images", help=MEANINGS[ratio])


def prevalence_view(name: str, point: Mapping[str, Any], here: float) -> float:
    """What the answers are worth where another share of those tested has the finding; that share, in 0..1."""
    left, right = st.columns([2, 3])
    with left:
        prevalence = st.number_input(
            "Prevalence where it is to be used, in %",
            0.01,
            99.99,
            5.0,
            key=f"prevalence-{name}",
            persist_state="session",
            help="The share of those tested who have the finding. A test set's share is seldom the clinic's.",
        )
        worth = at_prevalence(point["sensitivity"], point["specificity"], prevalence / 100)
        st.caption(f"Here it is {percent(here, digits=1)} ({of(point['tp'] + point['fn'], point['n'])} images).")
        for ratio, shares in (("ppv", ("true_positives", "positives")), ("npv", ("true_negatives", "negatives"))):
            if worth[ratio] is None:
                metric(f"{RATIOS[ratio]} at {prevalence:g} %", None, "not defined")
            else:
                right_ones, all_ones = (round(1000 * (worth[share] or 0)) for share in shares)
                metric(
                    f"{RATIOS[ratio]} at {prevalence:g} %",
                    worth[ratio],
                    f"about {of(right_ones, all_ones)} such answers among 1,000 tested",
                    help="By Bayes' rule, if the patients there resemble these.",
                )
    with right:
        chart = charts.predictive_values(point["sensitivity"], point["specificity"], prevalence / 100)
        st.plotly_chart(chart, key="predictive", config=NO_BAR)
    return float(prevalence) / 100
