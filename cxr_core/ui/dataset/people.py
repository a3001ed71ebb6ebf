"""Whom the images of a data set show, and how: age, sex, view and source, each where it is known.

people_section(dataset)
"""

import streamlit as st

from cxr_core import charts
from cxr_core.data import Dataset
from cxr_core.figures import counted, of

_PLAIN = {"displayModeBar": False}
_COLUMNS = (("sex", "Sex"), ("view", "View"), ("source", "Source"))


def people_section(dataset: Dataset) -> None:
    """A chart each of what is known of some images; nothing where nothing is known."""
    samples = dataset.samples
    known = [(name, title) for name, title in _COLUMNS if (samples[name] != "").any()]
    has_ages = bool(samples["age"].notna().any())
    patients = samples["patient"][samples["patient"] != ""]
    if not known and not has_ages and patients.empty:
        return
    st.subheader("Patients, views and sources", anchor=False)
    if len(patients):
        st.caption(
            f"{counted(patients.nunique(), 'patient')}, known for {of(len(patients), len(samples))} images; at most "
            f"{counted(int(patients.value_counts().iloc[0]), 'image')} per patient."
        )
    places = st.columns(2)
    charts_of = [("age", "Age")] * has_ages + known
    for number, (name, title) in enumerate(charts_of):
        drawn = charts.ages(samples["age"]) if name == "age" else charts.groups(samples[name], title)
        places[number % 2].plotly_chart(drawn, key=f"people-{name}", config=_PLAIN)
    unknown = [
        f"{title.lower()} of {of(int((samples[name] == '').sum()), len(samples))}"
        for name, title in known
        if (samples[name] == "").any()
    ]
    if has_ages and samples["age"].isna().any():
        unknown.insert(0, f"age of {of(int(samples['age'].isna().sum()), len(samples))}")
    if unknown:
        st.caption(f"Not known: {', '.join(unknown)} images.")
