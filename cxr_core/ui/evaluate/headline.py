"""The figures one reads first, each with its denominator and its 95 % interval, and what must be known beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cxr_core.evaluation import balance
from cxr_core.figures import compact, interval, number, of
from cxr_core.glossary import meaning
from cxr_core.labels import thresholded
from cxr_core.runs import Run
from cxr_core.runs.decision import rule_sentence
from cxr_core.ui import escaped, metric
from cxr_core.ui.run import external_figures, overlap_warning, verdict_banner, viewed
from cxr_core.ui.run.results import about, best_epoch_line

SPLIT_NOTES = {
    "test": "The test split was not used to choose anything: not the weights, not the best epoch, not a threshold.",
    "val": "The validation split chose the best epoch and the thresholds, so these figures flatter. Judge by the test.",
}


def headline(run: Run, report: Mapping[str, Any], split: str) -> None:
    """One strip: accuracy, balanced accuracy and macro F1 with their intervals, those of the external data set below
    each, and the verdict; how they came about folds out.
    """
    present = of(sum(figures["support"] > 0 for figures in report["per_class"].values()), len(report["classes"]))
    found = external_figures(run) if split == "test" else []
    latest = found[0] if found else None
    shown = (
        ("Balanced accuracy", "balanced_accuracy", f"{present} classes"),
        ("Macro F1", "macro_f1", f"{report['n']:,} images"),
        ("Accuracy", "accuracy", f"{balance.right_of(report)} images"),
    )
    *figures, notes = st.columns([2, 2, 2, 4])
    for column, (title, name, counted) in zip(figures, shown, strict=True):
        with column:
            metric(title, report[name], f"{interval_text(report['ci'][name])} · {counted}", meaning(title))
            if latest:
                counted = f"{of(latest['right'], latest['n'])} images" if name == "accuracy" else ""
                external = compact(latest[name], latest["ci"][name])
                st.caption(" · ".join(filter(None, [f"External **{external}**", counted])))
    with notes:
        verdict_banner(run)
    class_lines(report, "**Internal test**" if split == "test" else "**Validation**")
    if latest:
        class_lines(latest, f"**External: {escaped(latest['name'])}**, {latest['n']:,} images")
        overlap_warning(latest["overlap"])
    if split == "test":
        alone = " Internal test only: no external data set was evaluated yet (section “External test”)."
        st.caption(f"{viewed(run)}{'' if latest else alone}")
    with st.expander("How these figures were made"):
        if len(found) > 1:
            st.caption(f"External: the latest of {len(found)} data sets; all are in the section “External test”.")
        made(run, split)
        decision_text(run, report)
        st.caption(resampling_text(report["ci"]))


def made(run: Run, split: str) -> None:
    """Which run this is, what its split was used for, and which weights these are."""
    about(run)
    st.caption(SPLIT_NOTES[split])
    st.caption(best_epoch_line(run))


def class_lines(report: Mapping[str, Any], what: str) -> None:
    """The recall of each class as counts, and a warning for each class that these images cannot judge. ``what``: on
    which images, as Markdown.
    """
    st.markdown(f"{what} · recall: {escaped(balance.recalls(report))}")
    if said := balance.unjudged(report):
        st.warning(escaped(" ".join(said)), icon=":material/scale:")


def interval_text(ends: Sequence[float] | None) -> str:
    """``95 % interval 0.71 to 0.83``."""
    if not ends:
        return "no interval: fewer than two patients"
    return f"95 % interval {interval(ends)}"


def resampling_text(ci: Mapping[str, Any]) -> str:
    """What was resampled, and what an interval does not speak of."""
    if ci["grouped"]:
        known = f"the patient is known for {of(ci['grouped'], ci['n'])} images, every other image counts as a patient"
    else:
        known = (
            "no patient is known, so every image counts as one: with several images of a patient they are too narrow"
        )
    return (
        f"Intervals: bootstrap, {ci['resamples']:,} resamples of {ci['groups']:,} patients; {known}. What rests on "
        "fewer than ten has no interval narrower than the exact binomial one. They apply to new patients from the "
        "same hospitals, not to other hospitals."
    )


def decision_text(run: Run, report: Mapping[str, Any]) -> None:
    """The rule in words, and the thresholds it uses."""
    counts = thresholded(run.classes, run.implied)
    thresholds = {name: limit for name, limit in (report.get("thresholds") or {}).items() if name in counts}
    rule = escaped(rule_sentence(run, thresholds))
    if thresholds:
        listed = ", ".join(f"{escaped(name)} {number(limit)}" for name, limit in sorted(thresholds.items()))
        chosen = report.get("operating_point_chosen")
        how = f"chosen by a person on {escaped(chosen[:10])}" if chosen else "chosen on validation for the best F1"
        rule += f" Thresholds, {how}: {listed}."
    st.caption(f"**How a decision is made.** {rule}")
