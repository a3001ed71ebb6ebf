"""Other data sets: a run of findings evaluated there, and its own test beside it on the findings that both have."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.charts.sides import Row, side_by_side
from cxr_core.evaluation.rare import FEW
from cxr_core.figures import NO_INTERVAL, UNDEFINED, compact, counted, of, spelled
from cxr_core.runs import Run
from cxr_core.runs.external_findings import sentence
from cxr_core.ui import escaped
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.external import asked_and_found, forget_button, shared_images
from cxr_core.ui.evaluate.findings.few_rows import some_of
from cxr_core.ui.evaluate.findings.headline import listed
from cxr_core.ui.run import overlap_warning
from cxr_core.ui.sheet import sheet

TITLES = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "recall": "Sensitivity",
    "specificity": "Specificity",
}
_SIDES = ("Own test", "There")
_DRAWN = ("own test", "there")


def findings_external_section(run: Run) -> None:
    """The choice of a data set, all that are kept, and one of them finding by finding."""
    st.write(
        "A test from the same data set shares its hospitals, devices and labels with the training. Another data set "
        "shows how well each finding holds up elsewhere. Findings are matched by their names."
    )
    found = asked_and_found(run)
    if not found:
        return
    if len(found) > 1:
        sheet(pd.DataFrame([_overview(row) for row in found]), hide_index=True, placeholder=UNDEFINED)
    files = {row["file"]: row for row in found}
    if st.session_state.get("external-kept") not in files:
        st.session_state["external-kept"] = next(iter(files))
    chosen = st.selectbox("Shown", list(files), key="external-kept", format_func=lambda file: _named(files[file]))
    row = files[chosen]
    with st.container(horizontal=True, vertical_alignment="center"):
        said = sentence(row["name"], row["against"]) if row["against"] else row["problem"]
        st.markdown(f"**{escaped(said)}**", width="stretch")
        forget_button(run, row)
    overlap_warning(row["overlap"])
    overlap_warning(shared_images(row))
    if row["against"]:
        _compared(row["against"])
    else:
        sheet(there_alone(row), hide_index=True, placeholder=UNDEFINED)
    _matches(row)


def _compared(found: Mapping[str, Any]) -> None:
    """A chart of one figure on both sides, and the table of all findings."""
    figure = st.selectbox("Figure", list(TITLES), key="external-figure", format_func=lambda key: TITLES[key])
    names = some_of(list(found["per_class"]), "external-some", first=found["labels"])
    rows = [_row(found, name, figure) for name in names]
    if figure == "roc_auc":
        macro = found["macro_roc_auc"]
        on = f"mean over {counted(len(found['labels']), 'finding')}"
        rows.insert(0, Row("Mean", (macro["a"], macro["b"]), (macro["a_ci"], macro["b_ci"]), (on, on)))
    guess = 0.5 if figure == "roc_auc" else None
    st.plotly_chart(side_by_side(rows, _DRAWN, TITLES[figure], guess), key="external-findings", config=NO_BAR)
    sheet(external_table(found, figure), hide_index=True, placeholder=UNDEFINED)
    few = [name for name, row in found["per_class"].items() if min(*row["patients"], *row["others"]) < FEW]
    said = f" Fewer than ten patients with it, or without it, on one side: {listed(few)}." if few else ""
    st.caption(
        escaped(
            "Whiskers and brackets: 95 % interval, by patient. Drop: own test less there; these are other images, so "
            f"the two are resampled independently. The mean: over {counted(len(found['labels']), 'finding')} that "
            f"some images have and others have not, on both sides: {listed(found['labels'])}.{said}"
        )
    )


def _row(found: Mapping[str, Any], name: str, figure: str) -> Row:
    figures, row = found["per_class"][name][figure], found["per_class"][name]
    on = [f"there in {of(row['positives'][side], row['known'][side])} images" for side in (0, 1)]
    return Row(name, (figures["a"], figures["b"]), (figures["a_ci"], figures["b_ci"]), (on[0], on[1]))


def external_table(found: Mapping[str, Any], figure: str) -> pd.DataFrame:
    """A row per finding that both have: the figure on both sides, the drop, and what it was counted on."""
    rows = []
    for name, row in found["per_class"].items():
        one = row[figure]
        sides = [
            None if one[side] is None else compact(one[side], one[f"{side}_ci"], lacking=NO_INTERVAL) for side in "ab"
        ]
        rows.append(
            {
                "Finding": name,
                **dict(zip(_SIDES, sides, strict=True)),
                "Drop": None if one["drop"] is None else spelled(one["drop"], one["ci"], lacking=NO_INTERVAL),
                **{
                    f"With it, {title.lower()}": of(row["positives"][k], row["known"][k])
                    for k, title in enumerate(_SIDES)
                },
            }
        )
    return pd.DataFrame(rows)


def there_alone(row: Mapping[str, Any]) -> pd.DataFrame:
    """A row per finding that both have, where the run has no test of its own to stand beside."""
    rows = []
    for name, figures in row["per_class"].items():
        ends = row["ci"]["per_class"][name]
        values = {
            title: None if figures[key] is None else compact(figures[key], ends.get(key), lacking=NO_INTERVAL)
            for key, title in TITLES.items()
        }
        rows.append({"Finding": name, **values, "With it": of(figures["positives"], figures["n"])})
    return pd.DataFrame(rows)


def _matches(row: Mapping[str, Any]) -> None:
    """Which names are one finding, by which rule, and which only one side has."""
    with st.expander(
        f"How the names were matched ({of(len(row['matched']), len(row['matched']) + len(row['absent']))})"
    ):
        titles = {"ours": "Of the run", "theirs": "Of the data set", "rule": "Matched by"}
        sheet(pd.DataFrame(row["matched"]).rename(columns=titles), hide_index=True)
    st.caption(escaped(" ".join(alone(row["absent"], row["unmatched"]))))


def alone(absent: Sequence[str], unmatched: Sequence[str] | None) -> list[str]:
    """Sentences: the findings that only the run has, and those that only the data set has."""
    said = [f"Only the run has: {', '.join(absent)}." if absent else "Every finding of the run is labelled there."]
    if unmatched is None:
        return [*said, "What only the data set has was not kept: evaluate it again to see it."]
    return [*said, f"Only the data set has: {', '.join(unmatched)}." if unmatched else "It has no other findings."]


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['name']}, {row['split']}, {row['n']:,} images, {row['evaluated'][:10]}"


def _overview(row: Mapping[str, Any]) -> dict[str, Any]:
    macro = row["against"]["macro_roc_auc"] if row["against"] else None
    there, own = (compact(macro[side], macro[f"{side}_ci"], lacking=NO_INTERVAL) if macro else None for side in "ba")
    return {
        "Data set": row["name"],
        "Split": row["split"],
        "Images": row["n"],
        "Findings": len(row["against"]["labels"]) if row["against"] else 0,
        "Macro ROC AUC, own test": own,
        "There": there,
        "Drop": spelled(macro["drop"], macro["ci"], lacking=NO_INTERVAL) if macro else None,
        "Evaluated": row["evaluated"][:10],
    }
