"""What a training would learn of the labels of findings, in counts, before it starts.

effect_table(config, dataset)      # nothing for classes
"""

from dataclasses import asdict

import pandas as pd
import streamlit as st

from cxr_core.config import TrainConfig
from cxr_core.data import Dataset
from cxr_core.data.splits import assign
from cxr_core.findings import FINDINGS, effect, learnt, values_of
from cxr_core.ui.sheet import sheet

_TITLES = {
    "yes": "Label yes",
    "no": "Label no",
    "uncertain": "Uncertain",
    "blank": "Blank",
    "shares": "Share of readers",
    "ones": "Learnt as yes",
    "zeros": "Learnt as no",
    "soft": "Learnt as a share",
    "unknown": "Left out",
}
# Shown where some label is so.
_RARE = ("shares", "soft")


def effect_table(config: TrainConfig, dataset: Dataset) -> None:
    """A row per finding: its training labels as they came, and what the policies of ``config`` make of them.

    Raises ConfigError where a policy names a finding that there is not, DatasetError where no split can be made.
    """
    if dataset.task != FINDINGS:
        return
    frame, images = effects(config, dataset)
    with st.expander(f"What is learnt of the labels of {images:,} training images", expanded=True):
        sheet(frame, hide_index=True, height=min(38 + 35 * len(frame), 320))
        st.caption(
            "Each half of a row adds up to the training images. Left out: that label takes no part in the loss; the "
            "image still counts for its other findings. Copies of a picture are kept in one split when the training "
            "starts, which can move a few images."
        )


def effects(config: TrainConfig, dataset: Dataset) -> tuple[pd.DataFrame, int]:
    """The table, and how many training images there are. Raises as ``effect_table``."""
    train = _train(dataset, config.val_fraction, config.test_fraction, config.split_seed)
    found = effect(values_of(train, dataset.classes), dataset.classes, config.policy)
    names = [dataset.classes[k] for k in learnt(dataset.classes)]
    frame = pd.DataFrame([asdict(found[name]) for name in names], columns=list(_TITLES))
    frame = frame.drop(columns=[kind for kind in _RARE if not frame[kind].any()])
    frame.insert(0, "Finding", names)
    return frame.rename(columns=_TITLES), len(train)


@st.cache_data(
    max_entries=8,
    show_spinner="Counting labels",
    hash_funcs={Dataset: lambda dataset: dataset.digest},
)
def _train(dataset: Dataset, val_fraction: float, test_fraction: float, seed: int) -> pd.DataFrame:
    """The labels of the training part, as the split will leave it but for copies."""
    samples = assign(dataset.samples, val_fraction, test_fraction, seed)
    return samples.loc[samples["split"] == "train", [name for name in samples if str(name).startswith("y_")]]
