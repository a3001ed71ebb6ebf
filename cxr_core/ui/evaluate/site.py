"""Fit a run to the images of one's own hospital: temperature and thresholds before and after, kept as a site profile.

site_section(run)
"""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from cxr_core.charts.sides import Row, side_by_side
from cxr_core.evaluation.before_after import TITLES
from cxr_core.figures import UNDEFINED, compact, counted, number, signed
from cxr_core.paths import given
from cxr_core.runs import Run, profiles
from cxr_core.runs.records import FigureChange, ProfileNote
from cxr_core.ui import cached_scan, escaped, guarded, progress_bar
from cxr_core.ui.cached import STOPPED
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.elsewhere import other_data
from cxr_core.ui.sheet import sheet

SAID, FITTED = "site-said", "site-fitted"
SIDES = ("before", "after")
# Rows of the chart: these over all classes, and the recall of the first few classes.
DRAWN, RECALLS = ("macro_f1", "balanced_accuracy", "ece", "brier"), 8


def site_section(run: Run) -> None:
    """The choice of local images, what was fitted on them and is not kept yet, and the profiles that are kept."""
    st.write(
        "From 50 to 200 labelled images of your own hospital: a new temperature and new thresholds for this run. The "
        "network stays as it is. One half of the patients fits, the other half judges."
    )
    said = st.session_state.pop(SAID, None)
    with guarded():
        _form(run)
    if said:
        st.info(escaped(said), icon=":material/info:")
    note = _waiting(run)
    if note:
        with st.container(border=True), guarded():
            st.markdown(f"**{escaped(note.name)}**, not kept yet")
            _profile(note, "fitted")
            _keep(run, note)
    kept = profiles.profiles(run)
    for sentence in profiles.damaged(run):
        st.error(escaped(sentence), icon=":material/error:")
    if not kept:
        if not note:
            st.caption("This run has no site profile yet.")
        return
    names = [found.name for found in kept]
    chosen = st.selectbox("Kept site profiles", names, key=f"site-kept-{run.id}") if len(kept) > 1 else names[0]
    found = kept[names.index(chosen)] if chosen in names else kept[0]
    with st.container(border=True), guarded():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escaped(found.name)}**, kept: Predict can use it", width="stretch")
            _forget(run, found)
        _profile(found, "kept")


def _form(run: Run) -> None:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        taken = "All of its images are taken, whatever their split."
        chosen = other_data(run, "Labelled images of your hospital", "site-data", taken)
    name = right.text_input(
        "Name of the profile",
        key="site-name",
        placeholder="St. Anna",
        max_chars=profiles.MAX_NAME,
        help="Letters, digits, spaces, dots, hyphens and underscores.",
    )
    pressed = st.button(
        "Fit, and judge on the other half",
        icon=":material/tune:",
        key="site-fit",
        disabled=not (chosen and name.strip()),
    )
    if pressed:
        path = given(str(chosen))
        # Asked for again after it was stopped.
        st.session_state.get(STOPPED, {}).pop(str(path), None)
        cached_scan(path, tuple(run.classes))
        with st.spinner("Fitting"), progress_bar("Reading the images", "images") as report:
            # Brings torch.
            from cxr_core.inference import fit_site

            note = fit_site(run, path, name, progress=report)
        st.session_state[FITTED] = (str(run.path), note)


def _waiting(run: Run) -> ProfileNote | None:
    """What was fitted for this run and is not kept yet."""
    path, note = st.session_state.get(FITTED, ("", None))
    return note if path == str(run.path) else None


def _keep(run: Run, note: ProfileNote) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        title = "Keep it" if note.better else "Keep it all the same"
        if st.button(title, icon=":material/save:", key="site-keep", type="primary" if note.better else "secondary"):
            profiles.keep(run, note)
            st.session_state.pop(FITTED)
            st.session_state[SAID] = f"{note.name} is kept with the run. Predict offers it."
            st.rerun()
        if st.button("Drop it", icon=":material/close:", key="site-drop"):
            st.session_state.pop(FITTED)
            st.rerun()


