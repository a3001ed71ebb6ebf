"""Epochs replayed: which class was learnt when, and where it was forgotten. Validation split, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cxr_core import charts
from cxr_core.charts.history import recall_curve
from cxr_core.errors import RunError
from cxr_core.figures import number, of
from cxr_core.runs import Run
from cxr_core.ui import escaped, is_dark
from cxr_core.ui.evaluate.classes import NO_BAR

CURVES = ("loss", "accuracy", "macro_f1")


def replay_section(run: Run) -> None:
    """A slider over the epochs moves the matrix and the recalls; below, the curves of the training."""
    history = run.history
    if not history:
        st.info("The history of this run is empty: there is no epoch to replay.", icon=":material/info:")
        return
    if not all(_whole(row, run.classes) for row in history):
        raise RunError(
            f"{run.path / 'history.jsonl'} is damaged: expected recall and confusion of "
            f"{', '.join(run.classes)} for each epoch. Restore it, or train again."
        )
    best = run.best
    last = len(history)
    key = f"epoch-{run.id}"
    st.session_state.setdefault(key, best["epoch"] if best else last)
    epoch = st.slider("Epoch", 1, last, key=key) if last > 1 else 1
    row, before = history[epoch - 1], history[epoch - 2] if epoch > 1 else None
    kept = " · the best: its weights are evaluated and predict" if best and best["epoch"] == epoch else ""
    n = sum(map(sum, row["val"]["confusion"]))
    st.write(
        f"**Epoch {epoch} of {last}**{kept}. Validation, {n:,} images: macro F1 {number(row['val']['macro_f1'])}, "
        f"accuracy {number(row['val']['accuracy'])}, loss {row['val']['loss']:.4f}."
    )
    left, right = st.columns([3, 2])
    left.plotly_chart(
        charts.confusion(row["val"]["confusion"], run.classes, dark=is_dark()), key="replay", config=NO_BAR
    )
    with right:
        for k, name in enumerate(run.classes):
            _recall(name, k, row, before)
        st.caption(_forgotten(history, epoch, run.classes))
    st.write("**Recall of each class over the epochs**")
    st.plotly_chart(recall_curve(history, run.classes, epoch), key="replay-recall", config=NO_BAR)
    for column, curve in zip(st.columns(3), CURVES, strict=True):
        column.plotly_chart(charts.history_curve(history, curve), key=f"history-{curve}")


def _whole(row: Mapping[str, Any], classes: Sequence[str]) -> bool:
    try:
        shape = [len(part) for part in row["val"]["confusion"]]
        numbers = [row["val"][name] for name in CURVES] + [row["val"]["recall"][name] for name in classes]
        numbers += [count for part in row["val"]["confusion"] for count in part]
    except (KeyError, TypeError):
        return False
    return shape == [len(classes)] * len(classes) and all(isinstance(number, int | float) for number in numbers)


def _recall(name: str, k: int, row: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
    counts = row["val"]["confusion"][k]
    change = None if before is None else row["val"]["recall"][name] - before["val"]["recall"][name]
    st.metric(
        f"Recall of {escaped(name)}: {of(counts[k], sum(counts))}",
        number(row["val"]["recall"][name]),
        None if change is None else f"{change:+.3f} since the epoch before" if change else "as in the epoch before",
        delta_color="normal" if change else "off",
        delta_arrow="auto" if change else "off",
    )


def _forgotten(history: Sequence[Mapping[str, Any]], epoch: int, classes: Sequence[str]) -> str:
    """Which classes were known better before: the earlier epoch with the highest recall, where that is higher."""
    lost = []
    for k, name in enumerate(classes):
        now = history[epoch - 1]["val"]["recall"][name]
        best = max(history[:epoch], key=lambda row: row["val"]["recall"][name])
        if best["val"]["recall"][name] > now:
            counts = best["val"]["confusion"][k]
            lost.append(f"{escaped(name)} (epoch {best['epoch']}: {of(counts[k], sum(counts))})")
    return f"Known better before: {', '.join(lost)}." if lost else "No class was known better before."
