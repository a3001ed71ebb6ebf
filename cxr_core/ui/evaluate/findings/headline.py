"""What one reads first of a run of findings: the mean areas with what they were counted on, and the verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.evaluation.rare import FEW
from cxr_core.figures import counted, number, of
from cxr_core.glossary import meaning
from cxr_core.runs import Run
from cxr_core.runs.external_findings import sentence
from cxr_core.ui import escaped, metric
from cxr_core.ui.evaluate.headline import interval_text, made
from cxr_core.ui.run import external_figures, overlap_warning, verdict_banner, viewed

# So many names in a sentence.
NAMED = 6


def findings_headline(run: Run, report: Mapping[str, Any], table: pd.DataFrame, split: str) -> None:
    """Macro ROC AUC, average precision and F1; images, patients, findings; the verdict."""
    among = of(len(report["counted"]), len(report["classes"]))
    shown = (
        ("Macro ROC AUC", report["macro_roc_auc"], interval_text(report["ci"]["macro_roc_auc"]), "ROC AUC"),
        (
            "Macro average precision",
            report["macro_average_precision"],
            "at prevalences that differ",
            "average precision",
        ),
        ("Macro F1", report["macro_f1"], "at the run's thresholds", "macro F1"),
    )
    *figures, notes = st.columns([2, 2, 2, 4])
    for column, (title, value, said, term) in zip(figures, shown, strict=True):
        with column:
            metric(title, value, f"{said} · mean over {among} findings", meaning(term))
    with notes:
        verdict_banner(run)
    st.markdown(f"**{'Internal test' if split == 'test' else 'Validation'}** · {escaped(on_what(report, table))}")
    if split == "test":
        st.caption(viewed(run))
        _outside(run)
    for caution in cautions(report):
        st.warning(escaped(caution), icon=":material/scale:")
    with st.expander("How these figures were made"):
        made(run, split)
        st.caption(escaped(_rule(report)))
        st.caption(
            "Each finding is judged on the images where it is known. Intervals: bootstrap by patient, 95 %; what "
            "rests on fewer than ten patients has none narrower than the exact binomial one. They apply to new "
            "patients from the same hospitals."
        )


def _outside(run: Run) -> None:
    """The drop to the external data set evaluated last, in a sentence; or that there is none."""
    found = external_figures(run)
    if not found:
        st.caption("Internal test only: no external data set was evaluated yet (section “Other data sets”).")
        return
    latest = found[0]
    st.markdown(escaped(sentence(latest["name"], latest["against"]) if latest["against"] else latest["problem"]))
    overlap_warning(latest["overlap"])
    if len(found) > 1:
        st.caption(f"The latest of {len(found)} external data sets; all are in the section “Other data sets”.")


def on_what(report: Mapping[str, Any], table: pd.DataFrame) -> str:
    """``On 86 images of 57 patients.``"""
    patients = table["patient"].fillna("").astype(str)
    known = patients[patients != ""].nunique()
    unknown = int((patients == "").sum())
    said = f"On {counted(report['n'], 'image')}"
    if known:
        said += f" of {counted(known, 'patient')}" + (f"; of {unknown:,} the patient is not known" if unknown else "")
    else:
        said += "; no patient is known, so each image counts as one"
    return f"{said}."


def cautions(report: Mapping[str, Any]) -> list[str]:
    """A sentence on the findings that cannot be judged here, and one on those of too few patients."""
    lost = [name for name in report["classes"] if name not in report["counted"]]
    few = [name for name in report["counted"] if _fewest(report["per_class"][name]) < FEW]
    said = []
    if lost:
        said.append(f"Not counted, since no image or every image has it: {listed(lost)}.")
    if few:
        patients = [f"{name} ({counted(_fewest(report['per_class'][name]), 'patient')})" for name in few]
        said.append(f"Too few patients to judge well: {listed(patients)}.")
    return said


def listed(names: Sequence[str]) -> str:
    """The first names, and how many others there are."""
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {counted(rest, 'other')}" if rest > 0 else "")


def _fewest(figures: Mapping[str, Any]) -> int:
    return min(int(figures["patients"]), int(figures["others"]))


def _rule(report: Mapping[str, Any]) -> str:
    chosen = report.get("operating_point_chosen")
    how = f"chosen by a person on {chosen[:10]}" if chosen else "chosen on validation"
    limits = listed([f"{name} {number(limit, 2)}" for name, limit in report["thresholds"].items()])
    return f"A finding is present where its probability reaches its threshold. Thresholds, {how}: {limits}."
