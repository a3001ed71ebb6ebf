"""The findings of a data set: how often each is there, uncertain and blank, how many an image has, which go together.

findings_section(dataset)
"""

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cxr_core import charts
from cxr_core.charts.labels import MOST
from cxr_core.data import Dataset
from cxr_core.figures import of
from cxr_core.findings import decisive, learnt, means_none
from cxr_core.ui import escaped, is_dark
from cxr_core.ui.sheet import sheet

_PLAIN = {"displayModeBar": False}


def findings_section(dataset: Dataset) -> None:
    """Charts and a table of all findings."""
    labels, counts = dataset.labels(), dataset.counts()
    names = [dataset.classes[k] for k in learnt(dataset.classes)]
    totals = dataset.samples["split"].value_counts().reindex(counts.index)
    said, split = st.columns(2)
    said.subheader("Labels of each finding", anchor=False)
    said.plotly_chart(charts.composition(labels.loc[names]), key="composition", config=_PLAIN)
    split.subheader("Prevalence by split", anchor=False)
    split.plotly_chart(charts.by_split(counts[names], totals), key="prevalence", config=_PLAIN)
    if len(names) > MOST:
        st.caption(f"The {MOST} most frequent of {len(names)}; the table has all.")
    _table(dataset, labels, counts, totals)
    number, together = st.columns([2, 3])
    number.subheader("Findings of an image", anchor=False)
    number.plotly_chart(charts.per_image(dataset.values, dataset.classes), key="per-image", config=_PLAIN)
    _nothing(number, dataset)
    together.subheader("Which occur together", anchor=False)
    together.plotly_chart(
        charts.co_occurrence(dataset.values[:, learnt(dataset.classes)], names, is_dark()),
        key="co-occurrence",
        config=_PLAIN,
    )


def _table(dataset: Dataset, labels: pd.DataFrame, counts: pd.DataFrame, totals: pd.Series) -> None:
    table = labels.copy()
    known = table["yes"] + table["no"]
    table["yes, of the known"] = table["yes"] / known.where(known > 0)
    table["yes, of all"] = table["yes"] / table[["yes", "no", "uncertain", "blank"]].sum(axis=1)
    for split in counts.index:
        if split:
            table[f"yes in {split}"] = counts.loc[split]
            table[f"{split}, of all"] = counts.loc[split] / int(totals[split])
    if dataset.origin.readers:
        readers = pd.DataFrame(dataset.origin.readers, index=["by one reader at least", "by all readers"]).T
        table = table.join(readers)
    shares = [name for name in table if name.endswith(("of all", "of the known"))]
    numbers = [name for name in table if name not in shares]
    config = {
        **{name: st.column_config.NumberColumn(format="localized") for name in numbers},
        **{name: st.column_config.NumberColumn(format="%.1f %%") for name in shares},
    }
    # As percent: the column's own format would give some rows one decimal and others two.
    sheet(table.assign(**{name: 100 * table[name] for name in shares}).rename_axis("finding"), column_config=config)
    if dataset.origin.readers:
        some, every = (sum(counts_of[k] for counts_of in dataset.origin.readers.values()) for k in (0, 1))
        st.caption(f"Several readers labelled each image: all of them gave {of(every, some)} labels that one gave.")


def _nothing(place: DeltaGenerator, dataset: Dataset) -> None:
    """How many images have none, and how many say so."""
    values, names = dataset.values, dataset.classes
    none = int((~(values[:, decisive(names)] == 1).any(axis=1)).sum())
    text = f"{of(none, len(values))} images have no certain finding (devices aside)."
    for k, name in enumerate(names):
        if means_none(name):
            text += f" {int((values[:, k] == 1).sum()):,} are labelled {escaped(name)}."
    place.caption(text)
