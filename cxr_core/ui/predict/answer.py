"""One uploaded image: what the run says to it in one line, or why it does not; the picture large, probabilities beside
it, what changes how they are read; the rest folds.

    answer_card(run, answer)      # answer: one of ``uploads.predicted``

A withheld answer is shown when the reader asks for it, for this one image, and stays marked.
"""

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from cxr_core.glossary import meaning
from cxr_core.inference.heat import OPACITY
from cxr_core.reports import html, image_report, pdf
from cxr_core.reports.answered import answered, named_facts
from cxr_core.runs import Decision, Run
from cxr_core.runs.decision import calibrated_on
from cxr_core.ui import cached_predictor, case, download, escaped
from cxr_core.ui.predict import uploads
from cxr_core.ui.predict.caveats import caveats
from cxr_core.ui.predict.findings import findings_rule, findings_view, first
from cxr_core.ui.predict.headline import headline
from cxr_core.ui.predict.opinion import opinion_view
from cxr_core.ui.predict.reading import reading
from cxr_core.ui.viewer import Picture, Turn, viewer

if TYPE_CHECKING:
    from cxr_core.inference import Prediction

# So many pixels are above the picture, with its buttons, and below it: it is seen without scrolling, and its headline.
_ROOM = 430
_STYLE = """
<style>
.st-key-answer [data-testid="stHeading"] { padding: 0; }
</style>
"""


def answer_card(run: Run, answer: uploads.Answer, turn: Turn | None = None) -> None:
    """Draw it; ``turn``: the way to the next one. Raises ImageError, RunError, WeightsError."""
    prediction = answer.prediction
    if prediction is None or answer.error is not None:
        st.error(escaped(answer.error or ""), icon=":material/error:")
        return
    st.html(_STYLE)
    with st.container(key="answer"):
        content = uploads.content_of(answer)
        shown = is_open(answer)
        _first_line(run, answer, prediction)
        left, right = st.columns([11, 9])
        with left, st.container(key="answer-picture"):
            if shown:
                label = first(run, prediction) if prediction.present is not None else ""
                case.picture_view(run, _case(answer, prediction, content), answer.key, label, "answer", turn, _ROOM)
            else:
                viewer(Picture(content, answer.name), key="viewer-answer", label=answer.name, turn=turn, room=_ROOM)
            facts = [f"{name} {value}" for name, value in named_facts(content).items()]
            st.caption(escaped(" · ".join([answer.name, *facts])))
        with right:
            caveats(run, prediction)
            if shown:
                _probabilities(run, answer, prediction, content)
            opinion_view(run, answer, shown)
        if shown:
            _similar(run, answer, prediction, content)
            _rule(run, answer, prediction, content)
        reading(answer)
        _reports(run, answer, prediction)
        if not prediction.seen and (gap := cached_predictor(run).seen.gap):
            st.caption(gap)


def is_open(answer: uploads.Answer) -> bool:
    """Whether the answer may be shown: it is not withheld, or the reader asked for it anyway."""
    return answer.withheld is None or is_forced(answer)


def is_forced(answer: uploads.Answer) -> bool:
    """Whether the reader asked for this withheld answer."""
    return answer.withheld is not None and bool(st.session_state.get(_forced_key(answer), False))


def _forced_key(answer: uploads.Answer) -> str:
    return f"force-{answer.key}"


def _first_line(run: Run, answer: uploads.Answer, prediction: "Prediction") -> None:
    """What was found, how sure, at which operating point; or that it is withheld, why, and the way to see it."""
    with st.container(key="answer-headline", gap=None):
        if is_open(answer):
            said = headline(run, prediction, Decision.load(run))
            st.subheader(escaped(said.found), anchor=False)
            st.markdown(f":small[{escaped(said.sure)}]")
        if answer.withheld is None:
            return
        if is_open(answer):
            title = "Shown on request: this answer is withheld"
            st.markdown(f":orange-badge[:material/front_hand: {title}] :small[{escaped(answer.withheld)}]")
        else:
            st.subheader(":material/front_hand: The answer is withheld", anchor=False)
            st.markdown(escaped(answer.withheld))
        # The choice outlives the box, which is not drawn while another answer is open.
        st.checkbox(
            "Show anyway",
            value=is_forced(answer),
            key=f"box-{answer.key}",
            on_change=_turn,
            args=(_forced_key(answer), f"box-{answer.key}"),
        )


def _turn(key: str, box: str) -> None:
    st.session_state[key] = st.session_state[box]


def _case(answer: uploads.Answer, prediction: "Prediction", content: bytes) -> case.Case:
    return case.Case(content, answer.name, prediction.probabilities or {}, prediction.label or "")


def _probabilities(run: Run, answer: uploads.Answer, prediction: "Prediction", content: bytes) -> None:
    if prediction.present is not None:
        findings_view(run, prediction, answer.key)
    else:
        case.probabilities_view(run, _case(answer, prediction, content), answer.key)


def _similar(run: Run, answer: uploads.Answer, prediction: "Prediction", content: bytes) -> None:
    fold = st.expander(
        "Similar training cases", icon=":material/grid_view:", key=f"similar-{answer.key}", on_change="rerun"
    )
    if fold.open:
        with fold:
            case.similar_view(run, _case(answer, prediction, content), answer.key)


def _rule(run: Run, answer: uploads.Answer, prediction: "Prediction", content: bytes) -> None:
    with st.expander("How this was decided", icon=":material/rule:"):
        if prediction.present is not None:
            findings_rule(run, prediction)
        else:
            case.rule_view(run, _case(answer, prediction, content))
        temperature = Decision.load(run).temperature
        st.caption(
            escaped(
                f"Probabilities are calibrated (temperature {temperature:.3f}, fitted on the {calibrated_on(run)})."
            ),
            help=meaning("temperature"),
        )


def _reports(run: Run, answer: uploads.Answer, prediction: "Prediction") -> None:
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
