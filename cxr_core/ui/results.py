"""What the pages of results share: a completed run, its checked figures, and the sentences that belong to them.

run = pick_result()                      # None: the page says why, and what to do
report = evaluation(run, "test")         # as cxr_core.evaluation.metrics.report; RunError where damaged
points = cached_curves(run, "test")
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.errors import RunError
from cxr_core.evaluation.metrics import curves
from cxr_core.settings import runs_dir
from cxr_core.training.runs import ACTIVE, Run, list_runs
from cxr_core.ui.frame import STATES, escaped, of
from cxr_core.ui.link import linked_box
from cxr_core.ui.picker import pick_run
from cxr_core.ui.run_table import facts, run_table

SPLIT_NAMES = {"test": "test", "val": "validation"}
MONITORS = {
    "macro_f1": "highest macro F1",
    "balanced_accuracy": "highest balanced accuracy",
    "accuracy": "highest accuracy",
    "loss": "lowest loss",
}
_FIGURES = ("precision", "recall", "f1", "support", "roc_auc", "average_precision", "positives")
_AVERAGES = ("accuracy", "balanced_accuracy", "macro_f1", "macro_precision", "macro_recall")
_WEIGHTED = ("weighted_f1", "weighted_precision", "weighted_recall")


def pick_result() -> Run | None:
    """A select box over all runs, kept in ``?run=``, completed ones first. None where the chosen one is not
    completed: its state is said. Raises RunError where it is damaged.
    """
    runs = list_runs(runs_dir())
    if not runs:
        return pick_run()
    table = run_table(runs)
    ready = set(table.loc[table["state"] == STATES["completed"][0], "id"])
    run = choose_run(sorted(runs, key=lambda run: run.id not in ready))
    row = facts(run)
    st.caption(escaped(" · ".join(dict.fromkeys([row["run"], row["state"], row["dataset"], row["backbone"]]))))
    if run.state != "completed":
        state_notice(run)
        return None
    return run


def choose_run(runs: Sequence[Run]) -> Run:
    """A select box over these runs, kept in ``?run=``; the first one where the link names none of them."""
    by_id = {run.id: run for run in runs}
    return by_id[linked_box("Run", "run", list(by_id), runs[0].id) or runs[0].id]


def state_notice(run: Run, here: bool = False) -> None:
    """One message on a run that is not completed: what happened, what to do, and the link that leads there.

    ``here``: the page is the one where it can be resumed.
    """
    resume = "Resume it" if here else "Resume it on the Runs page"
    state, done = run.state, f"{of(len(run.history), run.config.epochs)} epochs are done"
    if state == "failed":
        st.error(f"This run failed: {escaped(str(run.status.get('error') or 'see its log'))}", icon=":material/error:")
        st.caption(f"{done}. {resume} when the cause is mended; its log says more.")
    elif state == "queued":
        st.info("This run waits for its turn: one training runs at a time.", icon=":material/schedule:")
    elif state in ACTIVE:
        st.info(f"This run is still going: {done}. Its results come when it has ended.", icon=":material/timer:")
    elif state == "stopped":
        st.info(f"This run was stopped: {done}. {resume} to go on from there.", icon=":material/stop_circle:")
    elif state == "lost":
        text = "The process of this run is gone, perhaps with a restart of the machine"
        st.warning(
            f"{text}: {done}. Resume it on the Runs page; nothing that was kept is lost.", icon=":material/link_off:"
        )
    if state in ACTIVE:
        st.page_link("pages/2_Train.py", label="Watch it", icon=":material/monitoring:", query_params={"run": run.id})
    elif state != "completed" and not here:
        st.page_link("pages/3_Runs.py", label="To the run", icon=":material/list:", query_params={"run": run.id})


def evaluation(run: Run, split: str) -> dict[str, Any]:
    """The report of a run on ``split``. Raises RunError where there is none, or where it is not whole."""
    report = run.metrics(split)
    path = run.path / f"metrics_{split}.json"
    if report is None:
        raise RunError(
            f"{path} is missing or damaged: expected the evaluation of a completed run. "
            f"`python -m cxr_core evaluate {run.path} --split {split}` makes it again."
        )
    if not _whole(report, run.classes):
        raise RunError(f"{path} does not hold the figures of {', '.join(run.classes)}: restore it, or train again.")
    return report


def _whole(report: Mapping[str, Any], classes: list[str]) -> bool:
    """Whether everything a page shows is there: a number, or None where a ranking figure is not defined."""
    try:
        numbers = [report[name] for name in ("n", *_AVERAGES, *_WEIGHTED)]
        numbers += [count for name in classes for row in report["one_vs_rest"][name] for count in row]
        numbers += [count for row in report["confusion"] for count in row]
        figures = [report["per_class"][name][figure] for name in classes for figure in _FIGURES]
        shapes = [len(report["confusion"]), *(len(row) for row in report["confusion"])]
        shapes += [len(report["per_class"]), len(report["classes"])]
        pairs = [len(part) for name in classes for part in (report["one_vs_rest"][name], *report["one_vs_rest"][name])]
        thresholds = list(report.get("thresholds", {}).values())
    except (KeyError, TypeError, AttributeError):
        return False
    whole = all(isinstance(number, int | float) for number in [*numbers, *thresholds])
    whole = whole and all(figure is None or isinstance(figure, int | float) for figure in figures)
    return whole and report["n"] > 0 and set(shapes) == {len(classes)} and set(pairs) == {2}


def cached_curves(run: Run, split: str) -> dict[str, Any]:
    """ROC and precision-recall points of each label, from the run's predictions. Raises RunError."""
    path = run.path / f"predictions_{split}.csv"
    return _curves(run, split, path.stat().st_mtime_ns if path.exists() else 0)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _curves(run: Run, split: str, modified: int) -> dict[str, Any]:
    table, classes = run.predictions(split), run.classes
    columns = [f"p_{name}" for name in classes]
    missing = sorted({"label", *columns} - set(table.columns))
    if missing or not table["label"].isin(classes).all():
        wanted = f"a label and {', '.join(columns)} for each image"
        raise RunError(
            f"{run.path / f'predictions_{split}.csv'} is damaged: expected {wanted}. Evaluate the run again."
        )
    try:
        probabilities = table[columns].to_numpy(dtype=float)
    except ValueError as error:
        raise RunError(f"{run.path / f'predictions_{split}.csv'} is damaged ({error}). Evaluate it again.") from None
    return curves(table["label"].map(classes.index).to_numpy(), probabilities, classes, run.implied)