def _forget(run: Run, note: ProfileNote) -> None:
    """Asked twice: the popover, then the box in it."""
    name = escaped(note.name)
    with st.popover("Forget", icon=":material/delete:"):
        st.write(f"The site profile **{name}** goes from this run. The run and the images stay.")
        sure = st.checkbox(f"Yes, forget {name}", key=f"site-sure-{note.name}")
        if st.button("Forget this profile", disabled=not sure, key="site-forget"):
            with guarded():
                profiles.forget(run, note.name)
                st.session_state[SAID] = f"{note.name} was forgotten."
                st.rerun()


def _profile(note: ProfileNote, key: str) -> None:
    """What came of it in a sentence; on what it rests; the chart, the thresholds, all figures."""
    if note.better:
        st.success(escaped(note.sentence), icon=":material/trending_up:")
    else:
        st.warning(escaped(note.sentence), icon=":material/balance:")
    st.plotly_chart(side_by_side(_rows(note), SIDES, ""), key=f"site-chart-{key}", config=NO_BAR)
    st.caption(
        "On the half that judged; whiskers: 95 % interval, by patient. By class: recall. Of ECE (calibration error) "
        "and Brier score less is better."
    )
    left_out = f" {counted(note.shared, 'image')} of the run's own were left out." if note.shared else ""
    st.caption(
        escaped(
            f"Fitted on {counted(note.fit.images, 'image')} of {counted(note.fit.patients, 'patient')}, judged on "
            f"{counted(note.judged.images, 'image')} of {counted(note.judged.patients, 'patient')}, of "
            f"{note.dataset_name}; by {note.by}, {note.fitted[:10]}.{left_out}"
        )
    )
    for told in note.notes:
        st.caption(escaped(told))
    with st.expander("Temperature and thresholds", icon=":material/tune:"):
        sheet(pd.DataFrame(_rules(note)), hide_index=True, placeholder="")
    with st.expander("All figures, before and after", icon=":material/table_rows:"):
        sheet(pd.DataFrame(_figures(note)), hide_index=True, placeholder="")


def _rows(note: ProfileNote) -> list[Row]:
    overall = [
        ("ECE" if figure == "ece" else f"{TITLES[figure][0].upper()}{TITLES[figure][1:]}", change)
        for figure, change in note.overall.items()
        if figure in DRAWN
    ]
    recalls = [(name, row["recall"]) for name, row in note.per_class.items() if "recall" in row]
    counts = counted(note.judged.images, "image")
    return [
        Row(
            title,
            (change.before, change.after),
            (change.before_ci, change.after_ci),
            (counts, counts),
        )
        for title, change in [*overall, *recalls[:RECALLS]]
    ]


def _rules(note: ProfileNote) -> list[dict[str, str]]:
    rows = [{"": "Temperature", "Before": number(note.own.temperature), "After": number(note.temperature)}]
    for name in {**note.own.thresholds, **note.thresholds}:
        before, after = (_or_dash(part, name) for part in (note.own.thresholds, note.thresholds))
        kept = " (the run's own, moved)" if name in note.kept else ""
        rows.append({"": f"Threshold of {name}", "Before": before, "After": f"{after}{kept}"})
    return rows


def _or_dash(limits: Mapping[str, float], name: str) -> str:
    return number(limits[name]) if name in limits else "none"


def _figures(note: ProfileNote) -> list[dict[str, str]]:
    rows = [_row("All", figure, change) for figure, change in note.overall.items()]
    for name, figures in note.per_class.items():
        rows += [_row(name, figure, change) for figure, change in figures.items()]
    return rows


def _row(of_what: str, figure: str, change: FigureChange) -> dict[str, str]:
    moved = UNDEFINED if change.difference is None else signed(change.difference)
    ends = f" ({signed(change.ci[0])} to {signed(change.ci[1])})" if change.ci else ""
    return {
        "Of": of_what,
        "Figure": TITLES.get(figure, figure),
        "Before": compact(change.before, change.before_ci),
        "After": compact(change.after, change.after_ci),
        "Change": f"{moved}{ends}",
    }
