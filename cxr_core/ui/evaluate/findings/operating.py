"""The operating point of a finding: its threshold, chosen on validation, what it costs, and what acting on it gains."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.charts.benefit import decision_curve as benefit_chart
from cxr_core.evaluation.net_benefit import DecisionCurve, decision_curve
from cxr_core.evaluation.operating import at_threshold, fractions, point_intervals
from cxr_core.figures import of, percent, signed
from cxr_core.names import SPLITS
from cxr_core.runs import Decision, Run
from cxr_core.settings import Stamp
from cxr_core.ui import guarded
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.draft import draft_of, save_buttons, share_text, threshold_slider
from cxr_core.ui.evaluate.findings.judged import curves_of, judged_images
from cxr_core.ui.evaluate.picked import pick_finding
from cxr_core.ui.evaluate.ratios import prevalence_view, ratios_view
from cxr_core.ui.run import stamps
from cxr_core.ui.sheet import sheet

# In the order in which they are shown: a threshold is chosen on validation.
SHOWN = ("val", "test")


def operating_section(run: Run, split: str) -> None:
    """Slider, figures and curves of one finding on validation; net benefit on ``split``; the effect on both; Save."""
    images = judged_images(run, "val")
    st.write(
        f"Thresholds are chosen here on the validation split ({len(images.patients):,} images), whatever split is "
        "shown above. Their effect on test is shown below; do not choose by it."
    )
    name = pick_finding(images.names)
    draft = draft_of(run)
    limit = threshold_slider(run, name)
    truth, score = images.of(name).sure()
    if len(truth):
        point = at_threshold(truth, score, limit)
        ratios_view(point, _intervals(run, name, limit, stamps(run, "val")))
        # The other names are there for the colour alone.
        points = {**dict.fromkeys(images.names), name: curves_of(run, "val", name)}
        roc, pr = charts.operating_curves(points, name, point)
        left, right = st.columns(2)
        left.plotly_chart(roc, key="point-roc", config=NO_BAR)
        right.plotly_chart(pr, key="point-pr", config=NO_BAR)
        prevalence = prevalence_view(name, point, float(truth.mean()))
        with guarded():
            _benefit(run, split, name, limit, prevalence)
    else:
        st.info("Of no validation image it is known whether the finding is there.", icon=":material/info:")
    with guarded():
        _effect(run, draft)
    save_buttons(run, draft)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Run: lambda run: str(run.path)})
def _intervals(run: Run, name: str, threshold: float, changed: tuple[Stamp, ...]) -> dict[str, Any]:
    images = judged_images(run, "val")
    truth, score = images.of(name).sure()
    patients = [patient for patient, known in zip(images.patients, images.of(name).known, strict=True) if known]
    return dict(point_intervals(truth, score, threshold, patients))


def _benefit(run: Run, split: str, name: str, limit: float, prevalence: float) -> None:
    """The decision curve at that prevalence, and what it says in words."""
    st.write("**Net benefit**")
    curve = _curve(run, split, name, prevalence, stamps(run, split))
    st.plotly_chart(benefit_chart(curve, limit), key="benefit", config=NO_BAR)
    if curve.model is None:
        st.caption(f"Not defined: {of(curve.positives, curve.n)} {SPLITS[split]} images have it.")
        return
    ranges = [f"{percent(low)} to {percent(high)}" if low < high else percent(low) for low, high in curve.useful]
    better = f"at thresholds of {', '.join(ranges)}" if ranges else "at no threshold"
    nearest = min(range(len(curve.thresholds)), key=lambda k: abs(curve.thresholds[k] - limit))
    st.caption(
        f"At a prevalence of {100 * prevalence:g} %, this run beats acting on everybody and on nobody {better}. At "
        f"{percent(curve.thresholds[nearest])} its net benefit is {signed(curve.model[nearest])} true positives per "
        f"patient (acting on everybody: {signed(curve.treat_all[nearest])}). A threshold of 10 % accepts nine needless "
        f"acts for one that is needed. From the {curve.n:,} {SPLITS[split]} images where the finding is known, "
        f"{of(curve.positives, curve.n)} with it; it holds where patients resemble these."
    )


@st.cache_data(max_entries=64, show_spinner="Computing", hash_funcs={Run: lambda run: str(run.path)})
def _curve(run: Run, split: str, name: str, prevalence: float, changed: tuple[Stamp, ...]) -> DecisionCurve:
    images = judged_images(run, split)
    one = images.of(name)
    return decision_curve(one.truth, one.known, one.score, prevalence, images.patients)


def _effect(run: Run, draft: dict[str, float]) -> None:
    """Each finding at its threshold, and the images whose answer changes, on validation and on test."""
    st.write("**What the thresholds do**")
    now = Decision.load(run).thresholds
    rows: list[dict[str, Any]] = [
        {"Finding": name, "Threshold now": now.get(name), "Threshold here": limit} for name, limit in draft.items()
    ]
    totals = []
    for split in SHOWN:
        title = SPLITS[split]
        images = judged_images(run, split)
        for row in rows:
            truth, score = images.of(row["Finding"]).sure()
            if not len(truth):
                continue
            point = at_threshold(truth, score, row["Threshold here"])
            counts = fractions(point)
            row[f"Sensitivity, {title}"] = share_text(*counts["sensitivity"])
            row[f"Specificity, {title}"] = share_text(*counts["specificity"])
            before = at_threshold(truth, score, row["Threshold now"])
            row[f"Called, {title}"] = f"{before['tp'] + before['fp']:,} → {point['tp'] + point['fp']:,}"
        called = {
            rule: images.scores >= [limits[name] for name in images.names]
            for rule, limits in (("now", now), ("here", draft))
        }
        total = len(images.patients)
        totals.append(
            {
                "Split": title,
                "Images whose answer changes": of(int((called["now"] != called["here"]).any(axis=1).sum()), total),
                "Without any finding, now": of(int((~called["now"]).all(axis=1).sum()), total),
                "Without any finding, with these": of(int((~called["here"]).all(axis=1).sum()), total),
            }
        )
    columns = {name: st.column_config.NumberColumn(format="%.3f") for name in ("Threshold now", "Threshold here")}
    sheet(pd.DataFrame(rows), hide_index=True, column_config=columns, placeholder="not known")
    sheet(pd.DataFrame(totals), hide_index=True)
    st.caption(
        "The first table counts the images where the finding is known; Called: now → with these. The second: all."
    )
