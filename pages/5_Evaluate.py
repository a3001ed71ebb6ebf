"""How good a completed run is, as a sceptical reader asks it: figures with their uncertainty, and the images behind."""

import streamlit as st

from cxr_core import ui
from cxr_core.findings import FINDINGS
from cxr_core.runs import Run
from cxr_core.ui.evaluate import (
    behind,
    case_tiles,
    cell_title,
    compare_section,
    controls_section,
    external_section,
    figures_section,
    headline,
    matrix_cell,
    pick_section,
    reliability_section,
    replay_section,
    site_section,
    sources_section,
    subgroups_section,
    threshold_section,
)
from cxr_core.ui.evaluate.findings import findings_page
from cxr_core.ui.evaluate.unmeasured import is_unmeasured, unmeasured_page
from cxr_core.ui.run import cached_measured, results

SECTIONS = (
    *("Matrix", "Classes", "Sources", "Subgroups", "Operating point", "Calibration", "Epochs", "Compare"),
    *("Controls", "External test", "Fit to my hospital"),
)


def classes_page(run: Run, split: str) -> None:
    """A run of classes: what one reads first, then the section that is chosen; only that one computes."""
    report, table = cached_measured(run, split)
    headline(run, report, split)
    section = pick_section(SECTIONS, key="section")
    if section == "Matrix":
        cell = matrix_cell(report)
        case_tiles(run, split, behind(table, cell, run.implied), cell_title(cell))
    elif section == "Classes":
        figures_section(run, report, table, split)
    elif section == "Sources":
        sources_section(run, table)
    elif section == "Subgroups":
        subgroups_section(run, split)
    elif section == "External test":
        external_section(run)
    elif section == "Fit to my hospital":
        site_section(run)
    elif section == "Operating point":
        threshold_section(run)
    elif section == "Calibration":
        reliability_section(run, report, table, split)
    elif section == "Epochs":
        replay_section(run)
    elif section == "Compare":
        compare_section(run, split)
    else:
        controls_section(run)


ui.page("Evaluate", ":material/analytics:")
with ui.guarded():
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        run = results.pick_result(width=420)
        measured = run is not None and not is_unmeasured(run)
        split = (
            st.segmented_control(
                "Split",
                results.JUDGED,
                key="split",
                default="test",
                required=True,
                format_func=results.split_title,
                label_visibility="collapsed",
            )
            if measured
            else "test"
        )
    if run and not measured:
        results.about(run)
        unmeasured_page(run)
    elif run:
        if run.task == FINDINGS:
            findings_page(run, split)
        else:
            classes_page(run, split)
