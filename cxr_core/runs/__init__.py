"""A run on disk: created, started, waited for, found and read. The training itself is ``cxr_core.training``.

    run = start_training("my-xrays", TrainConfig.create(epochs=5), runs_dir())     # a process of its own
    wait(run)                                                                      # run.state, run.history follow it
    run.metrics("test")["macro_f1"], run.predictions("test")
    find_run(runs_dir(), "20261125-0748"), list_runs(runs_dir())

A run is a folder of files that people may move, copy and edit: what is read of it is checked, and a RunError says what
is wrong. ``queue`` and ``liveness`` know who is at work and who is next, ``decision`` the thresholds, ``controls``,
``left_out`` and ``external`` what was measured beside the run. No torch here.
"""

from typing import TYPE_CHECKING

from cxr_core.doors import opened

if TYPE_CHECKING:
    from cxr_core.runs.creation import create_run as create_run
    from cxr_core.runs.decision import Decision as Decision
    from cxr_core.runs.jobs import start_training as start_training
    from cxr_core.runs.jobs import wait as wait
    from cxr_core.runs.run import Run as Run
    from cxr_core.runs.run import find_run as find_run
    from cxr_core.runs.run import list_runs as list_runs
    from cxr_core.runs.titles import title as title
else:
    __getattr__ = opened(
        __name__,
        {
            "creation": ("create_run",),
            "decision": ("Decision",),
            "jobs": ("start_training", "wait"),
            "run": ("Run", "find_run", "list_runs"),
            "titles": ("title",),
        },
    )
