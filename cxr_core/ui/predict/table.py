"""All answers of an upload as a table: as it is exported, as it is shown, in the order in which to look at them.

frame = prediction_table(answers, run.classes)           # a row per file, in the files' order
sheet(drawn(frame, run.classes, run.implied).iloc[order(run, answers, LEAST_SURE)])
"""

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from cxr_core.bars import bars
from cxr_core.findings import FINDINGS, means_none, none_reached
from cxr_core.hierarchy import Coherent
from cxr_core.labels import Implied
from cxr_core.runs import Decision, Run
from cxr_core.ui.predict.uploads import Answer

if TYPE_CHECKING:
    from cxr_core.inference import Prediction

LEAST_SURE, MOST_PROBABLE, AS_UPLOADED = "Least sure first", "Most probable first", "As uploaded"
ORDERS = (LEAST_SURE, MOST_PROBABLE, AS_UPLOADED)
_RANK = {"withheld": 0, "answered": 1, "unreadable": 2}


def prediction_table(
    answers: Sequence[Answer], classes: Sequence[str], forced: Container[str] = (), findings: bool = False
) -> pd.DataFrame:
    """A row per file: file, decision (of ``findings``: ``present``, "A | B"), ``p_CLASS`` for each class, withheld (the
    reason), seen (where in the run's own pictures), error.

    A failed file has no probabilities, nor has one whose answer is withheld, unless its key is in ``forced``.
    """
    said = "present" if findings else "decision"
    columns = ["file", said, *(f"p_{name}" for name in classes), "withheld", "seen", "error"]
    rows = []
    for answer in answers:
        row: dict[str, Any] = {"file": answer.name, said: ""}
        prediction = answer.prediction.shown(answer.key in forced) if answer.prediction else None
        if prediction and prediction.probabilities:
            row[said] = " | ".join(prediction.present or ()) if findings else prediction.label or ""
            row |= {f"p_{name}": value for name, value in prediction.probabilities.items()}
        seen = prediction.seen.sentence if prediction and prediction.seen else ""
        rows.append({**row, "withheld": answer.withheld or "", "seen": seen, "error": answer.error or ""})
    return pd.DataFrame(rows, columns=columns)


def drawn(frame: pd.DataFrame, classes: Sequence[str], implied: Implied) -> pd.DataFrame:
    """:func:`prediction_table` as it is shown: of coherent labels the leaves, of which the longest decides; findings
    stay, less what means none of them, which has no threshold.
    """
    if "present" in frame:
        shown = frame.drop(columns=[f"p_{name}" for name in classes if means_none(name)])
        answered = shown["error"].eq("") & frame[f"p_{classes[0]}"].notna()
        shown.loc[answered & shown["present"].eq(""), "present"] = none_reached(classes)
        return shown
    columns = [f"p_{name}" for name in classes]
    there = frame[columns].notna().all(axis=1)
    if not isinstance(implied, Coherent) or not there.any():
        return frame
    shown = frame.astype(dict.fromkeys(columns, float))
    shown.loc[there, columns] = implied.tree.leaves(shown.loc[there, columns].to_numpy())
    return shown


def prediction_columns(classes: Sequence[str], implied: Implied, findings: bool = False) -> dict[str, Any]:
    """How :func:`drawn` is shown: probabilities as bars of 0 to 1."""
    titles = implied.tree.leaf_names() if isinstance(implied, Coherent) and not findings else classes
    bars = {
        f"p_{name}": st.column_config.ProgressColumn(
            title, min_value=0.0, max_value=1.0, format="%.3f", width=130 if title == name else 200
        )
        for name, title in zip(classes, titles, strict=True)
    }
    said = {name: st.column_config.TextColumn(name.capitalize(), width=220) for name in ("withheld", "seen", "error")}
    wide = st.column_config.TextColumn("Reaches its threshold", width=360)
    reader = {"reader": "You", "reader_label": "Your label"}
    return {"file": "File", "decision": "Decision", "present": wide, **bars, **reader, **said}


def order(run: Run, answers: Sequence[Answer], by: str) -> list[int]:
    """The places of the answers, what to look at first in front: withheld ones, then by ``by``, unreadable ones last.

    Least sure: the smallest distance to another decision. Most probable: the highest probability; of findings the one
    furthest above its threshold. Raises RunError.
    """
    if by == AS_UPLOADED:
        return list(range(len(answers)))
    limits = Decision.load(run).thresholds

    def place(number: int) -> tuple[int, float, int]:
        answer = answers[number]
        value = 0.0
        if answer.prediction and answer.prediction.probabilities:
            margin, strength = _sure(run, answer.prediction, limits)
            value = margin if by == LEAST_SURE else -strength
        return _RANK[answer.outcome], value, number

    return sorted(range(len(answers)), key=place)


def _sure(run: Run, prediction: "Prediction", limits: Mapping[str, float]) -> tuple[float, float]:
    """How far the answer is from another one, and how strong it is."""
    probabilities = prediction.probabilities or {}
    if run.task == FINDINGS:
        over = [probabilities[name] - limits[name] for name in run.findings]
        return min(map(abs, over)), max(over)
    shown = bars(probabilities, prediction.label or "", run.classes, run.implied, limits)
    decided = shown.values[shown.decided]
    if shown.against:
        return min(abs(part.probability - part.threshold) for part in shown.against), decided
    others = [value for name, value in shown.values.items() if name != shown.decided]
    return decided - max(others, default=0.0), decided
