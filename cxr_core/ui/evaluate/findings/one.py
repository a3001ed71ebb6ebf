"""One finding: its 2 x 2 matrix and the images behind each cell, its curves, its calibration."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.evaluation.findings import calibration
from cxr_core.evaluation.operating import at_threshold
from cxr_core.figures import number, of, signed
from cxr_core.glossary import meaning
from cxr_core.runs import Run
from cxr_core.ui import is_dark, metric
from cxr_core.ui.evaluate.cases import case_tiles
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.findings.judged import Judged, curves_of, judged_images
from cxr_core.ui.evaluate.picked import KEY as FINDING
from cxr_core.ui.evaluate.picked import pick_finding

# Cell -> (whether it is there, whether it is called, in words).
CELLS = {
    "fn": (True, False, "False negatives"),
    "fp": (False, True, "False positives"),
    "tp": (True, True, "True positives"),
    "tn": (False, False, "True negatives"),
}
CELL, TURN = "finding-cell", "finding-turn"


def one_section(run: Run, report: Mapping[str, Any], table: pd.DataFrame, split: str) -> None:
    """All of it, for the finding that is chosen."""
    name = pick_finding(report["classes"])
    images = judged_images(run, split)
    left, right = st.columns([3, 2])
    with left:
        st.plotly_chart(
            charts.one_vs_rest(report["one_vs_rest"][name], name, is_dark()),
            key=_key(),
            on_select=_follow_click,
            selection_mode="points",
            config=NO_BAR,
        )
    with right:
        figures = report["per_class"][name]
        st.caption(
            f"Judged on {of(figures['n'], report['n'])} images; for {figures['unknown']:,} it is not known. "
            "Click a cell, or choose it below, to see its images."
        )
    cells = {cell: len(behind(table, images, name, cell)) for cell in CELLS}
    cell = st.segmented_control(
        "Images",
        list(CELLS),
        key=CELL,
        default="fn",
        required=True,
        format_func=lambda cell: f"{CELLS[cell][2]} ({cells[cell]:,})",
        on_change=_drop_click,
    )
    chosen = cell or "fn"
    rows = behind(table, images, name, chosen)
    order = "most confident first" if CELLS[chosen][1] else "least probable first"
    case_tiles(run, split, rows, f"{CELLS[chosen][2]}: {name}", finding=name, order=order)
    _curves(run, split, name, images)
    _calibration(report, name, images)


def behind(table: pd.DataFrame, images: Judged, name: str, cell: str) -> pd.DataFrame:
    """The images of a cell, those first that are called with the most, or missed with the least probability."""
    k = images.names.index(name)
    there, called, _ = CELLS[cell]
    mask = images.known[:, k] & (images.truth[:, k] == there) & (images.called[:, k] == called)
    rows = table[mask].assign(confidence=images.scores[mask, k])
    return rows.sort_values("confidence", ascending=not called, kind="stable")


def _curves(run: Run, split: str, name: str, images: Judged) -> None:
    truth, score = images.of(name).sure()
    if not len(truth):
        st.info("Of no image it is known whether the finding is there: there is no curve.", icon=":material/info:")
        return
    point = at_threshold(truth, score, images.thresholds[name])
    # The other names are there for the colour alone.
    points = {**dict.fromkeys(images.names), name: curves_of(run, split, name)}
    roc, pr = charts.operating_curves(points, name, point)
    left, right = st.columns(2)
    left.write("**ROC**")
    left.plotly_chart(roc, key="finding-roc", config=NO_BAR)
    right.write("**Precision and recall**")
    right.plotly_chart(pr, key="finding-pr", config=NO_BAR)


def _calibration(report: Mapping[str, Any], name: str, images: Judged) -> None:
    one = images.of(name)
    found = calibration(one.truth[:, None], one.known[:, None], one.score[:, None], [name])[0]
    figures = report["per_class"][name]
    st.write("**Calibration**")
    left, right = st.columns([2, 3])
    with left:
        counted = f"{figures['n']:,} images"
        metric("ECE", found.ece, f"{counted} · 0 is best", help=f"{meaning('ECE')} Counted in ten bins.")
        metric("Brier score", found.brier, f"{counted} · 0 is best", meaning("Brier score"))
        gap = figures["calibration_gap"]
        metric(
            "Mean probability minus prevalence",
            None if gap is None else signed(gap),
            "above 0: predicted too often",
        )
        st.caption(f"Temperature {number(report['calibration']['temperature'], 2)}, fitted on validation.")
    with right:
        bins = {"confidence": found.confidence, "observed": found.observed, "count": found.count}
        everything = {**{other: {"confidence": (), "observed": (), "count": ()} for other in images.names}, name: bins}
        st.plotly_chart(charts.reliability(everything, [name]), key="finding-reliability", config=NO_BAR)


def _key() -> str:
    return f"finding-matrix-{st.session_state.get(TURN, 0)}"


def _follow_click() -> None:
    points = st.session_state[_key()].selection.points
    # A second click on a cell takes the selection away: the cell stays chosen.
    if points:
        there, called = (text == st.session_state[FINDING] for text in points[0]["customdata"][:2])
        st.session_state[CELL] = next(cell for cell, (a, b, _) in CELLS.items() if (a, b) == (there, called))


def _drop_click() -> None:
    # A new figure has no selection, so that the next click on any cell counts.
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
