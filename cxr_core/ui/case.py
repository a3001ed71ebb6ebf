"""One image looked at closely: the picture, a heat map on demand, its probabilities, the most similar training cases.

    case = Case(content, "a.png", prediction.probabilities, prediction.label)
    for view in (picture_view, answer_view, similar_view): view(run, case, key="a")     # each where the page wants it

Nothing imports torch until a heat map is asked for, or similar cases of an image whose vector is not given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxr_core import charts, images
from cxr_core.bars import OF_ANY_KIND, Bars, bars
from cxr_core.errors import ImageError
from cxr_core.figures import of
from cxr_core.findings import FINDINGS
from cxr_core.glossary import meaning
from cxr_core.images import BORDER
from cxr_core.images.lungs import APPROXIMATE, Lungs, lungs
from cxr_core.inference import Neighbours
from cxr_core.inference.inside import NOT_FOUND, told
from cxr_core.inference.neighbours import FILE
from cxr_core.labels import thresholded
from cxr_core.runs import Decision, Run
from cxr_core.runs.decision import rule_sentence
from cxr_core.settings import Stamp, stamp
from cxr_core.ui.cached import cached_predictor, thumbnail
from cxr_core.ui.frame import escaped
from cxr_core.ui.viewer import Heat, Picture, Turn, viewer

HEAT_NOTE = (
    "A heat map shows what moved the score of {label}, not that the score is right. It covers the square that the "
    "network saw."
)
BORDER_NOTE = (
    f"The network does not see the border: {100 * BORDER:.0f} % of each side of the square that it cuts from a picture "
    "is erased."
)
# In the session: whether the heat map is on, for whatever picture comes next.
HEATED = "heat-on"
# The same of the lungs' outlines.
OUTLINED = "lung-boxes-on"


@dataclass(frozen=True)
class Case:
    """An image and what the run says to it. ``true``: its label where it is known. ``vector``: its embedding (D,)
    where it is kept, so that it need not be computed.
    """

    content: bytes
    name: str
    probabilities: Mapping[str, float]
    decision: str
    true: str = ""
    vector: NDArray[np.floating] | None = None

    @cached_property
    def digest(self) -> str:
        return images.content_digest(self.content)


def picture_view(
    run: Run, case: Case, key: str, label: str = "", place: str = "", turn: Turn | None = None, room: int = 0
) -> None:
    """The picture in the viewer; a switch adds the heat map of a label, at first of ``label`` or of the decision, and
    stays as it is at the next picture. Says so where the network sees no border.

    ``place``: one and the same for pictures that follow each other, so that the viewer stays (else ``key``). ``room``:
    see ``viewer``.
    """
    labels = [name for name in run.classes if run.task != FINDINGS or name in thresholded(run.classes, run.implied)]
    first = next((name for name in (label, case.decision) if name in labels), labels[0])
    seen = st.container()
    heat = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.toggle(
            "Heat map",
            st.session_state.get(HEATED, False),
            key=f"heat-{key}",
            help="What moved the score. It costs a pass back through the network.",
            on_change=_keep,
            args=(HEATED, f"heat-{key}"),
        ):
            shown = st.selectbox("Of the label", labels, labels.index(first), key=f"heat-label-{key}", width=190)
            outlined = st.toggle(
                "Lung boxes",
                st.session_state.get(OUTLINED, False),
                key=f"boxes-{key}",
                help=f"Where the lungs were found. {APPROXIMATE}",
                on_change=_keep,
                args=(OUTLINED, f"boxes-{key}"),
            )
            found = lungs_of(run, case) if outlined else None
            heat = Heat(heat_of(run, case, shown), shown, found.boxes if found else ())
    with seen:
        picture = Picture(case.content, case.name)
        viewer(picture, heat, key=f"viewer-{place or key}", label=case.name, turn=turn, room=room)
    if heat is not None:
        st.caption(escaped(HEAT_NOTE.format(label=heat.label)))
        if not heat.values.any():
            st.caption(escaped(f"The map is empty: nothing in this picture speaks for {heat.label}."))
        _lungs_view(run, case, heat)
    if run.config.mask_border:
        st.caption(BORDER_NOTE)


def _lungs_view(run: Run, case: Case, heat: Heat) -> None:
    """How much of the map lies in the lungs; the doubt in amber."""
    sentence, doubt = told(heat.values, lungs_of(run, case))
    if doubt:
        st.warning(escaped(f"{sentence} {doubt}"), icon=":material/center_focus_weak:")
    elif sentence:
        st.caption(escaped(sentence))
    if sentence not in ("", NOT_FOUND):
        st.caption(escaped(APPROXIMATE))


def _keep(choice: str, key: str) -> None:
    st.session_state[choice] = st.session_state[key]


def answer_view(run: Run, case: Case, key: str) -> None:
    """Decision, true label where known, each probability against its threshold, and why where that is not plain."""
    known = f" · true label **{escaped(case.true)}**" if case.true else ""
    st.markdown(f"Decision **{escaped(case.decision)}**{known}")
    probabilities_view(run, case, key)
    rule_view(run, case)


def probabilities_view(run: Run, case: Case, key: str) -> None:
    """Each probability as a bar against its threshold, and why the decision is not the longest one, where it is not."""
    shown = _bars(run, case)
    st.plotly_chart(
        charts.probabilities(shown.values, shown.decided, shown.limits),
        key=f"probabilities-{key}",
        config={"displayModeBar": False},
    )
    if shown.reason:
        st.markdown(escaped(shown.reason))
    if shown.together and OF_ANY_KIND not in shown.reason:
        st.caption(escaped(shown.together))


def rule_view(run: Run, case: Case) -> None:
    """Each probability against its threshold in figures, and how they become a decision."""
    shown = _bars(run, case)
    if shown.against:
        listed = ", ".join(
            f"{escaped(part.name)} {part.probability:.3f} ({'reaches' if part.reaches else 'below'} "
            f"{part.threshold:.3f})"
            for part in shown.against
        )
        st.caption(f"Probability against threshold: {listed}.")
    st.caption(escaped(rule_sentence(run, Decision.load(run).thresholds)))


def _bars(run: Run, case: Case) -> Bars:
    return bars(case.probabilities, case.decision, run.classes, run.implied, Decision.load(run).thresholds)


def similar_view(run: Run, case: Case, key: str) -> None:
    """The five nearest training images and the share of each class among the nearest 25."""
    st.markdown("**Nearest training cases**")
    known = cached_neighbours(run)
    if known.none:
        st.caption("This run came without its training images: whether the picture is unlike them is not checked.")
        return
    vector = case.vector if case.vector is not None else vector_of(run, case)
    among, shares = known.counted(vector, exclude_digest=case.digest)
    listed = ", ".join(f"{escaped(name)} {of(*counts)}" for name, counts in shares.items()) or "none with a finding"
    distance = known.distance(vector, exclude_digest=case.digest)
    far = "farther than 95 % of the validation images" if distance > known.limit else "within the usual"
    st.caption(
        f"Among the nearest {among}: {listed}. Mean distance to the nearest five {distance:.3f}, {far} "
        f"(limit {known.limit:.3f}); 0 = identical to the network, 1 = unrelated.",
        help=meaning("distance"),
    )
    with st.container(key=f"tiles-similar-{key}"):
        for neighbour in known.nearest(vector, exclude_digest=case.digest):
            with st.container(gap="xsmall"):
                facts = [neighbour.label, f"distance {neighbour.distance:.3f}"]
                facts += [f"patient {neighbour.patient}"] if neighbour.patient else []
                facts += [neighbour.source] if neighbour.source else []
                try:
                    name = neighbour.file.rpartition("/")[2]
                    picture = thumbnail(run.picture(neighbour.file))
                    st.image(picture, width="stretch", alt=f"{neighbour.label}, {name}")
                except ImageError as error:
                    st.caption(escaped(str(error)))
                st.caption(" · ".join(map(escaped, facts)))


def cached_neighbours(run: Run) -> Neighbours:
    """The run's training images in feature space, read once. Raises RunError where it has none."""
    path = run.path / FILE
    return _neighbours(str(run.path), stamp(path))


