"""What the pages share: the frame, the choice of a run or data set, cached wrappers, the live view, the form.

The only part of ``cxr_core`` that imports streamlit. A page reads widgets, makes one core call and draws::

    ui.page("Evaluate", ":material/analytics:")
    with ui.guarded():
        run = ui.pick_run(("completed",))
        if run:
            ui.warnings_banner(run)
"""

from cxr_core.ui.cached import cached_predictor, cached_scan, full_picture, thumbnail
from cxr_core.ui.frame import duration, guarded, metric, of, page, state_badge, warnings_banner
from cxr_core.ui.picker import pick_dataset, pick_run

__all__ = [
    "cached_predictor",
    "cached_scan",
    "duration",
    "full_picture",
    "guarded",
    "metric",
    "of",
    "page",
    "pick_dataset",
    "pick_run",
    "state_badge",
    "thumbnail",
    "warnings_banner",
]
