"""The section Sources of a run of findings: each source with its own figures, and what is lost where it is left out."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.charts.finding_difference import finding_differences
from cxr_core.charts.sides import Row, side_by_side
from cxr_core.figures import NO_INTERVAL, UNDEFINED, compact, counted, interval, of, spelled
from cxr_core.runs import Run
from cxr_core.runs.by_source import by_source_of
from cxr_core.runs.control_findings import GUESSING
from cxr_core.runs.left_out import LeftOutScores
from cxr_core.settings import Stamp
from cxr_core.ui import escaped
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.findings.few_rows import some_of
from cxr_core.ui.evaluate.sources import sources_section
from cxr_core.ui.run import stamps
from cxr_core.ui.sheet import sheet

SEEN, NEVER = "seen in training (the run)", "never seen"


def findings_sources_section(run: Run, table: pd.DataFrame, split: str) -> None:
    """``table``: the predictions of the chosen split, as ``cached_measured`` gives them."""
    sources_section(run, table, lambda run, table: _each(run, table, split), _left_out)


def _each(run: Run, table: pd.DataFrame, split: str) -> None:
    rows = _by_source(run, table, split, stamps(run, split))
    st.plotly_chart(
        side_by_side([_row(row["source"], [row]) for row in rows], ("run",), "Macro ROC AUC", GUESSING),
        key="sources",
        config=NO_BAR,
    )
    pinned = {"Source": st.column_config.TextColumn("Source", pinned=True)}
    sheet(sources_table(rows), hide_index=True, placeholder=UNDEFINED, column_config=pinned)
    st.caption(
        "ROC AUC of each finding, with images that have it of those where it is known; in brackets and whiskers: 95 % "
        "interval, by patient. The mean is over the findings that are both there and not there in that source, so "
        "between sources with other findings it cannot be compared. Subgroups has sensitivity and specificity."
    )


@st.cache_data(max_entries=16, show_spinner="Measuring", hash_funcs={Run: lambda run: str(run.path)})
def _by_source(run: Run, _table: pd.DataFrame, split: str, changed: tuple[Stamp, ...]) -> list[dict[str, Any]]:
    return by_source_of(run, _table)


def _row(source: str, sides: list[Mapping[str, Any] | None]) -> Row:
    """A row of the chart: the mean area of each side, None where it has no image of the source."""
    areas = tuple(side["macro_roc_auc"] if side else None for side in sides)
    ends = tuple(side["ci"]["macro_roc_auc"] if side else None for side in sides)
    on = tuple(
        f"{counted(side['n'], 'image')}, {counted(len(side['counted']), 'finding')}" if side else "" for side in sides
    )
    return Row(source, areas, ends, on)


def sources_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A row per source: images, the mean area, and each finding's."""
    return pd.DataFrame([{"Source": row["source"], "Images": row["n"], **_areas(row)} for row in rows])


def _areas(row: Mapping[str, Any]) -> dict[str, str | None]:
    mean, ends = row["macro_roc_auc"], row["ci"]["macro_roc_auc"]
    written = {"Macro ROC AUC": None if mean is None else compact(mean, ends, lacking=NO_INTERVAL)}
    for name, found in row["per_class"].items():
        value, ends = found["roc_auc"], row["ci"]["per_class"][name].get("roc_auc")
        on = of(found["positives"], found["n"])
        written[name] = None if value is None else f"{compact(value, ends, 2, lacking=NO_INTERVAL)}, {on}"
    return written


def _left_out(found: LeftOutScores) -> None:
    """Each source by a network that saw it and by one that did not; then what each finding loses."""
    own = {row["source"]: row for row in found.seen}
    st.plotly_chart(
        side_by_side(
            [_row(row["source"], [own.get(row["source"]), row]) for row in found.rows],
            (SEEN, NEVER),
            "Macro ROC AUC",
            GUESSING,
        ),
        key="left-out",
        config=NO_BAR,
    )
    st.caption(
        "Seen: the run on its test images of the source. Never seen: on all images of the source. These are other "
        "images; the loss below is counted on the same test images."
    )
    unlearnt = {row["source"]: row["unlearnt"] for row in found.rows if row["unlearnt"]}
    for source, names in unlearnt.items():
        st.caption(escaped(f"Without {source} {', '.join(names)} cannot be learnt, and is not judged there."))
    if found.difference:
        _lost(found.difference)


def _lost(difference: Mapping[str, Any]) -> None:
    lost = difference["per_finding"]
    rows = [
        (
            name,
            lost[name]["difference"],
            lost[name]["ci"],
            f"{of(lost[name]['positives'], lost[name]['n'])} images, {counted(lost[name]['sources'], 'source')}",
        )
        for name in some_of(sorted(lost, key=lambda name: -lost[name]["difference"]), "left-out-some")
    ]
    st.plotly_chart(
        finding_differences(rows, "ROC AUC, seen less never seen", (NEVER, "seen")),
        key="left-out-findings",
        config=NO_BAR,
    )
    sheet(lost_table(lost), hide_index=True, placeholder=UNDEFINED)
    st.caption(
        f"On the same {difference['n']:,} test images, paired by patient. Each training has probabilities of its own, "
        "so an area is counted within each source, and the mean of the sources is shown. Grey: the interval holds 0."
    )


def lost_table(lost: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row per finding: its area where the source was seen and where not, and the loss."""
    rows = [
        {
            "Finding": name,
            "Seen": compact(row["roc_auc"]),
            "Never seen": compact(row["left_out"]),
            "Lost": spelled(row["difference"]),
            "95 % interval": interval(row["ci"]) if row["ci"] else None,
            "With it": of(row["positives"], row["n"]),
            "Sources": row["sources"],
        }
        for name, row in lost.items()
    ]
    return pd.DataFrame(rows)
