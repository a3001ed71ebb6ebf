"""Trainings that go with a run, in folders of its own: the same configuration and seed, other images or other pixels.

    lined_up(run, CONTROLS, companions)     # their folders, each with its number in the queue
    active(run, CONTROLS)                   # the one that is being worked on, or None

An experiment is a few of them, measured one after the other, and the file in which what they reached is kept; their
folders go then. Each chooses its epoch, temperature and thresholds on its own validation images, nothing on the test.
:mod:`cxr_core.training.companion_worker` does the work; no torch here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cxr_core.errors import RunError
from cxr_core.findings import FINDINGS
from cxr_core.images import Mask
from cxr_core.private import make_folder
from cxr_core.runs import files
from cxr_core.runs.liveness import is_held
from cxr_core.runs.queue import place_of, queue
from cxr_core.runs.records import written
from cxr_core.runs.run import RESUMABLE, Run
from cxr_core.settings import write_atomic


@dataclass(frozen=True)
class Experiment:
    """``name`` begins its folders' names; ``title`` is for people; ``file`` keeps its result.

    Left-out sources were called sources once, and still are on disk, in what is recorded and in what ``--json`` prints.
    """

    name: str
    title: str
    file: str
    log: str


CONTROLS = Experiment("controls", "controls", files.CONTROLS, "controls.txt")
LEFT_OUT = Experiment("sources", "left-out sources", files.LEFT_OUT, "left-out.txt")
EXPERIMENTS = (CONTROLS, LEFT_OUT)


@dataclass(frozen=True)
class Headline:
    """The figure by which a run and its companions are held against each other: its key, and its name for people."""

    key: str
    title: str


MACRO_F1 = Headline("macro_f1", "macro F1")
MACRO_ROC_AUC = Headline("macro_roc_auc", "macro ROC AUC")


def headline_of(run: Run) -> Headline:
    """Macro F1 of classes; of findings macro ROC AUC, over those that have both."""
    return MACRO_ROC_AUC if run.task == FINDINGS else MACRO_F1


@dataclass(frozen=True)
class Companion:
    """``name`` ends its folder's name; ``title`` is for people; ``split``: its split.csv, None for the run's own."""

    name: str
    title: str
    mask: Mask = "none"
    split: str | None = None


def folder_of(run: Run, experiment: Experiment, name: str) -> Run:
    """The companion of this name; its folder may not be there (yet, or any more)."""
    return Run(run.path / f"{experiment.name}-{name}")


def laid_down(run: Run, experiment: Experiment, companion: Companion, number: str) -> Run:
    """The companion with its folder there: new and queued, or the one that was left unfinished, queued again.

    ``number`` is its place among the others, as "1 of 2".
    """
    made = folder_of(run, experiment, companion.name)
    if not (made.path / files.RUN).exists():
        make_folder(made.path)
        # The split first: with run.json the companion is whole.
        split = companion.split.encode() if companion.split is not None else (run.path / files.SPLIT).read_bytes()
        write_atomic(made.path / files.SPLIT, split)
        queue(made.path)
        told = {"mask": companion.mask, "experiment": experiment.name, "title": companion.title, "number": number}
        write_atomic(made.path / files.RUN, written(run.info.model_copy(update=told), indent=1))
    elif made.state in RESUMABLE:
        (made.path / files.STOP).unlink(missing_ok=True)
        queue(made.path)
    return made


def lined_up(run: Run, experiment: Experiment, companions: Sequence[Companion]) -> list[Run]:
    """Those that are still to be done, in their order, each with its number in the queue. A request to stop stands."""
    made: list[Run] = []
    try:
        for place, companion in enumerate(companions, start=1):
            if not is_done(run, experiment, companion):
                made.append(laid_down(run, experiment, companion, f"{place} of {len(companions)}"))
    except BaseException:
        # Nobody would work on them, and others would wait behind them.
        leave_queue(made)
        raise
    return made


def leave_queue(made: Sequence[Run]) -> None:
    """Those that still wait are stopped: measuring goes on with them when somebody asks for it again."""
    for one in made:
        if one.status.state == "queued" and not is_held(one.path / files.WORKER_LOCK):
            (one.path / files.STOP).unlink(missing_ok=True)
            write_atomic(one.path / files.STATUS, written(one.status.model_copy(update={"state": "stopped"})))


def is_done(run: Run, experiment: Experiment, companion: Companion) -> bool:
    """Whether this one was trained and evaluated, and waits for the others."""
    made = folder_of(run, experiment, companion.name)
    return (made.path / files.RUN).exists() and made.state == "completed"


def active(run: Run, experiment: Experiment) -> Run | None:
    """The companion that is being worked on, or waits for it; None where none is."""
    waiting = [made for made in _laid(run, experiment) if made.is_active]
    return next((made for made in waiting if made.state != "queued"), min(waiting, key=place_of, default=None))


def unfinished(run: Run, experiment: Experiment) -> Run | None:
    """One that failed, was stopped or lost its process: measuring goes on from there."""
    left = [made for made in _laid(run, experiment) if made.can_resume]
    # Those behind one that failed were stopped with it: it says why.
    return next((made for made in left if made.state == "failed"), left[0] if left else None)


def request_stop(run: Run, experiment: Experiment) -> None:
    """Ask the one at work to stop, and those that wait not to begin: it may be past the point where it can stop."""
    for made in _laid(run, experiment):
        if made.is_active:
            made.request_stop()


def _laid(run: Run, experiment: Experiment) -> list[Run]:
    return [Run(file.parent) for file in sorted(run.path.glob(f"{experiment.name}-*/{files.RUN}"))]


def check_ready(run: Run) -> None:
    """Raises RunError where ``run`` was not trained here, or has no test result to hold others against."""
    if run.imported:
        raise RunError(
            f"Run {run.id} is {run.imported.name} and was not trained here: expected a run that can be trained again, "
            "with its images. Train one on your data set."
        )
    if run.state != "completed":
        raise RunError(f"Run {run.id} is {run.state}: expected a completed training. This is measured after it.")
    metrics = run.metrics("test")
    if metrics is None:
        raise RunError(f"Run {run.id} has no figures for its test split: there is nothing to hold others against.")
    if run.task == FINDINGS and not metrics["counted"]:
        raise RunError(
            f"Of run {run.id} no finding is both present and absent in the test images, so it has no macro ROC AUC: "
            "there is nothing to hold others against. Split the data set so that the test has both."
        )
