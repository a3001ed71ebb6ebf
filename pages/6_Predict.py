"""A completed run reads uploaded X-rays: for each the answer or why it is withheld, heat map, similar cases, report."""

import streamlit as st

from cxr_core import ui
from cxr_core.findings import FINDINGS
from cxr_core.glossary import meaning
from cxr_core.runs import Run
from cxr_core.runs.pinned import answers_first, pinned
from cxr_core.settings import runs_dir
from cxr_core.ui import escaped
from cxr_core.ui.predict import answer_card, uploads, with_profile, worklist
from cxr_core.ui.run import results, verdict_banner
from cxr_core.ui.warm import warm_up

# Above an answer the title is small, for the answer is what the page is for.
STYLE = """
<style>
.block-container { padding-top: 3rem; }
.block-container h1 { font-size: 1.35rem; padding: 0.35rem 0; }
.block-container > [data-testid="stVerticalBlock"] { gap: 0.5rem; }
.st-key-uploads-strip [data-testid="stFileUploaderDropzone"] { padding-top: 0.4rem; padding-bottom: 0.4rem; }
.st-key-uploads-strip [data-testid="stFileChips"] { max-height: 41px; }
@media (max-width: 640px) { .st-key-uploads-strip [data-testid="stFileChips"] { max-height: 84px; } }
</style>
"""


def worth(run: Run) -> None:
    """What the run scored, and what speaks against its score."""
    terms = ("ROC AUC", "split") if run.task == FINDINGS else ("macro F1", "balanced accuracy", "recall", "split")
    st.markdown(escaped(results.score_line(run)), help=meaning(*terms))
    verdict_banner(run)


ui.page("Predict", ":material/upload:")
with ui.guarded():
    chosen = pinned(runs_dir())
    strip = uploads.waiting()
    if strip:
        st.html(STYLE)
    if chosen.note:
        st.caption(escaped(chosen.note))
    with st.container(horizontal=strip, vertical_alignment="center", gap="small", key="predict-top"):
        own = results.pick_result(answers_first(runs_dir()), 240 if strip else 0)
        run = with_profile(own, strip) if own else None
        found = uploads.read_uploads(strip) if run else []
    if run and found:
        answers = uploads.predicted(run, found)
        if len(answers) > 1:
            worklist(run, answers)
        else:
            answer_card(run, answers[0])
        with st.expander("What this run is worth", icon=":material/fact_check:"):
            results.about(run)
            worth(run)
    elif run:
        warm_up()
        st.caption(
            "The first prediction after the server starts takes some seconds longer: the network is loaded then."
        )
        worth(run)
