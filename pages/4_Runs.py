"""All runs in one table, their curves over each other, and the care of one run."""

import streamlit as st

from cxr_core import charts, ui
from cxr_core.figures import of
from cxr_core.findings import FINDINGS
from cxr_core.runs import Run, list_runs, title
from cxr_core.runs.pinned import pinned
from cxr_core.runs.titles import titles
from cxr_core.settings import runs_dir
from cxr_core.ui import escaped
from cxr_core.ui.published import import_form
from cxr_core.ui.run import care, picker, table

METRICS = {"macro_f1": "Macro F1", "accuracy": "Accuracy", "loss": "Loss"}
# An epoch of findings has no accuracy: none of them is decided against the others.
METRICS_OF_FINDINGS = {"macro_roc_auc": "Macro ROC AUC", "macro_f1": "Macro F1", "loss": "Loss"}
SPLITS = {"val": "Validation", "train": "Train"}
COMPARED_AT_FIRST = 3


def compare(runs: list[Run]) -> None:
    """One metric of several runs over each other."""
    st.subheader("Curves", anchor=False)
    left, right = st.columns(2)
    findings = [run.task == FINDINGS for run in runs]
    metrics = METRICS_OF_FINDINGS if all(findings) else METRICS | METRICS_OF_FINDINGS if any(findings) else METRICS
    metric = left.segmented_control(
        "Metric", list(metrics), default=next(iter(metrics)), required=True, format_func=metrics.__getitem__
    )
    split = right.segmented_control("Split", list(SPLITS), default="val", required=True, format_func=SPLITS.__getitem__)
    names = titles(list_runs(runs_dir()))
    histories = {names.get(run.id, run.id): run.history for run in runs}
    trained = {name: history for name, history in histories.items() if history}
    if trained:
        st.plotly_chart(charts.curves(trained, metric, split), key="compared")
    missing = len(histories) - len(trained)
    st.caption(
        f"{of(len(trained), len(histories))} runs have a finished epoch."
        if missing
        else "A larger dot is the best epoch, by the monitored validation metric."
    )


ui.page("Runs", ":material/list:")
with ui.guarded():
    runs = list_runs(runs_dir())
    if not runs:
        st.info("There is no run yet.", icon=":material/info:")
        st.page_link("pages/3_Train.py", label="Train a network", icon=":material/model_training:")
        st.page_link("dashboard.py", label="Or use Quick start: no data needed", icon=":material/bolt:")
        import_form()
        st.stop()
    rows = table.run_table(runs)
    problems = dict(zip(rows["id"], rows["problem"], strict=True))
    marked = table.select_runs(runs, rows)
    damaged = sum(map(bool, problems.values()))
    st.caption(
        "Select runs to compare their curves; manage one below."
        + (f" {of(damaged, len(runs))} runs cannot be read: choose one below to see why." if damaged else "")
    )
    offered = pinned(runs_dir())
    if offered.run:
        st.caption(escaped(f"Predict offers {title(offered.run)} first: it is pinned."))
    elif offered.note:
        st.caption(escaped(offered.note))
    for line in table.cautions(marked or runs):
        st.caption(escaped(line))
    table.refresh_while_active(runs)
    sound = [run for run in marked or runs if not problems[run.id]]
    if sound:
        compare(sound if marked else sound[:COMPARED_AT_FIRST])
    import_form()
    chosen = picker.choose_run(runs)
    if chosen is None:
        st.stop()
    if problems[chosen.id]:
        st.error(escaped(problems[chosen.id]), icon=":material/error:")
        care.delete(chosen)
    else:
        care.care(chosen)
