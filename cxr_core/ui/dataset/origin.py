"""Which set was recognised, how its labels were made, what was left out by which rule; each rule can be changed.

origin_section(dataset)
"""

from functools import partial

import streamlit as st

from cxr_core.data import Dataset
from cxr_core.data.answers import file_of, forget, said
from cxr_core.data.cautions import tiny_validation
from cxr_core.data.replies import reply
from cxr_core.figures import counted
from cxr_core.ui import escaped, guarded
from cxr_core.ui.cached import forget_scans

# Rule -> what a person calls it, and what it means.
_RULES = {
    "views": ("Views", "Lateral and other views are no frontal images: most networks are to learn from frontal ones."),
    "missing": ("Missing files", "Images that the table names and that are not there."),
    "readers": ("Several readers", "How the labels of several readers become one."),
    "labels": ("Labels", "Which of the set's tables gives the labels."),
    "labels by": ("Labels by", "Labels of a physician, or of a program that read the report too."),
    "unchanged": ("Unchanged", "Images of which the report says only that nothing has changed."),
    "modality": ("Modality", "Radiographs, or everything that there is."),
    "edition": ("Edition", "Which of the set's lists is read."),
    "pneumonia": ("Pneumonia", "As one class, or by the cause in the file's name."),
    "tuberculosis": ("Tuberculosis", "As one class, or by kind."),
    "masks": ("Masks", "Folders of masks beside the images."),
    "classes": ("Classes", "Which folder is the class of an image: the first, or the one next to the image."),
    "validation": ("Validation split", "The one that the data set gives, or a new one taken from training images."),
}


def origin_section(dataset: Dataset) -> None:
    """One box: set, rule of the labels, rules with their choices, what is odd."""
    origin = dataset.origin
    with st.container(border=True):
        name = f"Recognised as **{escaped(origin.set)}**" if origin.set else "No public set was recognised"
        st.markdown(f"{name}. Labels: {escaped(_first_small(origin.rule))}")
        if origin.attribution:
            st.caption(escaped(origin.attribution))
        left_out = {rule: n for rule, n in origin.left_out if n}
        if origin.rules:
            with st.container(key="numbers-rules"):
                for rule, choice in origin.rules.items():
                    _rule(dataset, rule, choice, left_out.pop(rule, None))
        if left_out:
            listed = ", ".join(f"{escaped(rule)} {n:,}" for rule, n in left_out.items())
            st.caption(f"Also left out, images by rule: {listed}.")
        if origin.overlaps:
            listed = "; ".join(f"{escaped(other)} ({escaped(what)})" for other, what in origin.overlaps.items())
            st.caption(f"Shares images with {listed}: one of them is no test of a network that learnt from the other.")
        tiny = tiny_validation(dataset.samples)
        odd = [*origin.problems, *([tiny] if tiny else [])]
        if odd:
            st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in odd))
        _said(dataset)


def _first_small(sentence: str) -> str:
    first, rest = sentence[:1], sentence[1:]
    # Not where a name or an abbreviation begins it.
    return sentence if rest[:1].isupper() else f"{first.lower()}{rest}"


def _rule(dataset: Dataset, rule: str, choice: str, left_out: int | None) -> None:
    """A rule's choices; another one is read by at once, and kept."""
    title, meaning = _RULES.get(rule, (rule.capitalize(), ""))
    choices = [other for other in dataset.origin.choices[rule] if other != "ask"]
    with st.container(gap=None):
        wanted = st.selectbox(
            title, choices, choices.index(choice), key=f"rule-{rule}-{dataset.root}", help=meaning or None
        )
        if left_out is not None:
            st.caption(f"{counted(left_out, 'image')} left out")
    if wanted != choice:
        with guarded():
            reply(dataset.root, {rule: wanted})
            forget_scans()
            st.rerun()


def _said(dataset: Dataset) -> None:
    """What a person said, where it is kept, and the button that forgets it."""
    if said(dataset.root).are_empty:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Read by what a person said, kept in {escaped(str(file_of(dataset.root)))}.")
        st.button("Forget it", icon=":material/undo:", on_click=partial(_forget, dataset), key="answers-forget")


def _forget(dataset: Dataset) -> None:
    forget(dataset.root)
    for rule in dataset.origin.rules:
        st.session_state.pop(f"rule-{rule}-{dataset.root}", None)
    forget_scans()
