"""Epochs replayed: which finding was learnt when, and where it was forgotten. Validation split, epoch by epoch."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.charts.findings import finding_curves
from cxr_core.errors import RunError
from cxr_core.figures import UNDEFINED, number, signed
from cxr_core.runs import Run, files
from cxr_core.runs.records import Epoch
from cxr_core.ui import escaped
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.sheet import sheet

DRAWN = 6


def replay_section(run: Run, names: Sequence[str]) -> None:
    """A slider over the epochs moves the table of the findings; a curve for each that is chosen, and for their mean."""
    history = run.history
    if not history:
        st.info("The history of this run is empty: there is no epoch to replay.", icon=":material/info:")
        return
    if any(row.val.loss is None or not set(names) <= set(row.val.roc_auc) for row in history):
        raise RunError(
            f"{run.path / files.HISTORY} is damaged: expected the loss and the ROC AUC of {', '.join(names)} for each "
            "epoch. Restore it, or train again."
        )
    best, last = run.best, len(history)
    key = f"epoch-{run.id}"
    st.session_state.setdefault(key, best.epoch if best else last)
    epoch = st.slider("Epoch", 1, last, key=key) if last > 1 else 1
    row = history[epoch - 1]
    kept = " · the best: its weights are evaluated and predict" if best and best.epoch == epoch else ""
    st.write(
        f"**Epoch {epoch} of {last}**{kept}. Validation: macro ROC AUC {_written(row.val.macro_roc_auc)}, macro F1 "
        f"{_written(row.val.macro_f1)}, loss {row.val.loss:.4f}."
    )
    shown = st.multiselect("Curves of", list(names), list(names)[:DRAWN], key=f"replay-of-{run.id}")
    chart = finding_curves(
        [one.epoch for one in history],
        [one.val.macro_roc_auc for one in history],
        {name: [one.val.roc_auc[name] for one in history] for name in shown},
        names,
        epoch,
    )
    st.plotly_chart(chart, key="replay-curves", config=NO_BAR)
    digits = {name: st.column_config.NumberColumn(format="%.3f") for name in ("ROC AUC", "Best so far")}
    sheet(epoch_table(history, epoch, names), hide_index=True, column_config=digits, placeholder=UNDEFINED)
    st.caption(escaped(_forgotten(history, epoch, names)))
    st.plotly_chart(charts.history_curve(history, "loss"), key="history-loss")


def epoch_table(history: Sequence[Epoch], epoch: int, names: Sequence[str]) -> pd.DataFrame:
    """Each finding's area after ``epoch``, how it moved, and the best one up to there."""
    rows = []
    for name in names:
        value = history[epoch - 1].val.roc_auc[name]
        before = history[epoch - 2].val.roc_auc[name] if epoch > 1 else None
        moved = "" if value is None or before is None else _moved(value - before)
        best = _best(history[:epoch], name)
        rows.append(
            {
                "Finding": name,
                "ROC AUC": value,
                "Since the epoch before": moved,
                "Best so far": best.val.roc_auc[name] if best else None,
                "In epoch": best.epoch if best else None,
            }
        )
    return pd.DataFrame(rows)


def _moved(change: float) -> str:
    """In words, for a plus sign would begin a formula."""
    written = signed(abs(change))[1:]
    return "as before" if float(written) == 0 else f"{'up' if change > 0 else 'down'} {written}"


def _best(history: Sequence[Epoch], name: str) -> Epoch | None:
    """The earliest epoch with the highest area of a finding; None where it never had one."""
    known = [row for row in history if row.val.roc_auc[name] is not None]
    return max(known, key=lambda row: row.val.roc_auc[name] or 0.0, default=None)


def _forgotten(history: Sequence[Epoch], epoch: int, names: Sequence[str]) -> str:
    lost = []
    for name in names:
        best, now = _best(history[:epoch], name), history[epoch - 1].val.roc_auc[name]
        if best and now is not None and (best.val.roc_auc[name] or 0.0) > now:
            lost.append(f"{name} (epoch {best.epoch})")
    return f"Earlier best: {', '.join(lost)}." if lost else "No finding had a better epoch before."


def _written(value: float | None) -> str:
    return UNDEFINED if value is None else number(value)
