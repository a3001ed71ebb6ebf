"""A run on a page: chosen, watched while it trains, its results and verdict, the table of all, rename, pin and delete.

    run = pick_run(("completed",))      # the box, and the link that names a run
    live_run(run)                       # draws itself again while the run is at work
    report, table = cached_measured(run, "test")
    verdict_banner(run)

``home`` is what the first page says of runs and data sets; ``care`` and ``table`` are the Runs page's.
"""

from cxr_core.ui.run.external import external_figures, overlap_warning
from cxr_core.ui.run.home import latest_datasets, latest_run, latest_runs, next_step, quick_start
from cxr_core.ui.run.live import live_run
from cxr_core.ui.run.measured import cached_curves, cached_measured, probabilities_of, stamps, true_of, truth_of
from cxr_core.ui.run.picker import pick_run
from cxr_core.ui.run.verdict import known_verdict, verdict_banner
from cxr_core.ui.run.viewings import viewed

__all__ = [
    "cached_curves",
    "cached_measured",
    "external_figures",
    "known_verdict",
    "latest_datasets",
    "latest_run",
    "latest_runs",
    "live_run",
    "next_step",
    "overlap_warning",
    "pick_run",
    "probabilities_of",
    "quick_start",
    "stamps",
    "true_of",
    "truth_of",
    "verdict_banner",
    "viewed",
]
