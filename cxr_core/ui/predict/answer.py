"""One uploaded image: what the run says to it, or why it does not; similar cases, heat map, and the report.

    answer_card(run, answer)      # answer: one of ``uploads.predicted``, without an error

A withheld answer is shown when the reader asks for it, for this one image, and stays marked.
"""

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from cxr_core.inference.heat import OPACITY
from cxr_core.reports import html, image_report, known, pdf
from cxr_core.reports.answered import answered, named_facts
from cxr_core.runs import Decision, Run
from cxr_core.ui import cached_predictor, case, download, escaped
from cxr_core.ui.predict import uploads
from cxr_core.ui.predict.findings import findings_view, first
from cxr_core.ui.predict.reading import reading
from cxr_core.ui.run import known_verdict

if TYPE_CHECKING:
    from cxr_core.inference import Prediction


def answer_card(run: Run, answer: uploads.Answer) -> None:
    """Draw the card. Raises ImageError, RunError, WeightsError."""
    prediction = answer.prediction
    assert prediction is not None
    with st.container(border=True):
        content = uploads.content_of(answer)
        facts = [f"{name} {value}" for name, value in named_facts(content).items()]
        st.markdown(f"**{escaped(answer.name)}**")
        if facts:
            st.caption(escaped(" · ".join(facts)))
        if prediction.seen:
            st.warning(prediction.seen.sentence, icon=":material/history:")
        elif gap := cached_predictor(run).seen.gap:
            st.caption(gap)
        if is_open(answer):
            _opened(run, answer, prediction, content)
        else:
            _withheld(answer)
        reading(answer)
        _downloads(run, answer, prediction)


def is_open(answer: uploads.Answer) -> bool:
    """Whether the answer may be shown: it is not withheld, or the reader asked for it all the same."""
    return answer.withheld is None or is_forced(answer)


def is_forced(answer: uploads.Answer) -> bool:
    """Whether the reader asked for this withheld answer."""
    return answer.withheld is not None and bool(st.session_state.get(_forced_key(answer), False))


def _forced_key(answer: uploads.Answer) -> str:
    return f"force-{answer.key}"


def _opened(run: Run, answer: uploads.Answer, prediction: "Prediction", content: bytes) -> None:
    seen = case.Case(content, answer.name, prediction.probabilities or {}, prediction.label or "")
    is_findings = prediction.present is not None
    left, right = st.columns([2, 3])
    with left:
        case.picture_view(run, seen, answer.key, first(run, prediction) if is_findings else "")
    with right:
        if answer.withheld is not None:
            _reason(answer)
        st.markdown(f":small[{escaped(known.line(known_verdict(run).against))}]")
        if is_findings:
            findings_view(run, prediction, answer.key)
        else:
            case.answer_view(run, seen, answer.key)
        temperature = Decision.load(run).temperature
        st.caption(f"Probabilities are calibrated (temperature {temperature:.3f}, fitted on the validation split).")
    case.similar_view(run, seen, answer.key)


def _withheld(answer: uploads.Answer) -> None:
    left, right = st.columns([2, 3])
    left.image(uploads.picture(answer), width="stretch", alt=answer.name)
    with right:
        _reason(answer)


def _reason(answer: uploads.Answer) -> None:
    """Why the answer is withheld, calmly, and the way to see it."""
    shown = is_forced(answer)
    title = "Shown on request: this answer is withheld" if shown else "The answer is withheld"
    st.warning(f"**{title}**\n\n{escaped(answer.withheld or '')}", icon=":material/front_hand:")
    # The choice outlives the box, which is not drawn while another page of cards is open.
    st.checkbox(
        "Show it all the same",
        value=shown,
        key=f"box-{answer.key}",
        on_change=_turn,
        args=(_forced_key(answer), f"box-{answer.key}"),
    )


def _turn(key: str, box: str) -> None:
    st.session_state[key] = st.session_state[box]


def _downloads(run: Run, answer: uploads.Answer, prediction: "Prediction") -> None:
    """The report on this image, made on the click, with the heat map if one is on the page."""
    key = answer.key
    heat = None
    if is_open(answer) and st.session_state.get(f"heat-{key}"):
        label = st.session_state.get(f"heat-label-{key}") or prediction.label
        heat = (str(label), OPACITY)
    stem = answer.name.rsplit(".", 1)[0] or "image"
    make = partial(report_of, run, answer, prediction, is_forced(answer), heat)
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, kind, icon in (("HTML", "text/html", "html"), ("PDF", "application/pdf", "picture_as_pdf")):
            download(
                f"Report, {name}",
                partial(make, name),
                f"{stem}-report.{name.lower()}",
                kind,
                "report of one image",
                run=run.id,
                key=f"report-{name}-{key}",
                icon=f":material/{icon}:",
            )


def report_of(
    run: Run,
    answer: uploads.Answer,
    prediction: "Prediction",
    forced: bool,
    heat: tuple[str, float] | None,
    form: str,
) -> bytes:
    """The report as a file: ``form`` is "HTML" or "PDF". Raises ImageError, RunError, WeightsError."""
    content = uploads.content_of(answer)
    document = image_report(run, answered(cached_predictor(run), prediction, content, forced, heat))
    return pdf.render(document) if form == "PDF" else html.render(document).encode()
