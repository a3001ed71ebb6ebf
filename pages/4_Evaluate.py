"""How good a completed run is, on the split that it never saw and on the one that chose its best epoch."""

from typing import Any

import streamlit as st

from cxr_core import charts, ui
from cxr_core.charts.look import label
from cxr_core.labels import rule_text
from cxr_core.training.runs import Run
from cxr_core.ui import results
from cxr_core.ui.frame import escaped

SHARE = {"Images": False, "Share of the row": True}
SPLIT_NOTES = {
    "test": "The test split was not used to choose anything: not the weights, not the best epoch, not a threshold.",
    "val": "The validation split chose the best epoch and the thresholds, so these figures flatter. Judge by the test.",
}


def headline(run: Run, report: dict[str, Any], split: str) -> None:
    """The figures one reads first, each with what it was counted on, and what one must know beside them."""
    total = f"{report['n']:,} images"
    present = ui.of(sum(figures["support"] > 0 for figures in report["per_class"].values()), len(report["classes"]))
    figures, notes = st.columns([3, 2])
    with figures:
        accuracy, balanced, macro = st.columns(3)
        with accuracy:
            ui.metric("Accuracy", report["accuracy"], f"{results.right_of(report)} images")
        with balanced:
            ui.metric("Balanced accuracy", report["balanced_accuracy"], f"mean recall, {present} classes")
        with macro:
            ui.metric("Macro F1", report["macro_f1"], f"mean over the classes, {total}")
        st.write(SPLIT_NOTES[split])
        st.write(results.best_epoch_line(run))
    with notes:
        ui.warnings_banner(run)


def decision(run: Run, report: dict[str, Any]) -> None:
    """The rule in words, and the thresholds it uses."""
    st.write(f"**How a decision is made.** {escaped(rule_text(run.classes, run.implied))}")
    thresholds = report.get("thresholds") or {}
    if thresholds:
        listed = ", ".join(f"{escaped(name)} {limit:.3f}" for name, limit in sorted(thresholds.items()))
        st.write(f"Thresholds, chosen on the validation split for the best F1: {listed}.")


def matrices(report: dict[str, Any], split: str) -> None:
    st.subheader("Confusion matrices", anchor=False)
    coloured = st.segmented_control("Colour by", list(SHARE), default="Images", required=True)
    left, right = st.columns([3, 2])
    with left:
        st.plotly_chart(charts.confusion(report["confusion"], report["classes"], SHARE[coloured]), key="matrix")
        st.caption("Each cell: images, and their share of the row (of all images that truly are this class).")
    with right:
        st.write(f"**What was evaluated:** {report['n']:,} images")
        st.plotly_chart(charts.distribution(results.supports(report, split)), key="evaluated")
    st.write("**One class against the rest**")
    for column, name in zip(
        st.columns(min(3, len(report["classes"]))) * len(report["classes"]), report["classes"], strict=False
    ):
        with column:
            matrix = charts.one_vs_rest(report["one_vs_rest"][name], name)
            # Three in a row leave no room for "not PNEUMONIA", and slanted labels would shrink one of them.
            ticks = {"ticktext": ["rest", label(name, 18)], "tickangle": 0}
            matrix.update_xaxes(ticks).update_yaxes(ticks)
            st.plotly_chart(matrix, key=f"one-{name}")


def report_section(run: Run, report: dict[str, Any], split: str) -> None:
    st.subheader("Classification report", anchor=False)
    table = results.report_table(report)
    st.dataframe(table, hide_index=True, column_config=results.REPORT_COLUMNS, placeholder="–")
    if run.implied:
        st.caption(
            "Support counts the images of a class. Positives also counts the images of classes that imply it; "
            "ROC AUC and average precision are over these."
        )
    st.plotly_chart(charts.metric_bars(report), key="bars")
    with st.container(horizontal=True):
        st.download_button(
            "Report as CSV", table.to_csv(index=False), f"{run.id}-{split}-report.csv", "text/csv", on_click="ignore"
        )
        st.download_button(
            "Predictions as CSV",
            lambda: run.predictions(split).to_csv(index=False),
            f"{run.id}-{split}-predictions.csv",
            "text/csv",
            on_click="ignore",
        )


def threshold_curves(run: Run, report: dict[str, Any], split: str) -> None:
    st.subheader("Over all thresholds", anchor=False)
    with ui.guarded():
        points = results.cached_curves(run, split)
        left, right = st.columns(2)
        left.write("**ROC**")
        left.plotly_chart(charts.roc(points, report["classes"], report), key="roc")
        right.write("**Precision and recall**")
        right.plotly_chart(charts.precision_recall(points, report["classes"], report), key="pr")
        st.caption(
            "Dashed: a guess. Dotted: the share of positives, which is the precision of calling every image positive."
        )


def training(run: Run) -> None:
    st.subheader("How it was trained", anchor=False)
    with ui.guarded():
        history = run.history
        for column, metric in zip(st.columns(3), ("loss", "accuracy", "macro_f1"), strict=True):
            column.plotly_chart(charts.history_curve(history, metric), key=f"history-{metric}")


ui.page("Evaluate", ":material/analytics:")
with ui.guarded():
    run = results.pick_result()
    if run:
        split = st.segmented_control(
            "Split",
            list(results.SPLIT_NAMES),
            key="split",
            default="test",
            required=True,
            format_func=results.split_title,
        )
        report = results.evaluation(run, split)
        headline(run, report, split)
        decision(run, report)
        matrices(report, split)
        report_section(run, report, split)
        threshold_curves(run, report, split)
        training(run)