def right_of(report: Mapping[str, Any]) -> str:
    """``171 of 220``: images decided rightly."""
    return of(sum(row[k] for k, row in enumerate(report["confusion"])), report["n"])


def score_line(run: Run) -> str:
    """One sentence: what this run scored on its test split, with the number of images."""
    report = run.metrics("test")
    if report is None or not _whole(report, run.classes):
        return "There is no test score for this run, so nothing is known of how good its predictions are."
    return (
        f"On its test split this run decided {right_of(report)} images rightly "
        f"(accuracy {report['accuracy']:.3f}, macro F1 {report['macro_f1']:.3f})."
    )


def best_epoch_line(run: Run) -> str:
    """One sentence: which epoch's weights are evaluated, and how they were chosen."""
    config, history, best = run.config, run.history, run.best
    if best is None:
        return "The history of this run is empty, so the epoch of these weights is not known."
    images = sum(run.info["counts"]["val"].values())
    value = best["val"].get(config.monitor)
    return (
        f"The weights are those of epoch {best['epoch']}, of {len(history)} trained and {config.epochs} planned: the "
        f"{MONITORS[config.monitor]} on the {images:,} images of the validation split"
        f"{'' if value is None else f' ({value:.3f})'}."
    )


def report_table(report: Mapping[str, Any]) -> pd.DataFrame:
    """The classification report: a row per class, then the macro and the weighted average."""
    names = {"f1": "F1", "roc_auc": "ROC AUC", "average_precision": "Average precision"}
    rows = [
        {"Class": name, **{names.get(key, key.capitalize()): report["per_class"][name][key] for key in _FIGURES}}
        for name in report["classes"]
    ]
    for kind in ("macro", "weighted"):
        averages = {names.get(key, key.capitalize()): report[f"{kind}_{key}"] for key in ("precision", "recall", "f1")}
        rows.append({"Class": f"{kind} average", **averages, "Support": report["n"]})
    return pd.DataFrame(rows)


def supports(report: Mapping[str, Any], split: str) -> pd.DataFrame:
    """Images by class in the evaluated split, in the shape that ``charts.distribution`` draws."""
    row = {name: report["per_class"][name]["support"] for name in report["classes"]}
    return pd.DataFrame([row], index=[SPLIT_NAMES.get(split, split)])


def thresholds(run: Run) -> dict[str, float]:
    """The threshold of each label where labels are implied, else empty."""
    for split in SPLIT_NAMES:
        report = run.metrics(split)
        if report is not None and _whole(report, run.classes):
            return dict(report.get("thresholds") or {})
    return {}


def split_title(split: str) -> str:
    """``Test`` or ``Validation``."""
    return SPLIT_NAMES[split].capitalize()


REPORT_COLUMNS = {
    **{name: st.column_config.NumberColumn(name, format="%.3f") for name in ("Precision", "Recall", "F1")},
    **{name: st.column_config.NumberColumn(name, format="%.3f") for name in ("ROC AUC", "Average precision")},
    **{name: st.column_config.NumberColumn(name, format="localized") for name in ("Support", "Positives")},
}
