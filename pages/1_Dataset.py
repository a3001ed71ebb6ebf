"""Dataset: open a data set and look at what a network would learn from."""

from functools import partial

import streamlit as st

from cxr_core import charts, ui
from cxr_core.config import TrainConfig
from cxr_core.data import Dataset
from cxr_core.data.cautions import cautions
from cxr_core.figures import of
from cxr_core.findings import EXCLUSIVE, FINDINGS, learnt
from cxr_core.sheets import written
from cxr_core.ui import download
from cxr_core.ui.dataset import findings_section, origin_section, people_section
from cxr_core.ui.marks import marks_list
from cxr_core.ui.sheet import sheet
from cxr_core.ui.unpacked import unpacked_section


def distribution(dataset: Dataset) -> None:
    """Images per class and split: numbers, shares, and the table of both."""
    counts = dataset.counts()
    numbers, shares = st.columns(2)
    numbers.subheader("Images per class", anchor=False)
    numbers.plotly_chart(charts.distribution(counts), key="counts", config={"displayModeBar": False})
    shares.subheader("Share of the split", anchor=False)
    shares.plotly_chart(charts.distribution(counts, share=True), key="shares", config={"displayModeBar": False})
    table = counts.rename(index={"": "no split given"})
    table["all classes"] = table.sum(axis=1)
    if len(table) > 1:
        table.loc["all splits"] = table.sum()
    sheet(table, column_config={name: st.column_config.NumberColumn(format="localized") for name in table})
    missing = [text for name, text in (("val", "validation"), ("test", "test")) if name not in dataset.splits]
    if missing:
        st.caption(f"It brings no {' and no '.join(missing)} split: a training takes one, stratified and by patient.")


def files(dataset: Dataset) -> None:
    """Sizes, formats, and what could not be read."""
    sizes, formats = st.columns(2)
    sizes.subheader("Sizes", anchor=False)
    # Every combination of findings would be a colour of its own.
    shown = dataset.samples if dataset.task == EXCLUSIVE else dataset.samples.assign(label="images")
    sizes.plotly_chart(charts.sizes(shown), key="sizes", config={"displayModeBar": False})
    formats.subheader("Formats", anchor=False)
    formats.plotly_chart(charts.formats(dataset.samples), key="formats", config={"displayModeBar": False})


def unreadable(dataset: Dataset) -> None:
    """The files that were left out, and why."""
    st.subheader("Unreadable files", anchor=False)
    everything = len(dataset.samples) + len(dataset.unreadable)
    if dataset.unreadable.empty:
        st.caption(f"None: all {everything:,} files could be read.")
        return
    st.caption(f"{of(len(dataset.unreadable), everything)} files cannot be read and are left out everywhere.")
    sheet(dataset.unreadable[["file", "kind", "reason"]], hide_index=True)
    download(
        "Download the list",
        partial(written, dataset.unreadable),
        f"{dataset.name}-unreadable.csv",
        "text/csv",
        "unreadable files",
        data=dataset.name,
        icon=":material/download:",
    )


ui.page("Dataset", ":material/folder_open:")
with ui.guarded():
    dataset = ui.open_dataset()
    if dataset is not None:
        images, classes = len(dataset.samples), len(dataset.classes)
        names = f"{classes} classes" if dataset.task == EXCLUSIVE else f"{len(learnt(dataset.classes))} findings"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{ui.escaped(dataset.name)}**: {images:,} images, {names}, {ui.escaped(dataset.layout)}",
                width="stretch",
            )
            st.page_link(
                "pages/3_Train.py",
                label="Train on it",
                icon=":material/model_training:",
                query_params={"data": str(dataset.root)},
            )
        origin_section(dataset)
        ui.notes(cautions(dataset.samples, dataset.path("")), "What to know of this data set")
        if dataset.task == FINDINGS:
            findings_section(dataset)
        else:
            distribution(dataset)
        people_section(dataset)
        st.subheader("Samples", anchor=False)
        ui.sample_grid(dataset)
        st.subheader("A batch as the network sees it", anchor=False)
        ui.network_batch(dataset, TrainConfig.model_fields["image_size"].default)
        files(dataset)
        unreadable(dataset)
        with ui.guarded():
            marks_list(dataset)
with ui.guarded():
    unpacked_section()
