"""A completed run reads uploaded X-rays: for each the answer or why it is withheld, heat map, similar cases, report."""

from functools import partial

import streamlit as st

from cxr_core import ui
from cxr_core.figures import of
from cxr_core.findings import FINDINGS
from cxr_core.runs import Run
from cxr_core.runs.pinned import pinned
from cxr_core.settings import runs_dir
from cxr_core.sheets import written
from cxr_core.ui import download, escaped
from cxr_core.ui.predict import answer_card, is_forced, uploads
from cxr_core.ui.run import known_verdict, results, verdict_banner
from cxr_core.ui.sheet import sheet

CARDS = 6
FAILURES = 5


def table(run: Run, answers: list[uploads.Answer]) -> None:
    """All uploads in one table, and its CSV."""
    findings = run.task == FINDINGS
    forced = {answer.key for answer in answers if is_forced(answer)}
    frame = uploads.prediction_table(answers, run.classes, forced, findings)
    good = sum(answer.error is None for answer in answers)
    withheld = sum(answer.withheld is not None for answer in answers)
    also = f", withheld for {of(withheld, good)} of these" if withheld else ""
    st.write(f"**Predictions for {of(good, len(answers))} files{also}**")
    sheet(
        uploads.drawn(frame, run.classes, run.implied),
        hide_index=True,
        column_config=uploads.prediction_columns(run.classes, run.implied, findings),
        height=min(38 + 35 * len(frame), 460),
        placeholder="",
    )
    name = f"{run.id}-predictions.csv"
    against = "; ".join(known_verdict(run).against)
    content = partial(written, frame.assign(known_against=against))
    download("Table as CSV", content, name, "text/csv", "table of predictions", run=run.id)


def failures(answers: list[uploads.Answer]) -> None:
    """A message for each file without a prediction."""
    messages = [answer.error for answer in answers if answer.error]
    for message in messages[:FAILURES]:
        st.error(escaped(message), icon=":material/error:")
    if len(messages) > FAILURES:
        st.caption(f"{of(FAILURES, len(messages))} messages; the table has all.")


def cards(run: Run, answers: list[uploads.Answer]) -> None:
    """The files that could be read, some at a time."""
    good = [answer for answer in answers if answer.error is None]
    pages = max(1, -(-len(good) // CARDS))
    page = st.pagination(pages, key=f"page-{pages}") if pages > 1 else 1
    for answer in good[(page - 1) * CARDS : page * CARDS]:
        with ui.guarded():
            answer_card(run, answer)


ui.page("Predict", ":material/upload:")
with ui.guarded():
    chosen = pinned(runs_dir())
    if chosen.note:
        st.caption(escaped(chosen.note))
    run = results.pick_result(chosen.run)
    if run:
        st.write(escaped(results.score_line(run)))
        verdict_banner(run)
        found = uploads.read_uploads(run)
        if found:
            answers = uploads.predicted(run, found)
            if len(answers) > 1:
                table(run, answers)
            failures(answers)
            cards(run, answers)
        else:
            st.caption(
                "The first prediction after the server starts takes some seconds longer: the network is loaded then."
            )
