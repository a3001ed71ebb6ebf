"""What Home shows: the next step, Quick start, the latest runs and data sets."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from cxr_core.config import PRESETS, TrainConfig
from cxr_core.data import Dataset
from cxr_core.errors import CxrError
from cxr_core.evaluation import balance
from cxr_core.figures import number
from cxr_core.findings import EXCLUSIVE, FINDINGS
from cxr_core.runs import Run, start_training
from cxr_core.settings import runs_dir
from cxr_core.ui import cached_scan, escaped, guarded, progress_bar, state_badge
from cxr_core.ui.drawn import IMAGES, SEVERAL, drawn
from cxr_core.ui.run.live import live_run
from cxr_core.ui.run.live_findings import areas, score

PRESET = "Quick look (small CNN, from scratch)"
RUNS_SHOWN = 5
DATASETS_SHOWN = 4


def next_step(runs: Sequence[Run], datasets: Sequence[Path]) -> None:
    """One line on what to do next, with its link."""
    active = next((run for run in runs if run.is_active), None)
    done = next((run for run in runs if run.state == "completed"), None)
    query: dict[str, str] = {}
    if active is not None:
        text, page, label, query = "A run is on its way.", "3_Train", "Watch it", {"run": active.id}
    elif done is not None:
        text, page, label, query = "See what a run gets right and wrong.", "5_Evaluate", "Evaluate", {"run": done.id}
    elif runs:
        text, page, label, query = f"The last run is {runs[0].state}.", "3_Train", "Look at it", {"run": runs[0].id}
    elif datasets:
        text, page, label, query = "A data set is open.", "3_Train", "Train on it", {"data": str(datasets[0])}
    else:
        text, page, label = "Open a folder of X-rays, or use Quick start.", "1_Dataset", "Open a data set"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Next** · {text}", width="content")
        st.page_link(f"pages/{page}.py", label=label, icon=":material/arrow_forward:", query_params=query)


def quick_start(small: bool) -> None:
    """One click: draw the demo data set, train a small network on it. Another: draw the one with several findings and
    open it. ``small``: the short form, where runs exist.
    """
    with st.container(border=True, horizontal=small, vertical_alignment="center"):
        if small:
            st.caption(
                f"Quick start draws {IMAGES} pictures (drawings, no X-rays) and trains a small network on them.",
                width="stretch",
            )
        else:
            st.subheader("Quick start", anchor=False)
            st.write(
                f"Draws {IMAGES} pictures that resemble chest X-rays in three classes, trains a small network on "
                "them from scratch and shows its curves here. About a minute on two cores, without network. "
                "They are drawings: the scores say nothing about real X-rays."
            )
        with st.container(horizontal=True, width="content" if small else "stretch"):
            pressed = st.button("Quick start", type="secondary" if small else "primary", icon=":material/bolt:")
            several = st.button(
                SEVERAL,
                icon=":material/brush:",
                help=f"Draws {IMAGES} pictures with any number of six findings, some of them uncertain, and opens "
                "them. Nothing is trained yet.",
            )
    if pressed:
        data = drawn(EXCLUSIVE)
        with progress_bar("Reading the data set", "files") as report:
            start_training(data, TrainConfig.create(**PRESETS[PRESET]), runs_dir(), report)
        # Drawn anew with the run in it.
        st.rerun()
    if several:
        st.switch_page("pages/1_Dataset.py", query_params={"data": str(drawn(FINDINGS))})


def latest_run(runs: Sequence[Run]) -> None:
    """The newest run that is active, else the newest one, live."""
    run = next((run for run in runs if run.is_active), runs[0])
    with st.container(border=True):
        live_run(run)


def latest_runs(runs: Sequence[Run]) -> None:
    """State and score of the newest runs, each with the way to it."""
    for run in runs[:RUNS_SHOWN]:
        with guarded(), st.container(horizontal=True, vertical_alignment="center"):
            state = run.state
            state_badge(state)
            st.markdown(
                f"**{escaped(run.name)}**  \n:small[{escaped(run.info.dataset_name)} · {escaped(_score(run))}]",
                width="stretch",
            )
            page, label = ("5_Evaluate", "Evaluate") if state == "completed" else ("3_Train", "Watch")
            st.page_link(f"pages/{page}.py", label=label, query_params={"run": run.id})
    st.page_link("pages/4_Runs.py", label=f"All runs ({len(runs):,})", icon=":material/list:")


def _score(run: Run) -> str:
    test = run.metrics("test")
    leak = " · trained on a leak" if run.leak else ""
    if run.task == FINDINGS:
        if test is not None:
            return f"{areas(test)} on {test['n']:,} test images{leak}"
        best = run.best
        return f"validation {score(best.val.macro_roc_auc)} after epoch {best.epoch}" if best else "no score yet"
    if test is not None:
        few = ", ".join(f"{name} {count}" for name, count in balance.few(test).items())
        unsure = f" · too few to judge: {few}" if few else ""
        return f"macro F1 {number(test['macro_f1'])}, {balance.right_of(test)} test images right{unsure}{leak}"
    best = run.best
    if best is not None:
        return f"{balance.right_in(best.val.confusion)} validation images right after epoch {best.epoch}"
    return "no score yet"


def _counts(dataset: Dataset) -> dict[str, int]:
    """Images of each class, or with each finding."""
    if dataset.task == FINDINGS:
        return {str(name): int(count) for name, count in dataset.labels()["yes"].items()}
    counts = dataset.samples["label"].value_counts()
    return {name: int(counts[name]) for name in dataset.classes}


def latest_datasets(datasets: Sequence[Path]) -> None:
    """Counts of the data sets opened last, each with the way to it."""
    for path in datasets[:DATASETS_SHOWN]:
        with st.container(horizontal=True, vertical_alignment="center"):
            try:
                dataset = cached_scan(path)
                text = ", ".join(f"{name} {count:,}" for name, count in _counts(dataset).items())
                text = f"{len(dataset.samples):,} images: {text}"
                if len(dataset.unreadable):
                    text += f"; {len(dataset.unreadable):,} unreadable"
            except CxrError as error:
                text = str(error)
            st.markdown(f"**{escaped(path.name)}**  \n:small[{escaped(text)}]", width="stretch")
            query = {"data": str(path)}
            # Together, whichever line they stand on.
            with st.container(horizontal=True, width="content"):
                st.page_link("pages/1_Dataset.py", label="Look at it", query_params=query)
                st.page_link("pages/3_Train.py", label="Train on it", query_params=query)
