"""Two runs finding by finding, on the same images: the difference of each area with its interval by patient."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from cxr_core.charts.finding_difference import finding_differences
from cxr_core.evaluation.paired_findings import Compared, Difference, compared
from cxr_core.figures import UNDEFINED, counted, interval, number, of, signed
from cxr_core.findings import FINDINGS
from cxr_core.names import SPLITS
from cxr_core.runs import Run, viewings
from cxr_core.settings import Stamp
from cxr_core.ui import escaped, metric
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.findings.few_rows import some_of
from cxr_core.ui.evaluate.findings.headline import listed
from cxr_core.ui.evaluate.findings.judged import judged_images
from cxr_core.ui.evaluate.headline import interval_text
from cxr_core.ui.evaluate.other import named_overlaps, pick_other
from cxr_core.ui.run import cached_measured, stamps, viewed
from cxr_core.ui.sheet import sheet

TITLES = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "f1": "F1",
}


@dataclass(frozen=True)
class Pair:
    """Two runs on their common images. ``differing``: labels that the two judge by differently, left out."""

    found: Compared
    differing: int


def compare_section(run: Run, split: str) -> None:
    """Choose another completed run with a finding of this one, and see whether the images can tell the two apart."""
    other = pick_other(run, _shares_a_finding, "findings")
    if other is None:
        return
    pair = _paired(run, other, split, stamps(run, split), stamps(other, split))
    own = len(cached_measured(run, split)[1])
    if pair is None:
        st.info(
            f"The two runs share no image of the {SPLITS[split]} split, so they cannot be compared on it.",
            icon=":material/info:",
        )
        named_overlaps([run, other])
        return
    found = pair.found
    mine, theirs = (set(judged_images(one, split).names) for one in (run, other))
    st.write(
        f"Compared on {of(found.n, own)} images of this run's {SPLITS[split]} split, those that both were "
        f"evaluated on (by content), and on {of(len(found.findings), len(mine))} findings. A is this run, B the other; "
        "a difference above 0 speaks for A."
    )
    if alone := [f"{side} alone knows {', '.join(sorted(names))}" for side, names in _alone(mine, theirs) if names]:
        st.caption(escaped(f"Not compared: {'; '.join(alone)}."))
    if pair.differing:
        st.caption(f"{counted(pair.differing, 'label')} left out: the two runs judge by another one, or one by none.")
    if split == "test":
        # The other run's test figures are seen here too.
        viewed(other)
        apart = "The two were tested on different data sets, or on one that was fixed in between."
        st.caption(escaped(viewings.side_by_side([run, other]) or apart))
    else:
        st.caption("Each run chose its best epoch and thresholds on its validation split. Judge by the test.")
    named_overlaps([run, other])
    for name, part in (("A", run), ("B", other)):
        if part.leak:
            st.caption(f"{name}: {escaped(part.leak)}")
    _macro(found)
    figure = st.selectbox("Figure", list(TITLES), key="compare-figure", format_func=lambda key: TITLES[key])
    drawn = set(some_of([one.name for one in found.findings], "compare-some"))
    rows = [
        (
            one.name,
            one.figures[figure].difference,
            one.figures[figure].ends,
            f"{of(one.positives, one.n)} images have it, {counted(one.patients, 'patient')}",
        )
        for one in found.findings
        if one.name in drawn
    ]
    st.plotly_chart(
        finding_differences(rows, f"{TITLES[figure]}, A less B", ("B", "A")), key="compare-findings", config=NO_BAR
    )
    sheet(compared_table(found, figure), hide_index=True, placeholder=UNDEFINED)
    few = [one.name for one in found.findings if one.few]
    if few:
        st.warning(
            escaped(f"Too few patients to tell the two apart on {listed(few)}: fewer than ten with it, or without."),
            icon=":material/scale:",
        )


def _shares_a_finding(run: Run, other: Run) -> bool:
    return other.task == FINDINGS and bool({*run.findings} & {*other.findings})


def _alone(mine: set[str], theirs: set[str]) -> list[tuple[str, set[str]]]:
    return [("A", mine - theirs), ("B", theirs - mine)]


@st.cache_data(max_entries=16, show_spinner="Comparing", hash_funcs={Run: lambda run: str(run.path)})
def _paired(run: Run, other: Run, split: str, mine: tuple[Stamp, ...], theirs: tuple[Stamp, ...]) -> Pair | None:
    """None where the two have no image in common."""
    a, b = judged_images(run, split), judged_images(other, split)
    digests = [
        pd.Series(range(len(table)), index=table["digest"]).groupby(level=0).first()
        for table in (cached_measured(one, split)[1] for one in (run, other))
    ]
    both = digests[0].index.intersection(digests[1].index)
    if both.empty:
        return None
    names = [name for name in a.names if name in b.names]
    rows = [digest.loc[both].to_numpy() for digest in digests]
    places = [
        np.ix_(row, [images.names.index(name) for name in names]) for images, row in zip((a, b), rows, strict=True)
    ]
    truth, others = a.truth[places[0]], b.truth[places[1]]
    either = a.known[places[0]] | b.known[places[1]]
    agreed = a.known[places[0]] & b.known[places[1]] & (truth == others)
    found = compared(
        truth,
        agreed,
        a.scores[places[0]],
        b.scores[places[1]],
        names,
        a.thresholds,
        b.thresholds,
        [a.patients[k] for k in rows[0]],
    )
    return Pair(found, int((either & ~agreed).sum()))


def _macro(found: Compared) -> None:
    macro = found.macro_roc_auc
    left, right = st.columns([1, 2])
    with left:
        value = None if macro.difference is None else signed(macro.difference)
        metric("Macro ROC AUC, A − B", value, f"{interval_text(macro.ends)} · {len(found.counted)} findings")
    with right:
        st.markdown(f"A {_written(macro.first)}, B {_written(macro.second)}. {_verdict(macro)}")


def _verdict(macro: Difference) -> str:
    if macro.ends is None:
        return "With fewer than two patients there is no interval: these images say nothing about others."
    if not macro.is_sure:
        return "The interval of the difference holds 0: these images do not tell the two runs apart."
    side, better = ("above", "A") if macro.ends[0] > 0 else ("below", "B")
    return f"The interval of the difference lies {side} 0: {better} is better on images like these."


def compared_table(found: Compared, figure: str) -> pd.DataFrame:
    """A row per finding: the figure of both, the difference, its interval, and what it was counted on."""
    rows = []
    for one in found.findings:
        difference = one.figures[figure]
        rows.append(
            {
                "Finding": one.name,
                "A": _written(difference.first),
                "B": _written(difference.second),
                "A less B": _written(difference.difference),
                "95 % interval": interval(difference.ends) if difference.ends else None,
                "Known": one.n,
                "Positives": one.positives,
                "Patients with it": one.patients,
            }
        )
    return pd.DataFrame(rows)


def _written(value: float | None) -> str:
    return UNDEFINED if value is None else number(value)
