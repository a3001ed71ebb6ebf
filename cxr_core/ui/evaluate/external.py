"""Evaluate a run on another data set, and see internal against external: both figures, the drop, its interval."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts, reach
from cxr_core.data.sets.registry import recognise
from cxr_core.errors import CxrError
from cxr_core.evaluation import balance
from cxr_core.figures import NO_INTERVAL, UNDEFINED, of, spelled
from cxr_core.paths import given
from cxr_core.runs import Run
from cxr_core.runs.external import forget
from cxr_core.runs.overlaps import outside
from cxr_core.settings import Stamp, stamp
from cxr_core.ui import cached_scan, escaped, guarded, progress_bar
from cxr_core.ui.cached import SCAN_SECONDS_VALID, STOPPED
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.elsewhere import other_data
from cxr_core.ui.run import cached_measured, external_figures, overlap_warning
from cxr_core.ui.sheet import sheet

SAID = "external-said"
TITLES = {"macro_f1": "Macro F1", "accuracy": "Accuracy"}


def external_section(run: Run) -> None:
    """The choice of a folder, and below it all external data sets that the run was evaluated on."""
    st.write(
        "A test from the same data set shares its hospitals, devices and labels with the training. An external data "
        "set shows how well the score holds up elsewhere."
    )
    found = asked_and_found(run)
    if not found:
        return
    report, _ = cached_measured(run, "test")
    internal = {**report, "name": "Internal test", "right": balance.right(report)}
    st.plotly_chart(charts.scores_by_set([internal, *found]), key="external", config=NO_BAR)
    rows = [_row("Internal test", report, balance.right_of(report))]
    rows += [_row(row["name"], row, of(row["right"], row["n"]), row["against"]) for row in found]
    sheet(pd.DataFrame(rows), hide_index=True, placeholder="")
    st.caption(
        "In brackets: 95 % interval, by patient. Drop: internal minus external; the two are resampled independently."
    )
    for row in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_verdict(row, run.classes), width="stretch")
            forget_button(run, row)
        overlap_warning(row["overlap"])


def asked_and_found(run: Run) -> list[dict[str, Any]]:
    """The form, and the figures of all that the run was evaluated on so far; where there is none, this is said."""
    with guarded():
        external_form(run)
    found = external_figures(run)
    if not found:
        st.info("This run was not evaluated on an external data set yet.", icon=":material/info:")
    return found


def external_form(run: Run) -> None:
    """The choice of a data set and the button that evaluates on it; what it is known to share comes first."""
    chosen = other_data(
        run, "External data set", "external-data", "Its test split is taken; without splits, all of it."
    )
    if chosen:
        overlap_warning(outside(run, _set_at(given(str(chosen)))))
    said = st.session_state.pop(SAID, None)
    if st.button("Evaluate on it", icon=":material/travel_explore:", key="evaluate-external", disabled=not chosen):
        path = given(str(chosen))
        # Asked for again after it was stopped.
        st.session_state.get(STOPPED, {}).pop(str(path), None)
        # With its own bar and its Stop; evaluating then finds it read.
        cached_scan(path, tuple(run.classes))
        with st.spinner("Evaluating"), progress_bar("Evaluating", "images") as report:
            # Brings torch.
            from cxr_core.inference import evaluate_external

            outcome = evaluate_external(run, path, progress=report)
        st.session_state[SAID] = outcome.note or f"{path.name} was evaluated, and its figures are kept with the run."
        # The figures above this section know of it too.
        st.rerun()
    if said:
        st.info(escaped(said), icon=":material/info:")


def shared_images(row: Mapping[str, Any]) -> str:
    """That images of an external data set are in the run's own, in a sentence; "" where none is."""
    if not row["shared"]:
        return ""
    return f"{of(row['shared'], row['n'])} images are also in the run's own data set: the figures flatter."


def _set_at(path: Path) -> str | None:
    """Which public set lies there, as its tables tell; the images are not visited."""
    try:
        reach.check(path)
        return _recognised(str(path), stamp(path))
    except CxrError:
        # The button says what is wrong with the path.
        return None


@st.cache_data(max_entries=32, ttl=SCAN_SECONDS_VALID, show_spinner="Looking which set it is")
def _recognised(path: str, changed: Stamp) -> str | None:
    reader = recognise(Path(path))
    return reader.name if reader else None


def forget_button(run: Run, row: Mapping[str, Any]) -> None:
    """Asked twice: the popover, then the box in it."""
    with st.popover("Forget", icon=":material/delete:"):
        name = escaped(row["name"])
        st.write(f"The figures of **{name}** go from this run. Its images stay; it can be evaluated again.")
        sure = st.checkbox(f"Yes, forget {name}", key=f"sure-{row['file']}")
        if st.button("Forget its figures", disabled=not sure, key=f"forget-{row['file']}"):
            with guarded():
                forget(run, row["file"])
                st.session_state[SAID] = f"{row['name']} was forgotten."
                # The figures above this section know of it too.
                st.rerun()


def _row(name: str, figures: Mapping[str, Any], right: str, against: Mapping[str, Any] | None = None) -> dict[str, str]:
    row = {"Data set": name, "Recall": balance.recalls(figures)}
    for key, title in TITLES.items():
        row[title] = spelled(figures[key], figures["ci"][key], lacking=NO_INTERVAL)
        row[f"{title}, drop"] = UNDEFINED
        if against:
            row[f"{title}, drop"] = spelled(against[key]["drop"], against[key]["ci"], lacking=NO_INTERVAL)
    return {**row, "Right": right}


def _verdict(row: Mapping[str, Any], classes: list[str]) -> str:
    """What the drop says, on which images, and what makes it flatter."""
    name, found = f"**{escaped(row['name'])}**", row["against"]
    if not found:
        return f"{name}: {escaped(row['problem'])}"
    drop, ends = found["macro_f1"]["drop"], found["macro_f1"]["ci"]
    figure = spelled(drop, ends, lacking=NO_INTERVAL)
    if not ends:
        said = "with fewer than two patients nothing can be said of other images."
    elif ends[0] > 0:
        said = f"macro F1 drops by {figure}: the run does worse there than on its own test."
    elif ends[1] < 0:
        said = f"macro F1 is higher there, a drop of {figure}."
    else:
        said = f"a drop of macro F1 by {figure}: the interval holds 0, so these images do not tell the two apart."
    parts = [f"{name}: {said}", *map(escaped, balance.unjudged(row))]
    if len(found["labels"]) < len(classes):
        parts.append(f"The drop is counted on {escaped(', '.join(found['labels']))} alone, which both have.")
    return " ".join(filter(None, [*parts, shared_images(row)]))
