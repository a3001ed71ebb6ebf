"""What the pages share: the frame, the choice of a run or data set, cached wrappers, the live view, the form.

The only part of ``cxr_core`` that imports streamlit, beside ``server``. A page reads widgets, makes one core call and
draws::

    ui.page("Evaluate", ":material/analytics:")
    with ui.guarded():
        run = ui.pick_run(("completed",))
        if run:
            ui.live_run(run)
"""

from cxr_core.ui.cached import progress_bar
from cxr_core.ui.datasets import known_datasets, open_dataset
from cxr_core.ui.form import config_form, estimate_line, fixes_line, names_line
from cxr_core.ui.frame import escaped, guarded, metric, notes, page
from cxr_core.ui.gallery import network_batch, sample_grid
from cxr_core.ui.run.home import latest_datasets, latest_run, latest_runs, next_step, quick_start
from cxr_core.ui.run.live import live_run
from cxr_core.ui.run.picker import pick_run

__all__ = [
    "config_form",
    "escaped",
    "estimate_line",
    "fixes_line",
    "guarded",
    "known_datasets",
    "latest_datasets",
    "latest_run",
    "latest_runs",
    "live_run",
    "metric",
    "names_line",
    "network_batch",
    "next_step",
    "notes",
    "open_dataset",
    "page",
    "pick_run",
    "progress_bar",
    "quick_start",
    "sample_grid",
]
