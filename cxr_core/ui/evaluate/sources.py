"""A split's figures source by source, and whether this data set could tell disease from source."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.evaluation import balance
from cxr_core.evaluation.by_source import by_source
from cxr_core.figures import NO_INTERVAL, of, spelled
from cxr_core.runs import Run, files
from cxr_core.runs.companions import LEFT_OUT
from cxr_core.runs.left_out import PROTOCOL, LeftOutScores, planned, scores, verdict
from cxr_core.settings import Stamp, stamp
from cxr_core.ui import escaped
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.companions import measuring
from cxr_core.ui.run.results import thresholds
from cxr_core.ui.sheet import sheet


def sources_section(
    run: Run,
    table: pd.DataFrame,
    each: Callable[[Run, pd.DataFrame], None] | None = None,
    shown: Callable[[LeftOutScores], None] | None = None,
) -> None:
    """``table``: the predictions of the chosen split, as ``cached_measured`` gives them. ``each`` draws the sources,
    ``shown`` what was reached without them: those of classes where none is given.
    """
    trainings, message = _plan(run, stamp(run.path / files.SPLIT))
    st.info(escaped(message), icon=":material/info:")
    if table["source"].fillna("").astype(bool).any():
        (each or _each)(run, table)
    if trainings:
        _left_out(run, trainings, shown or _shown)


def _each(run: Run, table: pd.DataFrame) -> None:
    rows = _by_source(table, run.classes, run.implied)
    st.plotly_chart(
        charts.scores_by_set([{**row, "name": row["source"]} for row in rows]), key="sources", config=NO_BAR
    )
    sheet(pd.DataFrame([_row(row) for row in rows]), hide_index=True)
    st.caption(
        "In brackets: 95 % interval, by patient; (few): fewer than ten, too few to judge. Macro F1 is over the classes "
        "of that source, so it cannot be compared between sources with different classes."
    )


def _left_out(run: Run, trainings: int, shown: Callable[[LeftOutScores], None]) -> None:
    """Each source left out of training in turn: the result, or the button that measures it."""
    st.subheader("Left-out sources", anchor=False)
    file = run.path / LEFT_OUT.file
    found = _scores(run, stamp(file), thresholds(run)) if file.exists() else None
    if found is None:
        st.write(escaped(PROTOCOL))
        measuring(run, LEFT_OUT, "Train without each source in turn", trainings)
        return
    st.write(escaped(verdict(found)))
    shown(found)
    for source, reason in found.skipped.items():
        st.caption(escaped(f"{source} was not left out: {reason}"))
    st.caption(
        escaped(
            f"{PROTOCOL} The run: on the test images of the source, after training on others of it. Each of these "
            "trainings has fewer images than the run's, and part of a drop may come from that."
        )
    )


def _shown(found: LeftOutScores) -> None:
    st.plotly_chart(charts.left_out(found.seen, found.rows), key="left-out", config=NO_BAR)
    own = {row["source"]: row for row in found.seen}
    sheet(pd.DataFrame([_row(row) | _beside(own.get(row["source"])) for row in found.rows]), hide_index=True)
    st.caption("Right, accuracy and macro F1: on all images of the source, by a network that never saw it.")


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _plan(run: Run, changed: Stamp) -> tuple[int, str]:
    """How many trainings, and whether there can be any. Kept for the split as it is."""
    plan = planned(run)
    return len(plan.companions), plan.message


@st.cache_data(max_entries=8, show_spinner="Measuring", hash_funcs={Run: lambda run: str(run.path)})
def _scores(run: Run, changed: Stamp, thresholds: dict[str, float]) -> LeftOutScores | None:
    """Kept for the file as it is and the thresholds as they stand."""
    return scores(run)


def _beside(own: dict[str, Any] | None) -> dict[str, str]:
    return {"The run, right": of(own["right"], own["n"]) if own else "no test image"}


@st.cache_data(max_entries=16, show_spinner="Measuring")
def _by_source(table: pd.DataFrame, classes: list[str], implied: dict[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    return by_source(table, classes, implied)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    written = {}
    for key, title in (("macro_f1", "Macro F1"), ("accuracy", "Accuracy")):
        ends = row["ci"][key]
        written[title] = spelled(row[key], ends, lacking=NO_INTERVAL)
    recalls = balance.recalls(row)
    right = of(row["right"], row["n"])
    return {"Source": row["source"], "Recall": recalls, **written, "Right": right, **row["classes"]}
