"""One class or finding in parts of the images: by age band, sex, view and source, and where two parts differ most."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.charts.subgroups import TITLES, subgroup_dots
from cxr_core.evaluation.rare import FEW
from cxr_core.evaluation.subgroups import Gap, Subgroups
from cxr_core.figures import NO_INTERVAL, compact, interval, number, of, signed, spelled
from cxr_core.findings import FINDINGS
from cxr_core.runs import Decision, Run, files
from cxr_core.runs.in_parts import in_parts, keeps_none, parts_of
from cxr_core.settings import Stamp, stamp
from cxr_core.ui import escaped
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.picked import pick_finding
from cxr_core.ui.run import cached_measured, stamps
from cxr_core.ui.sheet import sheet

# So many rows of a chart can be read; a table has all.
_DRAWN = 40
# Of columns, in pixels: a figure with its interval, or a longer head.
_WIDTHS = {"calibration_gap": 220}


def subgroups_section(run: Run, split: str) -> None:
    """The largest gap in words, the chart of one figure, the table of all."""
    report, _ = cached_measured(run, split)
    changed = (*stamps(run, split), stamp(run.path / files.SPLIT))
    parts, is_old = _parts(run, split, changed)
    older = (
        "This run is older than the columns age, sex and view: its split keeps none of them. Train again to have these "
        "subgroups."
    )
    if not parts:
        st.info(
            older
            if is_old
            else "Of no image age, sex, view or source is known, so there are no subgroups. A column of that name in "
            "the table of the data set makes them.",
            icon=":material/info:",
        )
        return
    if is_old:
        st.info(older, icon=":material/info:")
    what = "finding" if run.task == FINDINGS else "class"
    left, right = st.columns(2)
    with left:
        name = pick_finding(report["classes"], what.capitalize())
    figure = right.selectbox("Figure", list(TITLES), key="subgroup-figure", format_func=lambda key: TITLES[key])
    found = _subgroups(run, split, name, changed)
    gap = found.largest(figure)
    st.markdown(
        escaped(_largest(gap, name)) if figure != "prevalence" else "That prevalence differs is no fault of a run."
    )
    rows = found.rows
    if len(rows) > _DRAWN:
        most = sorted(range(len(rows)), key=lambda k: -min(rows[k].patients, rows[k].others))[:_DRAWN]
        rows = tuple(rows[k] for k in sorted(most))
        st.caption(f"Drawn: the {_DRAWN} of {len(found.rows):,} subgroups with the most patients; the table has all.")
    overall = found.overall[name].get(figure)
    st.plotly_chart(subgroup_dots(rows, figure, overall, gap), key="subgroups", config=NO_BAR)
    wide = {title: st.column_config.TextColumn(width=_WIDTHS.get(key, 165)) for key, title in TITLES.items()}
    sheet(subgroup_table(found), column_config=wide, hide_index=True, placeholder="too few to say")
    n = report["n"]
    lost = {kind: texts.count("") for kind, texts in parts.items()}
    unknown = ", ".join(f"{kind} of {of(count, n)} images" for kind, count in lost.items() if count)
    st.caption(
        f"{escaped(_rule(run, name))} In brackets: 95 % interval, by patient. Too few to say: fewer than {FEW} "
        f"patients with the {what}, or without it. "
        + (f"Not known, and in no subgroup: {unknown}. " if unknown else "")
        + "A gap is the largest of several, and so larger than it would be by itself: a hint where to look, no proof."
    )


def _rule(run: Run, name: str) -> str:
    """When the class or finding counts as called, and as there."""
    if run.task == FINDINGS:
        return f"At the run's threshold of {number(Decision.load(run).thresholds[name])}."
    more = [specific for specific, generals in run.implied.items() if name in generals]
    if not more:
        return f"By the run's decisions: {name} against the other classes."
    return f"By the run's decisions: {name} against the other classes; {', '.join(more)} counts as {name} too."


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _parts(run: Run, split: str, changed: tuple[Stamp, ...]) -> tuple[dict[str, list[str]], bool]:
    _, table = cached_measured(run, split)
    return parts_of(run, table), keeps_none(run, table)


@st.cache_data(max_entries=64, show_spinner="Measuring", hash_funcs={Run: lambda run: str(run.path)})
def _subgroups(run: Run, split: str, name: str, changed: tuple[Stamp, ...]) -> Subgroups:
    parts, _ = _parts(run, split, changed)
    return in_parts(run, cached_measured(run, split)[1], name, parts)


def _largest(gap: Gap | None, name: str) -> str:
    """The largest gap in a sentence."""
    if gap is None:
        return f"No two subgroups have enough patients with {name} and without it to be compared."
    ends = f" (95 % interval {interval(gap.ends)})" if gap.ends else ""
    sure = (
        "the interval leaves out no difference" if gap.is_sure else "the interval does not rule out that there is none"
    )
    return (
        f"Largest gap in {TITLES[gap.figure]} of {name}: {gap.by} {gap.high} less {gap.by} {gap.low}, "
        f"{signed(gap.difference)}{ends}; {sure}."
    )


def subgroup_table(found: Subgroups) -> pd.DataFrame:
    """A row per subgroup; figures of those that are too small are left out."""
    rows = []
    for row in found.rows:
        written: dict[str, Any] = {
            "By": row.by,
            "Subgroup": row.value,
            "Known": row.n,
            "Positives": row.positives,
            "Patients with it": row.patients,
            "Patients without": row.others,
        }
        for key, title in TITLES.items():
            figure = row.figures.get(key)
            if figure is None or figure.value is None:
                written[title] = None
            elif key == "calibration_gap":
                # Without a plus sign, which would begin a formula.
                written[title] = spelled(figure.value, figure.ends, lacking=NO_INTERVAL)
            else:
                written[title] = compact(figure.value, figure.ends, lacking=NO_INTERVAL)
        rows.append(written)
    return pd.DataFrame(rows)
