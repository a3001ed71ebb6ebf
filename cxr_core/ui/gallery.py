"""Pictures of a data set: samples page by page, and a batch as the network sees it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from cxr_core import images
from cxr_core.data import Dataset, fixes
from cxr_core.errors import ImageError
from cxr_core.figures import UNDEFINED, of
from cxr_core.findings import FINDINGS, Bools, Floats, Policy, learnt, means_none, resolved, values_of
from cxr_core.hierarchy import Hierarchy
from cxr_core.images import Mask
from cxr_core.labels import indices, parse_labels, targets
from cxr_core.settings import runs_dir
from cxr_core.ui.cached import cached_pixels, full_picture, thumbnail
from cxr_core.ui.frame import escaped

ALL = "all"
PER_PAGE = 18
BATCH = 8
VIEWS = 3
YES = "yes"
# What a label can say of a finding -> where it does.
SAYS: dict[str, Callable[[Floats], Bools]] = {
    YES: lambda values: values == 1,
    "uncertain": lambda values: (values == -1) | ((values > 0) & (values < 1)),
    "no": lambda values: values == 0,
    "blank": lambda values: np.asarray(np.isnan(values)),
}


def sample_grid(dataset: Dataset) -> None:
    """Thumbnails by split and class with a page turner; a click opens the whole picture."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen_split = st.selectbox("Split", [ALL, *filter(None, dataset.splits)], key="grid-split", width=150)
        word = "Finding" if dataset.task == FINDINGS else "Class"
        chosen_class = st.selectbox(word, [ALL, *dataset.classes], key="grid-class", width=220)
        says = YES
        if dataset.task == FINDINGS and chosen_class != ALL:
            says = st.selectbox("Labelled", list(SAYS), key="grid-says", width=150)
        samples = _filtered(dataset, chosen_split, chosen_class, says)
        pages = max(1, -(-len(samples) // PER_PAGE))
        # A filter may have left fewer pages than the one that was open.
        st.session_state["grid-page"] = min(st.session_state.get("grid-page", 1), pages)
        number = int(st.number_input(f"Page, of {pages:,}", 1, pages, key="grid-page", width=130))
        st.button("Previous", on_click=_turn, args=(-1,), disabled=number == 1, icon=":material/chevron_left:")
        st.button("Next", on_click=_turn, args=(1,), disabled=number == pages, icon=":material/chevron_right:")
    shown = samples.iloc[(number - 1) * PER_PAGE : number * PER_PAGE]
    first = (number - 1) * PER_PAGE + 1
    st.caption(f"{first:,} to {of(first + len(shown) - 1, len(samples))} images" if len(shown) else "No image.")
    with st.container(key="tiles-samples"):
        for row in shown.to_dict("records"):
            _tile(dataset, row)


def _filtered(dataset: Dataset, split: str, label: str, says: str) -> pd.DataFrame:
    samples = dataset.samples
    keep = np.ones(len(samples), dtype=bool)
    if split != ALL:
        keep &= (samples["split"] == split).to_numpy()
    if label != ALL and dataset.task == FINDINGS:
        # A name of the data set that was open before may be left in the widget.
        values = dataset.values[:, dataset.classes.index(label)]
        keep &= SAYS[says](values)
    elif label != ALL:
        keep &= (samples["label"] == label).to_numpy()
    return samples[keep]


def _turn(pages: int) -> None:
    st.session_state["grid-page"] += pages


def _tile(dataset: Dataset, row: dict[str, str]) -> None:
    name = row["file"].rsplit("/", 1)[-1]
    with st.container(gap="xsmall"):
        try:
            st.image(thumbnail(dataset.path(row["file"])), width="stretch", alt=f"{row['label']}, {name}")
        except ImageError as error:
            st.caption(escaped(str(error)))
            return
        if st.button(escaped(_short(name)), key=f"open-{row['file']}", type="tertiary", help="Open it in full size"):
            _open(dataset, row)
        st.caption(" · ".join(escaped(part) for part in _facts(row)))


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:9]}…{name[-9:]}"


def _facts(row: dict[str, str]) -> list[str]:
    patient = f"patient {row['patient']}" if row["patient"] else ""
    return [part for part in (row["label"], row["split"], patient, row["view"], row["source"]) if part]


@st.dialog("Image", width="large")
def _open(dataset: Dataset, row: dict[str, str]) -> None:
    st.caption(" · ".join(escaped(part) for part in (row["file"], *_facts(row), f"{row['width']} x {row['height']}")))
    st.image(full_picture(dataset.path(row["file"])), width="content")


def network_batch(dataset: Dataset, size: int) -> None:
    """Eight images as they enter the network: cut to ``size`` px a side, plain and in augmented views, with their
    targets.
    """
    samples = dataset.samples
    pool = samples[samples["split"].isin(("train", ""))]
    drawn = pool.sample(min(BATCH, len(pool)), random_state=st.session_state.get("batch-seed", 0))
    mask: Mask = "border-erased" if fixes.applied(dataset, fixes.read(runs_dir())).border_masked else "none"
    wanted, note = _targets(dataset, drawn)
    st.caption(
        f"{len(drawn)} of {len(pool):,} images to learn from, {size} x {size} px; first as they are, then two "
        f"augmented views. {note}" + (" Their border is masked, by a fix of the Audit page." if mask != "none" else "")
    )
    st.button("Draw others", on_click=_draw_others, icon=":material/casino:")
    with st.container(key="tiles-batch"):
        for row, target in zip(drawn.to_dict("records"), wanted, strict=True):
            with st.container(gap="xsmall"):
                try:
                    content = images.read_bytes(dataset.path(row["file"]))
                    views = [cached_pixels(content, row["file"], size, view, mask) for view in range(VIEWS)]
                except ImageError as error:
                    st.caption(escaped(str(error)))
                    continue
                st.image(np.concatenate(views), width="stretch", alt=f"{row['label']}, three views")
                st.caption(f"{escaped(row['label'])}{target}")


def _targets(dataset: Dataset, drawn: pd.DataFrame) -> tuple[list[str], str]:
    """What is learnt of each image, as text behind its label, and what the numbers mean."""
    if dataset.task == FINDINGS:
        names = dataset.classes
        told = [names[k] for k in learnt(names)]
        values = values_of(drawn, names)
        _, known = resolved(values, names, Policy())
        counts = known[:, learnt(names)].sum(axis=1)
        return (
            [f" · {of(int(count), len(told))} findings known" for count in counts],
            "Uncertain labels are not learnt from, blank ones count as absent, unless the Train page says otherwise.",
        )
    classes = dataset.classes
    implied = parse_labels("auto", classes)
    wanted = targets(indices(drawn["label"], classes), classes, implied)
    known, meaning = np.ones_like(wanted, dtype=bool), "."
    if implied:
        wanted, known = Hierarchy(classes, implied).conditional_targets(wanted, known)
        said = [f"{name} is learnt from images with {' and '.join(above)}" for name, above in implied.items()]
        none = [f"{name} is what is left without any finding" for name in classes if means_none(name)]
        meaning = f"; {UNDEFINED} is not learnt: {'; '.join(said + none)}."
    cells = [
        [f"{value:.0f}" if sure else UNDEFINED for value, sure in zip(*row, strict=True)]
        for row in zip(wanted, known, strict=True)
    ]
    return (
        [f" · target {' '.join(row)}" for row in cells],
        f"Targets are in the order {', '.join(map(escaped, classes))}{escaped(meaning)}",
    )


def _draw_others() -> None:
    st.session_state["batch-seed"] = st.session_state.get("batch-seed", 0) + 1
