"""One finding in parts of the images: by age band, sex, view and source, and where two parts differ most."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.charts.subgroups import TITLES, subgroup_dots
from cxr_core.evaluation.rare import FEW
from cxr_core.evaluation.subgroups import Gap, Subgroups, age_bands, subgroups
from cxr_core.figures import NO_INTERVAL, compact, interval, number, of, signed, spelled
from cxr_core.runs import Run
from cxr_core.settings import Stamp
from cxr_core.ui import escaped
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.findings.judged import judged_images
from cxr_core.ui.evaluate.findings.picked import pick_finding
from cxr_core.ui.run import cached_measured, stamps
from cxr_core.ui.sheet import sheet

KINDS = ("age", "sex", "view", "source")
# Of columns, in pixels: a figure with its interval, or a longer head.
_WIDTHS = {"calibration_gap": 220}
_KEYS = {"roc_auc": "roc_auc", "sensitivity": "recall", "specificity": "specificity", "prevalence": "prevalence"}


def subgroups_section(run: Run, report: Mapping[str, Any], table: pd.DataFrame, split: str) -> None:
    """The largest gap in words, the chart of one figure, the table of all."""
    found_kinds = kinds_of(table)
    if not found_kinds:
        st.info(
            "Of no image age, sex, view or source is known, so there are no subgroups. A column of that name in the "
            "table of the data set makes them.",
            icon=":material/info:",
        )
        return
    left, right = st.columns(2)
    with left:
        name = pick_finding(report["classes"])
    figure = right.selectbox("Figure", list(TITLES), key="subgroup-figure", format_func=lambda key: TITLES[key])
    found = _subgroups(run, split, name, stamps(run, split))
    gap = found.largest(figure)
    st.markdown(
        escaped(_largest(gap, name)) if figure != "prevalence" else "That prevalence differs is no fault of a run."
    )
    overall = report["per_class"][name].get(_KEYS.get(figure, figure))
    st.plotly_chart(subgroup_dots(found.rows, figure, overall, gap), key="subgroups", config=NO_BAR)
    wide = {title: st.column_config.TextColumn(width=_WIDTHS.get(key, 165)) for key, title in TITLES.items()}
    sheet(subgroup_table(found), column_config=wide, hide_index=True, placeholder="too few to say")
    lost = {kind: int((texts == "").sum()) for kind, texts in found_kinds.items()}
    unknown = ", ".join(f"{kind} of {of(count, len(table))} images" for kind, count in lost.items() if count)
    st.caption(
        f"At the run's threshold of {number(report['per_class'][name]['threshold'])}. In brackets: 95 % interval, by "
        f"patient. Too few to say: fewer than {FEW} patients with the finding, or without it. "
        + (f"Not known, and in no subgroup: {unknown}. " if unknown else "")
        + "A gap is the largest of several, and so larger than it would be by itself: a hint where to look, no proof."
    )


def kinds_of(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Kind -> the subgroup of each image, "" where it is not known; kinds of which nothing is known are left out."""
    given: dict[str, pd.Series] = {}
    for kind in KINDS:
        if kind not in table:
            continue
        if kind == "age":
            years = pd.to_numeric(table["age"], errors="coerce")
            given[kind] = pd.Series(age_bands(years.to_numpy()), dtype=str)
        else:
            given[kind] = table[kind].fillna("").astype(str).reset_index(drop=True)
    return {kind: texts for kind, texts in given.items() if (texts != "").any()}


@st.cache_data(max_entries=64, show_spinner="Measuring", hash_funcs={Run: lambda run: str(run.path)})
def _subgroups(run: Run, split: str, name: str, changed: tuple[Stamp, ...]) -> Subgroups:
    images, (_, table) = judged_images(run, split), cached_measured(run, split)
    one = images.of(name)
    return subgroups(
        one.truth[:, None],
        one.known[:, None],
        one.score[:, None],
        [name],
        images.thresholds,
        {kind: texts.tolist() for kind, texts in kinds_of(table).items()},
        images.patients,
    )


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
