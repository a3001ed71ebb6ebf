"""Epochs replayed: which class was learnt when, and where it was forgotten. Validation split, epoch by epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cxr_core import charts
from cxr_core.charts.history import recall_curve
from cxr_core.errors import RunError
from cxr_core.figures import number, of
from cxr_core.runs import Run, files
from cxr_core.runs.records import Epoch
from cxr_core.ui import escaped, is_dark
from cxr_core.ui.evaluate.classes import NO_BAR

CURVES = ("loss", "accuracy", "macro_f1")


def replay_section(run: Run) -> None:
    """A slider over the epochs moves the matrix and the recalls; below, the curves of the training."""
    history = run.history
    if not history:
        st.info("The history of this run is empty: there is no epoch to replay.", icon=":material/info:")
        return
    replayed = [row for epoch in history if (row := _replayed(epoch, run.classes))]
    if len(replayed) < len(history):
        raise RunError(
            f"{run.path / files.HISTORY} is damaged: expected recall and confusion of "
            f"{', '.join(run.classes)} for each epoch. Restore it, or train again."
        )
    best = run.best
    last = len(history)
    key = f"epoch-{run.id}"
    st.session_state.setdefault(key, best.epoch if best else last)
    epoch = st.slider("Epoch", 1, last, key=key) if last > 1 else 1
    row, before = replayed[epoch - 1], replayed[epoch - 2] if epoch > 1 else None
    kept = " · the best: its weights are evaluated and predict" if best and best.epoch == epoch else ""
    n = sum(map(sum, row.confusion))
    st.write(
        f"**Epoch {epoch} of {last}**{kept}. Validation, {n:,} images: macro F1 {number(row.macro_f1)}, "
        f"accuracy {number(row.accuracy)}, loss {row.loss:.4f}."
    )
    left, right = st.columns([3, 2])
    left.plotly_chart(charts.confusion(row.confusion, run.classes, dark=is_dark()), key="replay", config=NO_BAR)
    with right:
        for k, name in enumerate(run.classes):
            _recall(name, k, row, before)
        st.caption(_forgotten(replayed, epoch, run.classes))
    st.write("**Recall of each class over the epochs**")
    st.plotly_chart(recall_curve(history, run.classes, epoch), key="replay-recall", config=NO_BAR)
    for column, curve in zip(st.columns(3), CURVES, strict=True):
        column.plotly_chart(charts.history_curve(history, curve), key=f"history-{curve}")


@dataclass(frozen=True)
class _Replayed:
    """What an epoch measured on validation, whole."""

    epoch: int
    loss: float
    accuracy: float
    macro_f1: float
    recall: dict[str, float]
    confusion: list[list[int]]


def _replayed(row: Epoch, classes: Sequence[str]) -> _Replayed | None:
    """An epoch's figures; None where one is missing, or its matrix is of other classes."""
    val = row.val
    recall = {name: value for name in classes if (value := val.recall.get(name)) is not None}
    if val.loss is None or val.accuracy is None or val.macro_f1 is None or len(recall) < len(classes):
        return None
    if [len(part) for part in val.confusion] != [len(classes)] * len(classes):
        return None
    return _Replayed(row.epoch, val.loss, val.accuracy, val.macro_f1, recall, val.confusion)


def _recall(name: str, k: int, row: _Replayed, before: _Replayed | None) -> None:
    counts = row.confusion[k]
    change = None if before is None else row.recall[name] - before.recall[name]
    st.metric(
        f"Recall of {escaped(name)}: {of(counts[k], sum(counts))}",
        number(row.recall[name]),
        None if change is None else f"{change:+.3f} since the epoch before" if change else "as in the epoch before",
        delta_color="normal" if change else "off",
        delta_arrow="auto" if change else "off",
    )


def _forgotten(history: Sequence[_Replayed], epoch: int, classes: Sequence[str]) -> str:
    """Which classes were known better before: the earlier epoch with the highest recall, where that is higher."""
    lost = []
    for k, name in enumerate(classes):
        now = history[epoch - 1].recall[name]
        best = max(history[:epoch], key=lambda row: row.recall[name])
        if best.recall[name] > now:
            counts = best.confusion[k]
            lost.append(f"{escaped(name)} (epoch {best.epoch}: {of(counts[k], sum(counts))})")
    return f"Earlier best: {', '.join(lost)}." if lost else "No class had a better epoch before."
