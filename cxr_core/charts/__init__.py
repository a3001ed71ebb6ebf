"""Arrays -> figures: every chart of the dashboard, drawn by whoever asks (a page, a notebook, a report).

Plotly figures for what is finished, a Vega-Lite specification for curves that still grow, since Vega keeps the
reader's zoom when data arrive. ``look`` holds what all of them share: colours, formats, margins. Nothing here draws,
reads a file or knows Streamlit::

    st.plotly_chart(charts.distribution(dataset.counts()))
    frame, spec = charts.live_curve(run.history, "loss")
    st.vega_lite_chart(frame, spec, key=f"loss-{run.id}", on_select="rerun", selection_mode=["z"])
"""

from cxr_core.charts.answer import probabilities
from cxr_core.charts.calibration import reliability
from cxr_core.charts.data import distribution, formats, sizes
from cxr_core.charts.difference import paired_difference
from cxr_core.charts.history import curves, history_curve
from cxr_core.charts.intervals import interval_bars
from cxr_core.charts.labels import ages, by_split, co_occurrence, composition, groups, per_image
from cxr_core.charts.live import live_areas, live_curve, live_recall
from cxr_core.charts.matrix import confusion, one_vs_rest
from cxr_core.charts.operating import operating_curves, predictive_values
from cxr_core.charts.ranking import precision_recall, roc
from cxr_core.charts.scores import left_out, score_bars, scores_by_set

__all__ = [
    "ages",
    "by_split",
    "co_occurrence",
    "composition",
    "confusion",
    "curves",
    "distribution",
    "formats",
    "groups",
    "history_curve",
    "interval_bars",
    "left_out",
    "live_areas",
    "live_curve",
    "live_recall",
    "one_vs_rest",
    "operating_curves",
    "paired_difference",
    "per_image",
    "precision_recall",
    "predictive_values",
    "probabilities",
    "reliability",
    "roc",
    "score_bars",
    "scores_by_set",
    "sizes",
]
