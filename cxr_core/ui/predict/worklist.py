"""Many files: a list of all, counts in words, and one opened at a time with the way to the next.

    worklist(run, answers)

A selected row opens its answer in the list's place; Previous and Next, or the arrow keys, go through them in the
list's order. The list is exported with the run, the answers and what the reader said to them.
"""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from cxr_core.figures import of
from cxr_core.findings import FINDINGS
from cxr_core.runs import Run
from cxr_core.sheets import written
from cxr_core.ui import download, escaped, guarded
from cxr_core.ui.predict import table
from cxr_core.ui.predict.answer import answer_card, is_forced
from cxr_core.ui.predict.opinion import opinions, text
from cxr_core.ui.predict.uploads import Answer
from cxr_core.ui.run import known_verdict
from cxr_core.ui.sheet import sheet
from cxr_core.ui.viewer import Turn

FAILURES = 5
_OPEN = "worklist-open"
_ORDER = "worklist-order"
_TO_THE_TOP = """<script>document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0)</script>"""


def worklist(run: Run, answers: Sequence[Answer]) -> None:
    """Draw the list, or the answer that is open. Raises RunError, and what ``answer_card`` raises."""
    by = st.session_state.get(_ORDER) or table.LEAST_SURE
    places = table.order(run, answers, by)
    keys = [answers[place].key for place in places]
    opened = st.session_state.get(_OPEN)
    if opened in keys:
        at = keys.index(opened)
        # The list may have been scrolled; the answer begins at the top. Once, for the piece stays the same at Next.
        st.html(_TO_THE_TOP, unsafe_allow_javascript=True)
        _ways(keys, at)
        with guarded():
            answer_card(run, answers[places[at]], Turn(partial(_step, keys, at), at > 0, at < len(keys) - 1))
    else:
        _list(run, answers, places, by)


def _ways(keys: Sequence[str], at: int) -> None:
    """Back to the list, to the answer before, to the next one."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="worklist-ways"):
        st.button("All files", icon=":material/list:", key="worklist-all", on_click=_open, args=(None,))
        for name, step, icon, arrow in (
            ("Previous", -1, ":material/chevron_left:", "Left"),
            ("Next", 1, ":material/chevron_right:", "Right"),
        ):
            there = 0 <= at + step < len(keys)
            st.button(
                name,
                icon=icon,
                key=f"worklist-{name.lower()}",
                disabled=not there,
                shortcut=arrow,
                on_click=_open,
                args=(keys[at + step] if there else None,),
            )
        st.caption(of(at + 1, len(keys)), width="content")


def _step(keys: Sequence[str], at: int, by: int) -> None:
    _open(keys[at + by])


def _open(key: str | None) -> None:
    st.session_state[_OPEN] = key


def counts(answers: Sequence[Answer]) -> str:
    """``32 answered, 3 withheld, 2 unreadable``: what there is none of is left out."""
    outcomes = [answer.outcome for answer in answers]
    found = ((name, outcomes.count(name)) for name in ("answered", "withheld", "unreadable"))
    return ", ".join(f"{count:,} {name}" for name, count in found if count)


def _list(run: Run, answers: Sequence[Answer], places: Sequence[int], by: str) -> None:
    findings = run.task == FINDINGS
    forced = {answer.key for answer in answers if is_forced(answer)}
    frame = table.prediction_table(answers, run.classes, forced, findings)
    said = [opinions(run).get(answer.key) for answer in answers]
    frame.insert(2, "reader", [one.word if one else "" for one in said])
    frame.insert(3, "reader_label", [text(run, one.labels) if one else "" for one in said])
    by_profile = f" by the site profile {escaped(run.profile)}" if run.profile else ""
    st.markdown(f"**{counts(answers)}**{by_profile}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Read one by one",
            type="primary",
            icon=":material/play_arrow:",
            key="worklist-begin",
            on_click=_open,
            args=(answers[places[0]].key,),
        )
        st.selectbox(
            "Order",
            table.ORDERS,
            table.ORDERS.index(by),
            key="worklist-box",
            on_change=_sort,
            width=190,
            label_visibility="collapsed",
        )
        export = frame.assign(run=run.id, known_against="; ".join(known_verdict(run).against))
        if run.profile:
            export["profile"] = run.profile
        download(
            "List as CSV",
            partial(written, export),
            f"{run.id}-predictions.csv",
            "text/csv",
            "table of predictions",
            run=run.id,
            icon=":material/download:",
        )
    shown = table.drawn(frame, run.classes, run.implied).iloc[list(places)]
    chosen = sheet(
        shown,
        hide_index=True,
        column_config=table.prediction_columns(run.classes, run.implied, findings),
        column_order=[name for name in shown if name.startswith("p_") or shown[name].ne("").any()],
        height=min(38 + 35 * len(frame), 460),
        placeholder="",
        on_select="rerun",
        selection_mode="single-row",
        key="worklist-rows",
    )
    if chosen.selection.rows:
        _open(answers[places[chosen.selection.rows[0]]].key)
        st.rerun()
    st.caption("Select a row to open it. Withheld answers come first.")
    _failures(answers)


def _sort() -> None:
    # The box is not drawn while an answer is open, and would be forgotten with it.
    st.session_state[_ORDER] = st.session_state["worklist-box"]


def _failures(answers: Sequence[Answer]) -> None:
    """A message for each file that could not be read."""
    messages = [answer.error for answer in answers if answer.error]
    for message in messages[:FAILURES]:
        st.error(escaped(message), icon=":material/error:")
    if len(messages) > FAILURES:
        st.caption(f"{of(FAILURES, len(messages))} messages; the table has all.")
