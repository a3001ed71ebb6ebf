"""What the reader says to an answer: it is right, or what it should have been. In this session's memory alone.

    opinion_view(run, answer, is_open=True)      # beside an answer
    opinions(run)[answer.key].word               # "confirmed", "corrected", or "labelled" where no answer was shown

Nothing of it is written: the list of answers takes it along when it is exported.
"""

from dataclasses import dataclass

import streamlit as st

from cxr_core.findings import FINDINGS, means_none
from cxr_core.runs import Run
from cxr_core.ui import escaped
from cxr_core.ui.predict.uploads import Answer

_KEPT = "opinions"


@dataclass(frozen=True)
class Opinion:
    """``labels``: what the reader says is right, none of the findings where empty. ``word``: what that is beside the
    answer.
    """

    labels: tuple[str, ...]
    word: str


def opinions(run: Run) -> dict[str, Opinion]:
    """Those on answers of this run, by the answer's key."""
    kept: dict[str, dict[str, Opinion]] = st.session_state.setdefault(_KEPT, {})
    return kept.setdefault(f"{run.path} {run.profile}", {})


def opinion_view(run: Run, answer: Answer, is_open: bool) -> None:
    """The two buttons, or what was said with the way back. ``is_open``: the answer is on the page."""
    mine, key = opinions(run).get(answer.key), answer.key
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"opinion-{key}"):
        if mine:
            st.markdown(f"You {mine.word}: **{escaped(text(run, mine.labels))}**", width="content")
            st.button(
                "Undo", icon=":material/undo:", type="tertiary", key=f"undo-{key}", on_click=_undo, args=(run, key)
            )
            return
        st.markdown("Your reading", width="content")
        said = _said(run, answer)
        if is_open:
            agreed = Opinion(said, "confirmed")
            st.button("Confirm", icon=":material/check:", key=f"confirm-{key}", on_click=_say, args=(run, key, agreed))
        title, icon = ("Correct", ":material/edit:") if is_open else ("Give a label", ":material/label:")
        with st.popover(title, icon=icon, key=f"correct-{key}"):
            _form(run, key, said if is_open else None)


def _form(run: Run, key: str, said: tuple[str, ...] | None) -> None:
    """``said``: the answer, None where it is not on the page."""
    box = f"right-{key}"
    if run.task == FINDINGS:
        st.pills("Findings that are there", run.findings, selection_mode="multi", default=list(said or ()), key=box)
    else:
        st.pills("The right class", run.classes, default=said[0] if said else None, key=box)
    st.button("Save", type="primary", key=f"save-{key}", on_click=_correct, args=(run, key, said, box))
    st.caption("Kept until this tab is closed, and in the exported list. Nothing is written on the server.")


def _correct(run: Run, key: str, said: tuple[str, ...] | None, box: str) -> None:
    chosen = st.session_state.get(box)
    labels = tuple(chosen) if isinstance(chosen, list) else (str(chosen),) if chosen else ()
    if not labels and run.task != FINDINGS:
        return
    word = "labelled" if said is None else "confirmed" if set(labels) == set(said) else "corrected"
    _say(run, key, Opinion(labels, word))


def _say(run: Run, key: str, opinion: Opinion) -> None:
    opinions(run)[key] = opinion


def _undo(run: Run, key: str) -> None:
    opinions(run).pop(key, None)


def _said(run: Run, answer: Answer) -> tuple[str, ...]:
    prediction = answer.prediction
    if prediction is None:
        return ()
    return prediction.present if prediction.present is not None else (str(prediction.label),)


def text(run: Run, labels: tuple[str, ...]) -> str:
    """The labels as one text; of findings what means none of them where there is none."""
    none = next((name for name in run.classes if means_none(name)), "No finding")
    return " | ".join(labels) or none
