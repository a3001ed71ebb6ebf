"""The live view of a run of findings: macro ROC AUC, and each finding's own.

numbers(run, history, best)                  # the best epoch so far
curves(run, history)["areas"]                # frame and specification, of the findings that the reader chose
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.figures import compact, number, of
from cxr_core.glossary import meaning
from cxr_core.names import friendly
from cxr_core.runs import Run
from cxr_core.runs.records import Epoch
from cxr_core.ui import metric
from cxr_core.ui.sheet import sheet

# Curves that can be told apart; the reader chooses others.
SHOWN = 5


def numbers(run: Run, history: list[Epoch], best: Epoch) -> None:
    """The best epoch so far: macro ROC AUC of train and validation, and each finding's on validation."""
    names = run.findings
    areas = {name: best.val.roc_auc.get(name) for name in names}
    judged = of(sum(area is not None for area in areas.values()), len(names))
    for place, (label, value, counted, term) in zip(
        st.columns(3),
        [
            (
                "Best epoch",
                str(best.epoch),
                f"by validation {friendly('monitor', run.config.monitor)}; {len(history)} done",
                "split",
            ),
            (
                "Macro ROC AUC, validation",
                best.val.macro_roc_auc,
                f"over {judged} findings with and without cases",
                "macro ROC AUC",
            ),
            ("Macro ROC AUC, train", best.train.macro_roc_auc, "while it was trained", "macro ROC AUC"),
        ],
        strict=True,
    ):
        with place:
            metric(label, value, counted, meaning(term))
    st.caption(f"ROC AUC of each finding on validation, epoch {best.epoch}; a dash: all known labels are the same")
    counts = run.info.counts.get("val", {})
    rows = [
        {"Finding": name, "ROC AUC": compact(area), "Validation images with it": f"{counts.get(name, 0):,}"}
        for name, area in areas.items()
    ]
    sheet(pd.DataFrame(rows), hide_index=True, height=min(38 + 35 * len(rows), 300))


def curves(run: Run, history: list[Epoch]) -> dict[str, tuple[pd.DataFrame, dict[str, Any]]]:
    """Loss, macro ROC AUC and macro F1, and the areas of the findings chosen in a box that this draws."""
    names = run.findings
    shown = st.multiselect("Findings in the curves", names, names[:SHOWN], key=f"live-findings-{run.id}")
    return {
        "macro_roc_auc": charts.live_curve(history, "macro_roc_auc"),
        "areas": charts.live_areas(history, names, shown),
        "loss": charts.live_curve(history, "loss"),
        # Thresholds belong to an epoch's validation: nothing is decided while it is trained.
        "macro_f1": charts.live_curve(history, "macro_f1", ("val",)),
    }


def areas(report: Mapping[str, Any]) -> str:
    """``macro ROC AUC 0.812 over 6 of 7 findings`` of the figures of a split."""
    judged = of(len(report["counted"]), len(report["classes"]))
    return f"{score(report['macro_roc_auc'])} over {judged} findings"


def score(macro_roc_auc: float | None) -> str:
    """``macro ROC AUC 0.812``, or that it is not known."""
    return "macro ROC AUC not known" if macro_roc_auc is None else f"macro ROC AUC {number(macro_roc_auc)}"
