"""What the pages of results share: a completed run, and the sentences that belong to its figures.

run = pick_result()                      # None: the page says why, and what to do
st.write(score_line(run))
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cxr_core.errors import RunError
from cxr_core.evaluation import balance
from cxr_core.figures import number, of
from cxr_core.findings import FINDINGS
from cxr_core.names import SPLITS, best_of
from cxr_core.runs import Decision, Run, list_runs
from cxr_core.runs.needs import gone
from cxr_core.runs.pinned import pinned
from cxr_core.runs.run import ACTIVE
from cxr_core.settings import runs_dir
from cxr_core.ui import STATES, escaped
from cxr_core.ui.run.external import external_figures
from cxr_core.ui.run.live_findings import areas
from cxr_core.ui.run.measured import cached_measured
from cxr_core.ui.run.picker import choose_run, pick_run
from cxr_core.ui.run.table import facts, run_table

# Of which a run keeps its answers.
JUDGED = ("test", "val")


def pick_result(first: Run | None = None, width: int = 0) -> Run | None:
    """A select box over all runs, kept in ``?run=``, ``first`` before the other completed ones. None where the
    chosen one is not completed: its state is said. ``width``: the box alone, so wide; the page says :func:`about`
    elsewhere. Raises RunError where it is damaged.
    """
    runs = list_runs(runs_dir())
    if not runs:
        return pick_run()
    table = run_table(runs)
    ready = set(table.loc[table["state"] == STATES["completed"][0], "id"])
    run = choose_run(sorted(runs, key=lambda run: (run != first, run.id not in ready)), width=width)
    if run is None:
        return None
    if not width or run.state != "completed":
        about(run)
    if run.state != "completed":
        state_notice(run)
        return None
    return run


def about(run: Run) -> None:
    """Which run this is, in one line, and whether its data set is gone."""
    row = facts(run)
    said = [run.id] if run.name != run.id else []
    said += [row["state"], row["dataset"], row["backbone"], *(["pinned"] if pinned(runs_dir()).run == run else [])]
    st.caption(escaped(" · ".join(dict.fromkeys(said))))
    if run.state == "completed" and (lost := gone(run)):
        st.info(escaped(lost), icon=":material/folder_off:")


def state_notice(run: Run, here: bool = False) -> None:
    """One message on a run that is not completed: what happened, what to do, and the link that leads there.

    ``here``: the page is the one where it can be resumed.
    """
    resume = "Resume it" if here else "Resume it on the Runs page"
    state, done = run.state, f"{of(len(run.history), run.config.epochs)} epochs are done"
    if state == "failed":
        st.error(f"This run failed: {escaped(str(run.status.error or 'see its log'))}", icon=":material/error:")
        st.caption(f"{done}. {resume} when the cause is fixed; its log says more.")
    elif state == "queued":
        st.info("This run waits for its turn: one training runs at a time.", icon=":material/schedule:")
    elif state in ACTIVE:
        st.info(f"This run is still going: {done}. Its results come when it has ended.", icon=":material/timer:")
    elif state == "stopped":
        st.info(f"This run was stopped: {done}. {resume} to go on from there.", icon=":material/stop_circle:")
    elif state == "lost":
        text = "The process of this run is gone, perhaps with a restart of the machine"
        st.warning(
            f"{text}: {done}. Resume it on the Runs page; nothing that was kept is lost.", icon=":material/link_off:"
        )
    if state in ACTIVE:
        st.page_link("pages/3_Train.py", label="Watch it", icon=":material/monitoring:", query_params={"run": run.id})
    elif state != "completed" and not here:
        st.page_link("pages/4_Runs.py", label="To the run", icon=":material/list:", query_params={"run": run.id})


def score_line(run: Run) -> str:
    """What this run scored on its internal test split, with the number of images, and on an external data set."""
    try:
        report, _ = cached_measured(run, "test")
    except RunError:
        return "There is no test score for this run, so how good its predictions are is unknown."
    if run.task == FINDINGS:
        return f"On its internal test split: {areas(report)}, on {report['n']:,} images. {external_line(run)}"
    said = [f"On its internal test split: {balanced_text(report)}.", *balance.unjudged(report), external_line(run)]
    return " ".join(said)


def balanced_text(report: Mapping[str, Any]) -> str:
    """The balanced figures first, then each class, accuracy as counts last."""
    return (
        f"macro F1 {number(report['macro_f1'])}, balanced accuracy {number(report['balanced_accuracy'])}; recall "
        f"{balance.recalls(report)}; classified {balance.right_of(report)} images correctly"
    )


def external_line(run: Run) -> str:
    """One sentence: the score on the external data set evaluated last, or that there is none."""
    found = external_figures(run)
    if not found:
        return "It was not evaluated on an external data set yet."
    latest = found[0]
    if run.task == FINDINGS:
        return f"On the external data set {latest['name']}: {areas(latest)} that both have, on {latest['n']:,} images."
    said = f"On the external data set {latest['name']}: {balanced_text(latest)}."
    return " ".join([said, *balance.unjudged(latest)])


def best_epoch_line(run: Run) -> str:
    """One sentence: which epoch's weights are evaluated, and how they were chosen."""
    config, history, best = run.config, run.history, run.best
    if best is None:
        return "The history of this run is empty, so the epoch of these weights is not known."
    images = run.images_of("val")
    value = best.val.figure(config.monitor)
    return (
        f"The weights are those of epoch {best.epoch}, of {len(history)} trained and {config.epochs} planned: the "
        f"{best_of(config.monitor)} on the {images:,} images of the validation split"
        f"{'' if value is None else f' ({number(value)})'}."
    )


def thresholds(run: Run) -> dict[str, float]:
    """The threshold of each label as it stands now; empty where the most probable class wins. Raises RunError."""
    return Decision.load(run).thresholds


def split_title(split: str) -> str:
    """``Test`` or ``Validation``."""
    return SPLITS[split].capitalize()
