"""What all pages share: the frame, the choice of a data set, the form, cached wrappers, pictures and their marks.

The only part of ``cxr_core`` that imports streamlit, beside ``server``. A page reads widgets, makes one core call and
draws; what one page alone is made of has a room of its own inside (``run``, ``evaluate``, ``audit``, ``predict``)::

    ui.page("Evaluate", ":material/analytics:")
    with ui.guarded():
        run = pick_run(("completed",))          # from cxr_core.ui.run
        if run:
            live_run(run)
"""

from cxr_core.ui.cached import cached_predictor, cached_scan, progress_bar, thumbnail
from cxr_core.ui.datasets import known_datasets, open_dataset
from cxr_core.ui.downloads import download
from cxr_core.ui.effect import effect_table
from cxr_core.ui.form import config_form, estimate_line, fixes_line, names_line
from cxr_core.ui.frame import (
    STATES,
    duration,
    escaped,
    guarded,
    is_dark,
    metric,
    notes,
    page,
    state_badge,
    warnings_banner,
)
from cxr_core.ui.gallery import network_batch, sample_grid

__all__ = [
    "STATES",
    "cached_predictor",
    "cached_scan",
    "config_form",
    "download",
    "duration",
    "effect_table",
    "escaped",
    "estimate_line",
    "fixes_line",
    "guarded",
    "is_dark",
    "known_datasets",
    "metric",
    "names_line",
    "network_batch",
    "notes",
    "open_dataset",
    "page",
    "progress_bar",
    "sample_grid",
    "state_badge",
    "thumbnail",
    "warnings_banner",
]
