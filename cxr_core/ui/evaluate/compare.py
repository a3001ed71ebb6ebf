"""Two runs on the same images: the paired difference with its interval, and McNemar's test."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.evaluation import paired
from cxr_core.figures import number, of, signed
from cxr_core.labels import indices
from cxr_core.names import SPLITS, network
from cxr_core.runs import Run, title, viewings
from cxr_core.settings import Stamp
from cxr_core.ui import escaped, metric
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.evaluate.headline import interval_text
from cxr_core.ui.evaluate.other import named_overlaps, pick_other
from cxr_core.ui.run import cached_measured, stamps, viewed


def compare_section(run: Run, split: str) -> None:
    """Choose another completed run of the same classes, and see whether the images can tell the two apart."""
    other = pick_other(run, _comparable, "classes")
    if other is None:
        return
    images, differing = common(run, other, split)
    own = len(cached_measured(run, split)[1])
    if images.empty:
        st.info(
            f"The two runs share no image of the {SPLITS[split]} split, so they cannot be compared on it.",
            icon=":material/info:",
        )
        named_overlaps([run, other])
        return
    found = _paired(run, other, split, stamps(run, split), stamps(other, split))
    st.write(
        f"Compared on {of(len(images), own)} images of this run's {SPLITS[split]} split, those that both were "
        "evaluated on (by content). A is this run, B the other; a difference above 0 speaks for A."
    )
    if differing:
        st.caption(f"{differing:,} images are left out: the two runs have another label for them.")
    if split == "test":
        # The other run's test figures are seen here too.
        viewed(other)
        apart = "The two were tested on different data sets, or on one that was fixed in between."
        st.caption(escaped(viewings.side_by_side([run, other]) or apart))
    named_overlaps([run, other])
    for name, part in (("A", run), ("B", other)):
        if part.leak:
            st.caption(f"{name}: {escaped(part.leak)}")
    if split == "val":
        st.caption("Each run chose its best epoch and thresholds on its validation split. Judge by the test.")
    _numbers(images, found)
    _classes(run, images, found)
    st.plotly_chart(charts.paired_difference(found, "A", "B"), key="paired", config=NO_BAR)
    st.write(_verdict(found))
    st.caption(escaped(f"A: {title(run)}, {network(run.config)}. B: {title(other)}, {network(other.config)}."))


def _comparable(run: Run, other: Run) -> bool:
    return other.task == run.task and sorted(other.classes) == sorted(run.classes)


def common(run: Run, other: Run, split: str) -> tuple[pd.DataFrame, int]:
    """Images that both runs were evaluated on, by content: label, patient, decision_a, decision_b; and how many have
    another label in the other run, which are left out. Raises RunError.
    """
    tables = [cached_measured(part, split)[1].drop_duplicates("digest") for part in (run, other)]
    joined = tables[0].merge(tables[1], on="digest", suffixes=("_a", "_b"))
    alike = joined["label_a"] == joined["label_b"]
    named = joined.rename(columns={"label_a": "label", "patient_a": "patient"})
    return named.loc[alike, ["label", "patient", "decision_a", "decision_b"]], int((~alike).sum())


@st.cache_data(max_entries=16, show_spinner="Comparing", hash_funcs={Run: lambda run: str(run.path)})
def _paired(run: Run, other: Run, split: str, mine: tuple[Stamp, ...], theirs: tuple[Stamp, ...]) -> dict[str, Any]:
    images, _ = common(run, other, split)
    true, a, b = (indices(images[name], run.classes) for name in ("label", "decision_a", "decision_b"))
    return paired(true, a, b, len(run.classes), images["patient"].tolist())


def _numbers(images: pd.DataFrame, found: dict[str, Any]) -> None:
    right = {part: int((images["label"] == images[f"decision_{part}"]).sum()) for part in ("a", "b")}
    counted = f"A {of(right['a'], found['n'])}, B {of(right['b'], found['n'])} images"
    f1, balanced, accuracy, mcnemar = st.columns(4)
    with f1:
        interval = interval_text(found["macro_f1_ci"])
        metric("Macro F1, A − B", signed(found["macro_f1_difference"]), f"{interval} · {found['n']:,} images")
    with balanced:
        interval = interval_text(found["balanced_accuracy_ci"])
        title = "Balanced accuracy, A − B"
        metric(title, signed(found["balanced_accuracy_difference"]), f"{interval} · mean recall")
    with accuracy:
        metric("Accuracy, A − B", signed(found["accuracy_difference"]), f"{interval_text(found['ci'])} · {counted}")
    with mcnemar:
        test = found["mcnemar"]
        metric(
            "McNemar's p",
            number(test["p"]) if test["p"] >= 0.001 else "< 0.001",
            f"right in A alone {test['only_a']:,}, in B alone {test['only_b']:,} images",
            help="Exact, two-sided. It takes images for independent: where patients have several, trust the interval.",
        )


def _classes(run: Run, images: pd.DataFrame, found: dict[str, Any]) -> None:
    """The recall of each class by both, as counts; which of them rest on too few images to tell the two apart."""
    rows = []
    for name in run.classes:
        part = images[images["label"] == name]
        right = [of(int((part[f"decision_{side}"] == name).sum()), len(part)) for side in ("a", "b")]
        rows.append(f"{name} A {right[0]}, B {right[1]}")
    st.markdown(f"Recall: {escaped('; '.join(rows))}")
    few = [run.classes[k] for k in found["few"]]
    if few:
        st.warning(
            escaped(f"Too few images to tell the two apart on {', '.join(few)}: fewer than ten patients or images."),
            icon=":material/scale:",
        )


def _verdict(found: dict[str, Any]) -> str:
    ends = found["macro_f1_ci"]
    if not ends:
        return "With fewer than two patients there is no interval: these images say nothing about others."
    if ends[0] <= 0 <= ends[1]:
        return "The interval of macro F1 holds 0: these images do not tell the two runs apart."
    side, better = ("above", "A") if ends[0] > 0 else ("below", "B")
    return f"The interval of macro F1 lies {side} 0: {better} is better on images like these."
