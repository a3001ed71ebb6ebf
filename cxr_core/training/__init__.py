"""The work itself: a run's training from queued to completed, in this process, and the trainings beside it.

    work(run)                     # extraction, epochs, evaluation; goes on where it was stopped
    measure_controls(run)         # again without lungs, and on the middle alone
    measure_left_out(run)         # again without each source in turn

Pages never call this: ``runs.jobs`` starts ``python -m cxr_core`` as a process of its own, which does.
"""

from typing import TYPE_CHECKING

from cxr_core.doors import opened

if TYPE_CHECKING:
    from cxr_core.training.companion_worker import measure_controls as measure_controls
    from cxr_core.training.companion_worker import measure_left_out as measure_left_out
    from cxr_core.training.worker import work as work
else:
    __getattr__ = opened(
        __name__,
        {
            "companion_worker": ("measure_controls", "measure_left_out"),
            "worker": ("work",),
        },
    )
