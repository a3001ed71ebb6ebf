"""The Evaluate page, a section each: figures and intervals, the confusion matrix and the images behind it, the
operating point, calibration, epochs replayed, two runs compared, controls, sources, subgroups, other collections, site
profiles.

    headline(run, split, report)
    cell = matrix_cell(run, split, table)
    threshold_section(run)

A section draws itself from a run's files and says why where there is nothing to draw.
"""

from cxr_core.ui.evaluate.cases import case_tiles
from cxr_core.ui.evaluate.classes import figures_section
from cxr_core.ui.evaluate.compare import compare_section
from cxr_core.ui.evaluate.controls import controls_section
from cxr_core.ui.evaluate.external import external_section
from cxr_core.ui.evaluate.headline import headline
from cxr_core.ui.evaluate.matrix import behind, cell_title, matrix_cell
from cxr_core.ui.evaluate.parts import subgroups_section
from cxr_core.ui.evaluate.reliability import reliability_section
from cxr_core.ui.evaluate.replay import replay_section
from cxr_core.ui.evaluate.sections import pick_section
from cxr_core.ui.evaluate.site import site_section
from cxr_core.ui.evaluate.sources import sources_section
from cxr_core.ui.evaluate.threshold import threshold_section

__all__ = [
    "behind",
    "case_tiles",
    "cell_title",
    "compare_section",
    "controls_section",
    "external_section",
    "figures_section",
    "headline",
    "matrix_cell",
    "pick_section",
    "reliability_section",
    "replay_section",
    "site_section",
    "sources_section",
    "subgroups_section",
    "threshold_section",
]
