"""All runs as one table, rows to be marked, and the look at the disk that keeps it true.

runs = list_runs(runs_dir())
table = run_table(runs)                    # a row per run, also for a damaged one, with its "problem"
chosen = select_runs(runs, table)          # the rows that the reader marked
refresh_while_active(runs)                 # reruns the page when a run has moved on
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.errors import RunError
from cxr_core.evaluation import balance
from cxr_core.figures import of
from cxr_core.findings import FINDINGS
from cxr_core.glossary import meaning
from cxr_core.hierarchy import Coherent
from cxr_core.names import listed
from cxr_core.runs import Run, list_runs, overlaps, viewings
from cxr_core.runs.run import ACTIVE
from cxr_core.runs.titles import titles
from cxr_core.settings import runs_dir
from cxr_core.ui import STATES
from cxr_core.ui.run.external import external_figures
from cxr_core.ui.run.live_findings import areas
from cxr_core.ui.sheet import sheet

REFRESH_SECONDS = 3
DAMAGED = "Damaged"
NAMED = 5

_COLUMNS = {
    "run": st.column_config.TextColumn("Run", pinned=True, width=236),
    "state": st.column_config.TextColumn("State", width="small"),
    "dataset": st.column_config.TextColumn("Data set", width=130),
    "backbone": st.column_config.TextColumn("Backbone", width=140),
    "val_f1": st.column_config.NumberColumn("Val macro F1", format="%.3f", help="Best epoch, validation split."),
    "val_auc": st.column_config.NumberColumn("Val macro AUC", format="%.3f", help="Of findings: mean ROC AUC."),
    "val_images": st.column_config.NumberColumn("Val images", format="localized"),
    "test_auc": st.column_config.NumberColumn(
        "Internal test macro AUC", format="%.3f", help="Of findings: mean ROC AUC over those with both."
    ),
    "test_f1": st.column_config.NumberColumn("Internal test macro F1", format="%.3f", help=meaning("macro F1")),
    "test_recall": st.column_config.TextColumn(
        "Internal test recall",
        help="Images of each class classified correctly; (few): fewer than ten, too few to judge.",
    ),
    "test_balanced": st.column_config.NumberColumn(
        "Internal test balanced accuracy", format="%.3f", help=meaning("balanced accuracy")
    ),
    "test_accuracy": st.column_config.NumberColumn("Internal test accuracy", format="%.3f", help=meaning("accuracy")),
    "test_right": st.column_config.TextColumn(
        "Internal test right", help="Images of the test split classified correctly."
    ),
    "external_f1": st.column_config.NumberColumn("External macro F1", format="%.3f", help=meaning("macro F1")),
    "external_recall": st.column_config.TextColumn("External recall", help="As of the internal test."),
    "external": st.column_config.TextColumn("External", help="The external data set evaluated last, images right."),
    "epochs": st.column_config.TextColumn("Epochs", help="Done of planned."),
    "trainable": st.column_config.TextColumn("Trained part"),
    "weights": st.column_config.TextColumn("Weights"),
    "labels": st.column_config.TextColumn("Labels"),
    "optimizer": st.column_config.TextColumn("Optimiser"),
    "lr": st.column_config.NumberColumn("Learning rate", format="%g"),
    "batch_size": st.column_config.NumberColumn("Batch"),
    "gamma": st.column_config.NumberColumn("Gamma", format="%g", help="Focus of the focal loss."),
    "alpha": st.column_config.TextColumn("Alpha", help="Class weights."),
    "views": st.column_config.NumberColumn("Views"),
    "seed": st.column_config.NumberColumn("Seed"),
    "created": st.column_config.DatetimeColumn("Created (UTC)", format="YYYY-MM-DD HH:mm"),
    "minutes": st.column_config.NumberColumn("Minutes", format="%.1f", help="From start to end, or until now."),
}
_WORDS = ("backbone", "trainable", "weights", "optimizer")
_NUMBERS = ("lr", "batch_size", "gamma", "views", "seed")


def run_table(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per run, in the order given; ``problem`` says what is wrong with a run that cannot be read, else ""."""
    table = pd.DataFrame([_row(run) for run in runs], columns=["id", *_COLUMNS, "problem"])
    table["run"] = table["id"].map(titles(runs))
    return table


def _row(run: Run) -> dict[str, Any]:
    try:
        return facts(run)
    except RunError as error:
        return {"id": run.id, "run": run.id, "state": DAMAGED, "problem": str(error)}


def facts(run: Run) -> dict[str, Any]:
    """The row of a run. Raises RunError where a file of it is missing or damaged."""
    try:
        return _facts(run)
    except (KeyError, ValueError) as error:
        # Valid JSON of another shape: a run is a folder that anyone can edit.
        raise RunError(
            f"{run.path} holds what no run writes ({type(error).__name__}: {error}). Delete it, or restore its files."
        ) from error


