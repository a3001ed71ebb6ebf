"""The frame of every page: title, notice, errors, the run's warnings, numbers with their denominators."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from cxr_core import reach
from cxr_core.errors import CxrError
from cxr_core.figures import UNDEFINED, number
from cxr_core.runs import Run
from cxr_core.runs.needs import gone
from cxr_core.runs.starter import installed
from cxr_core.server.exposure import serving
from cxr_core.settings import allowed_roots, close_to_others, runs_dir
from cxr_core.ui.admission import admit
from cxr_core.ui.link import enter

# What makes a link of a bare address: its scheme, or www.; and the sign of an e-mail address.
_ADDRESS = re.compile(r"(?:https?|ftps?|mailto|xmpp)(?=:)|www(?=\.)", re.IGNORECASE)
_JOINER = "\u2060"
NOTICE = "Research software, not for clinical use."

# State -> (what a person reads, colour of the badge, icon).
STATES = {
    "queued": ("Queued", "gray", ":material/schedule:"),
    "extracting": ("Preparing images", "blue", ":material/image:"),
    "training": ("Training", "blue", ":material/model_training:"),
    "evaluating": ("Evaluating", "blue", ":material/analytics:"),
    "completed": ("Completed", "green", ":material/check:"),
    "stopped": ("Stopped", "gray", ":material/stop_circle:"),
    "failed": ("Failed", "red", ":material/error:"),
    "lost": ("Lost", "orange", ":material/link_off:"),
}

# Streamlit's padding takes a third of a phone's screen; captions may be long file names; the first page is named
# after its file; tiles fill a row whatever the screen's width, the small issues of an audit two columns;
# what is chosen is written in the colour of text: the primary colour is too dim for it in the dark; without a mouse
# the toolbar of a table is always there, so it gets room of its own above the table.
_STYLE = """
<style>
.block-container { padding: 3.2rem 3rem 3rem; max-width: 1240px; }
[data-testid="stSidebarNavLink"] span { text-transform: capitalize; }
[class*="st-key-tiles-"] { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); }
[class*="st-key-tiles-batch"] { grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); }
[class*="st-key-groups-"] { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); }
[class*="st-key-pictures-"] { display: grid; grid-template-columns: repeat(auto-fit, minmax(104px, 1fr)); }
[class*="st-key-numbers-"] { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
:is([class*="st-key-tiles-"], [class*="st-key-pictures-"], [class*="st-key-groups-"], [class*="st-key-numbers-"]) > * {
  min-width: 0;
}
[class*="st-key-issue-"] :is([class*="st-key-tiles-"], [class*="st-key-pictures-"]) img {
  aspect-ratio: 1; object-fit: contain; background: #000;
}
[class*="st-key-issues-"] { display: block; columns: 2 350px; column-gap: 1rem; }
[class*="st-key-issues-"] > * { break-inside: avoid; margin-bottom: 1rem; }
[data-testid="stButtonGroup"] button[role][aria-checked="true"][data-selected], [data-testid="stSliderThumbValue"],
[data-testid="stTab"][role="tab"][aria-selected="true"], [data-testid="stTab"][role="tab"]:hover {
  color: inherit;
}
[data-testid="stCaptionContainer"] p, [data-testid="stImageCaption"] { overflow-wrap: anywhere; }
@media (hover: none) { [data-testid="stElementContainer"]:has([data-testid="stDataFrame"]) { margin-top: 2.75rem; } }
@media (max-width: 640px) { .block-container { padding-left: 1rem; padding-right: 1rem; } }
</style>
"""

# What is chosen on a page is written into its address. That is no step of its own: one press of Back leaves the page.
_ONE_STEP_BACK = """
<script>
if (!window.cxrOneStepBack) {
  window.cxrOneStepBack = true;
  const push = history.pushState.bind(history);
  history.pushState = (state, title, address) => {
    const same = new URL(address, location.href).pathname === location.pathname;
    return same ? history.replaceState(state, title, address) : push(state, title, address);
  };
}
</script>
"""


def page(title: str, icon: str) -> None:
    """Open a page: browser title, header, the one notice, and whether it is shown to who asks for it.

    Every page calls this first; each runs on its own.
    """
    # An emoji as the browser's icon: the browser would fetch a Material symbol from another host.
    st.set_page_config(page_title=f"{title} · Chest X-ray classification", page_icon="🩻", layout="wide")
    enter(title)
    st.html(_STYLE)
    st.html(_ONE_STEP_BACK, unsafe_allow_javascript=True)
    st.title(f"{icon} {title}", anchor=False)
    st.caption(NOTICE)
    admit(escaped)
    _confine()
    with guarded():
        close_to_others()
        installed(runs_dir())


def _confine() -> None:
    """Bind what pages see and open to the folders that the owner allows; without any, on a server that others reach,
    to what the software itself drew or unpacked.
    """
    try:
        allowed = allowed_roots()
        # One step, for other sessions of this process are bound by the same.
        reach.confine([] if allowed is None and serving().beyond else allowed)
    except CxrError as error:
        reach.confine([])
        st.error(escaped(str(error)), icon=":material/error:")
        st.stop()


@contextmanager
def guarded() -> Iterator[None]:
    """Show a CxrError as one message; the rest of the block is left out. Anything else stays loud.

    Works as ``with guarded():`` and as ``@guarded()``.
    """
    try:
        yield
    except CxrError as error:
        st.error(escaped(str(error)), icon=":material/error:")


def is_dark() -> bool:
    """Whether the reader's page is dark. A chart whose colours depend on it asks; all others leave it to the theme."""
    return st.context.theme.type == "dark"


def escaped(text: str) -> str:
    """``text`` with Markdown's, colour's and formulas' signs made plain: names come from files.

    Addresses of pages and people stay text too. No sign before them does that, for they are looked for once more in
    what Markdown has read; a joiner that nobody sees, inside of them, does.
    """
    text = _ADDRESS.sub(lambda found: f"{found[0]}{_JOINER}", text).replace("@", f"{_JOINER}@")
    for sign in "\\`*_[]$~:<>#|":
        text = text.replace(sign, "\\" + sign)
    return text


def metric(
    label: str, value: str | float | None, denominator: str | int | None = None, help: str | None = None
) -> None:
    """A number with what it was counted on below it.

    ``value``: a share of 0 to 1 is shown with three decimals, None as a dash. ``denominator``: a number of images, or
    a text such as ``"171 of 220 images"``.
    """
    shown = UNDEFINED if value is None else value if isinstance(value, str) else number(value)
    with st.container(gap=None):
        st.metric(label, shown, help=help or None)
        if denominator is not None:
            st.caption(f"of {denominator:,} images" if isinstance(denominator, int) else denominator)


def warnings_banner(run: Run) -> None:
    """What a reader must know before trusting this run's numbers; stands beside every result."""
    notes([*filter(None, [gone(run)]), *run.warnings], "Before you read these numbers")


def notes(sentences: Sequence[str], title: str) -> None:
    """Sentences of caution, calm: one box, no alarm. Nothing where there are none."""
    if sentences:
        listed = "\n".join(f"- {escaped(sentence)}" for sentence in sentences)
        st.info(f"**{title}**\n\n{listed}", icon=":material/info:")


def state_badge(state: str) -> None:
    """The run's state as a small badge."""
    text, colour, icon = STATES[state]
    st.badge(text, icon=icon, color=colour)  # type: ignore[arg-type]


def duration(seconds: float) -> str:
    """``45 s``, ``3 min``, ``2 h 10 min``: as exact as a person needs."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
