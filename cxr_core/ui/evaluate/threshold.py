"""The operating point: a threshold per label, chosen on validation, shown on test, saved with the run.

A draft lives in the session until it is saved; ``save_operating_point`` then makes it the rule everywhere. Coherent
labels have no threshold before a person gives them one; what means none of the findings never has one.
"""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.evaluation import balance, confusion_matrix, summary
from cxr_core.evaluation.operating import at_threshold, fractions, point_intervals
from cxr_core.hierarchy import Coherent
from cxr_core.labels import decide
from cxr_core.runs import Decision, Run
from cxr_core.settings import Stamp
from cxr_core.ui import escaped, guarded
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.draft import draft_of, labels_of, save_buttons, share_text, threshold_slider
from cxr_core.ui.evaluate.ratios import RATIOS, prevalence_view, ratios_view
from cxr_core.ui.run import cached_curves, cached_measured, probabilities_of, stamps, true_of, truth_of
from cxr_core.ui.sheet import sheet


def threshold_section(run: Run) -> None:
    """Slider, figures and curves of one label on validation, the prevalence, and the effect on test."""
    draft, names = draft_of(run), labels_of(run)
    _, table = cached_measured(run, "val")
    st.write(
        f"Thresholds are chosen here on the validation split ({len(table):,} images), whatever split is shown above. "
        "Their effect on test is shown below; do not choose by it."
    )
    name = st.segmented_control(
        "Label", names, default=names[0], required=True, key="threshold-label", format_func=escaped
    )
    limit = threshold_slider(run, name)
    if isinstance(run.implied, Coherent):
        st.caption(escaped(_meaning(name, run.implied, name in draft)))
    truth, probability = truth_of(run, table, name), probabilities_of(run, table)[:, run.classes.index(name)]
    point = at_threshold(truth, probability, limit)
    ratios_view(point, _intervals(run, name, limit, stamps(run, "val")))
    roc, pr = charts.operating_curves(cached_curves(run, "val"), name, point)
    left, right = st.columns(2)
    left.plotly_chart(roc, key="point-roc", config=NO_BAR)
    right.plotly_chart(pr, key="point-pr", config=NO_BAR)
    prevalence_view(name, point, float(truth.mean()))
    with guarded():
        _effect(run, draft)
    save_buttons(run, draft)


def _meaning(name: str, implied: Coherent, is_set: bool) -> str:
    """What a threshold of a coherent label does, and that it has none yet."""
    does = f"{implied.tree.kinds(name)} where the probability of {name} reaches it, and never below it"
    if is_set:
        return f"The run then decides {does}."
    return (
        f"No threshold is set for {name}: the most probable class decides, and the figures are those of 0.5. Move the "
        f"slider to set one. The run then decides {does}."
    )


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _intervals(run: Run, name: str, threshold: float, changed: tuple[Stamp, ...]) -> dict[str, Any]:
    _, table = cached_measured(run, "val")
    probability = probabilities_of(run, table)[:, run.classes.index(name)]
    return dict(point_intervals(truth_of(run, table, name), probability, threshold, table["patient"].tolist()))


def _effect(run: Run, draft: dict[str, float]) -> None:
    """Each label at its threshold and all decisions together, on validation and on test, now and with the draft."""
    st.write("**What the thresholds do**")
    now = Decision.load(run).thresholds
    rows: list[dict[str, Any]] = [
        {"Label": name, "Threshold now": now.get(name), "Threshold here": draft.get(name)} for name in labels_of(run)
    ]
    totals = []
    for split, title in (("val", "validation"), ("test", "test")):
        _, table = cached_measured(run, split)
        probabilities = probabilities_of(run, table)
        for row in rows:
            name = row["Label"]
            if name not in draft:
                row |= {f"{RATIOS[ratio]}, {title}": None for ratio in ("sensitivity", "specificity")}
                continue
            probability = probabilities[:, run.classes.index(name)]
            counts = fractions(at_threshold(truth_of(run, table, name), probability, draft[name]))
            row |= {f"{RATIOS[ratio]}, {title}": share_text(*counts[ratio]) for ratio in ("sensitivity", "specificity")}
        for rule, limits in (("now", now), ("with these", draft)):
            decisions = decide(probabilities, run.classes, run.implied, limits)
            matrix = confusion_matrix(true_of(run, table), decisions, len(run.classes))
            figures = summary(matrix, run.classes)
            right = balance.right_of({"confusion": matrix})
            totals.append(
                {
                    "Split": title,
                    "Thresholds": rule,
                    "Macro F1": figures["macro_f1"],
                    "Balanced accuracy": figures["balanced_accuracy"],
                    "Correct": right,
                }
            )
    columns = {name: st.column_config.NumberColumn(format="%.3f") for name in ("Threshold now", "Threshold here")}
    sheet(pd.DataFrame(rows), hide_index=True, column_config=columns, placeholder="none")
    shares = {name: st.column_config.NumberColumn(format="%.3f") for name in ("Macro F1", "Balanced accuracy")}
    sheet(pd.DataFrame(totals), hide_index=True, column_config=shares)
    st.caption("The first table judges each label by its own threshold, the second the decision that all of them make.")