def _facts(run: Run) -> dict[str, Any]:
    config, status, state = run.config, run.status, run.state
    history = run.history
    best = next((row for row in reversed(history) if row.best), None)
    test, judged = run.metrics("test"), run.task == FINDINGS
    external = next(iter(external_figures(run)), None) if state == "completed" else None
    ended = status.ended or (datetime.now(UTC).timestamp() if state in ACTIVE else None)
    return {
        "id": run.id,
        "run": run.name,
        "state": STATES[state][0],
        "dataset": run.info.dataset_name,
        "val_auc": best.val.macro_roc_auc if best else None,
        "val_f1": best.val.macro_f1 if best else None,
        "val_images": run.images_of("val"),
        "test_auc": test["macro_roc_auc"] if test and judged else None,
        "test_f1": test["macro_f1"] if test else None,
        **_decided(test if not judged else None),
        "external_f1": external and external["macro_f1"],
        "external_recall": balance.recalls(external) if external and not judged else "",
        "external": f"{external['name']}: {areas(external) if judged else balance.right_of(external)}"
        if external
        else "",
        "epochs": of(len(history), config.epochs),
        **{name: listed(name, getattr(config, name)) for name in _WORDS},
        **{name: getattr(config, name) for name in _NUMBERS},
        "labels": "findings" if judged else _labels(run),
        "alpha": config.alpha if isinstance(config.alpha, str) else ", ".join(f"{weight:g}" for weight in config.alpha),
        "created": datetime.fromisoformat(run.info.created).replace(tzinfo=None),
        "minutes": (ended - status.started) / 60 if ended and status.started else None,
        "problem": "",
    }


def _decided(test: Mapping[str, Any] | None) -> dict[str, Any]:
    """What only classes have, of which one is decided."""
    return {
        "test_recall": balance.recalls(test) if test else "",
        "test_balanced": test["balanced_accuracy"] if test else None,
        "test_accuracy": test["accuracy"] if test else None,
        "test_right": balance.right_of(test) if test else "",
    }


def _labels(run: Run) -> str:
    if not run.implied:
        return "single"
    return "implied" if isinstance(run.implied, Coherent) else "implied, flat"


def select_runs(runs: Sequence[Run], table: pd.DataFrame) -> list[Run]:
    """Draw the table and give the runs whose rows are marked. A mark stays with its run when runs come and go.

    A run that was just marked becomes the chosen one (``?run=``): call this before the select box is drawn.
    """
    ids = [run.id for run in runs]
    # Streamlit keeps marks by row number: another list of runs is another table, which starts with the same runs.
    key = f"runs-{hashlib.blake2b(' '.join(ids).encode(), digest_size=6).hexdigest()}"
    before = st.session_state.get("marked-runs", [])
    # No column of figures that nobody has yet, or whose kind no run has.
    unused = [] if table["external_f1"].notna().any() else ["external_f1", "external_recall", "external"]
    unused += [] if (table["labels"] == "findings").any() else ["val_auc", "test_auc"]
    if (table["labels"] == "findings").all():
        unused += ["test_recall", "test_balanced", "test_accuracy", "test_right"]
    event = sheet(
        table.drop(columns=["id", "problem", *unused]),
        hide_index=True,
        column_config=_COLUMNS,
        height=min(38 + 35 * len(ids), 460),
        placeholder="",
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(run_id) for run_id in before if run_id in ids]}},
    )
    marked = [run for row, run in enumerate(runs) if row in event["selection"]["rows"]]
    added = [run.id for run in marked if run.id not in before]
    if added:
        st.session_state["run"] = added[-1]
    st.session_state["marked-runs"] = [run.id for run in marked]
    return marked


def cautions(runs: Sequence[Run]) -> list[str]:
    """What must be known beside their test scores: that they stand side by side, and which are those of a leak."""
    called = titles(runs)
    leaking, astray = (_named([called[run.id] for run in runs if kind(run)]) for kind in (_leaks, _is_astray))
    told = f"Trained although the audit found a leak, so their test scores are too high: {leaking}." if leaking else ""
    lost = f"Diverged, or one answer for all images: {astray}. Their pages say which." if astray else ""
    return [line for line in (viewings.side_by_side(runs), overlaps.beside(runs), told, lost) if line]


def _named(names: Sequence[str]) -> str:
    """The first few, and how many more; "" for none."""
    left = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {left} more" if left > 0 else "")


def _is_astray(run: Run) -> bool:
    try:
        return bool(run.diverged)
    except RunError:
        return False


def _leaks(run: Run) -> bool:
    try:
        return bool(run.leak)
    except RunError:
        # Named as damaged in the table.
        return False


def refresh_while_active(runs: Sequence[Run]) -> None:
    """Look at the disk every few seconds while a run is active; rerun the page when one has moved on."""
    before = _standing(runs)
    if any(state in ACTIVE for _, state, _ in before):

        @st.fragment(run_every=REFRESH_SECONDS)
        def watch() -> None:
            if _standing(list_runs(runs_dir())) != before:
                st.rerun()

        watch()


def _standing(runs: Sequence[Run]) -> list[tuple[str, str, Any]]:
    states = [run.state for run in runs]
    epochs = [run.progress.epoch if state in ACTIVE else None for run, state in zip(runs, states, strict=True)]
    return [(run.id, state, epoch) for run, state, epoch in zip(runs, states, epochs, strict=True)]