@st.cache_resource(max_entries=4, show_spinner=False)
def _neighbours(path: str, changed: Stamp) -> Neighbours:
    return Neighbours.load(Run(Path(path)))


def heat_of(run: Run, case: Case, label: str) -> NDArray[np.float32]:
    """Grad-CAM of ``label``, float32 (S, S) in 0..1, computed once per image and label in a session."""
    return _heat(str(run.path), stamp(run.weights_file), case.digest, label, run, case)


def lungs_of(run: Run, case: Case) -> Lungs | None:
    """Where the lungs are in the square that the network sees, before anything of it is erased; once per session."""
    return _lungs(case.digest, run.config.image_size, case)


def vector_of(run: Run, case: Case) -> NDArray[np.floating]:
    """The image's embedding (D,), computed once per session."""
    return _vector(str(run.path), stamp(run.weights_file), case.digest, run, case)


# What is made of an image stays in its session: an upload is nobody else's.
@st.cache_data(max_entries=64, show_spinner="Computing the heat map", scope="session")
def _heat(path: str, changed: Stamp, digest: str, label: str, _run: Run, _case: Case) -> NDArray[np.float32]:
    from cxr_core.inference import heat_map

    size = _run.config.image_size
    return heat_map(cached_predictor(_run).trained, images.pixels(_case.content, _case.name, size), label)


@st.cache_data(max_entries=256, show_spinner=False, scope="session")
def _lungs(digest: str, size: int, _case: Case) -> Lungs | None:
    return lungs(images.pixels(_case.content, _case.name, size))


@st.cache_data(max_entries=256, show_spinner="Looking for similar cases", scope="session")
def _vector(path: str, changed: Stamp, digest: str, _run: Run, _case: Case) -> NDArray[np.floating]:
    from cxr_core.inference.embedding import embed_pixels

    seen = images.pixels(_case.content, _case.name, _run.config.image_size)
    return np.asarray(embed_pixels(cached_predictor(_run).trained, seen[None])[0])
