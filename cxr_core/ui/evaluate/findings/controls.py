"""The section Controls of a run of findings: the mean of all as of classes, and which findings remain without lungs."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.charts.sides import Row, side_by_side
from cxr_core.figures import NO_INTERVAL, UNDEFINED, Ends, compact, of, spelled
from cxr_core.runs import Run
from cxr_core.runs.control_findings import GUESSING, LUNGLESS, FindingRow
from cxr_core.runs.controls import TITLES, Scores
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.controls import controls_section
from cxr_core.ui.evaluate.findings.few_rows import some_of
from cxr_core.ui.sheet import sheet

# Whose intervals are drawn: those that the rule compares. The table has all.
_WITH_ENDS = ("run", LUNGLESS)
_UNKNOWN: tuple[float | None, Ends] = (None, None)


def findings_controls_section(run: Run) -> None:
    """The scores once they are measured; before, the button; meanwhile, how far it is."""
    controls_section(run, _by_finding)


def _by_finding(found: Scores) -> None:
    """A row per finding: the run, the controls, shortcut and source, and what is left without lungs."""
    kinds = kinds_of(found)
    rows = {row.name: row for row in found.findings}
    names = some_of(list(rows), "controls-some")
    st.plotly_chart(
        side_by_side(
            [_row(rows[name], kinds) for name in names],
            [TITLES[kind].lower() for kind in kinds],
            "ROC AUC",
            GUESSING,
            [rows[name].state or "" for name in names],
        ),
        key="controls-findings",
        config=NO_BAR,
    )
    pinned = {"Finding": st.column_config.TextColumn("Finding", pinned=True)}
    sheet(controls_table(found), hide_index=True, placeholder=UNDEFINED, column_config=pinned)
    st.caption(
        "A finding remains without lungs where the control without lungs tells it from guessing (its interval lies "
        "above 0.5, dotted) and reaches the lower end of the run's interval; in part: it stays below. Whiskers: 95 % "
        "interval, by patient, of these two. Less without lungs: the run less that control, paired on the same images. "
        "Shortcut and source alone: a simple model, cross-validated on all images."
    )


def kinds_of(found: Scores) -> list[str]:
    """What is held against the run here, and the run itself, in the order of the bars."""
    return [kind for kind in TITLES if any(kind in row.areas for row in found.findings)]


def _row(row: FindingRow, kinds: list[str]) -> Row:
    areas = [row.areas.get(kind, _UNKNOWN) for kind in kinds]
    return Row(
        row.name,
        tuple(value for value, _ in areas),
        tuple(ends if kind in _WITH_ENDS else None for kind, (_, ends) in zip(kinds, areas, strict=True)),
        (row.said,) * len(kinds),
    )


def controls_table(found: Scores) -> pd.DataFrame:
    """A row per finding: what is left without lungs, each area with its interval, and the paired difference."""
    kinds = kinds_of(found)
    rows = []
    for row in found.findings:
        written: dict[str, Any] = {
            "Finding": row.name,
            "Left without lungs": row.state,
            "With it": of(row.positives, row.n),
        }
        for kind in kinds:
            value, ends = row.areas.get(kind, _UNKNOWN)
            written[TITLES[kind]] = None if value is None else compact(value, ends, lacking=NO_INTERVAL)
        drop, ends = row.differences.get(LUNGLESS, _UNKNOWN)
        written["Less without lungs"] = None if drop is None else spelled(drop, ends, lacking=NO_INTERVAL)
        rows.append(written)
    return pd.DataFrame(rows)
