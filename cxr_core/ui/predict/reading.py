"""How an uploaded file was read: each step from its stored numbers to the grey picture that the network gets.

reading(answer)      # a fold-out; the file is decoded when it is opened
"""

import streamlit as st

from cxr_core import images
from cxr_core.images.steps import Step
from cxr_core.ui import escaped
from cxr_core.ui.predict import uploads

_TITLE = "How this file was read"


def reading(answer: uploads.Answer) -> None:
    """Draw it. Raises ImageError."""
    fold = st.expander(_TITLE, icon=":material/tune:", key=f"reading-{answer.key}", on_change="rerun")
    if not fold.open:
        return
    with fold:
        steps = steps_of(answer)
        st.markdown("\n".join(f"1. {escaped(step.text)}{' *Corrected.*' if step.corrected else ''}" for step in steps))
        st.caption("The same on the command line: `python -m cxr_core picture FILE --out PNG`.")


def steps_of(answer: uploads.Answer) -> tuple[Step, ...]:
    """What was done to the file, in order; made once per upload. Raises ImageError."""
    return _steps(answer.key, answer)


@st.cache_data(max_entries=64, show_spinner="Reading the file", scope="session")
def _steps(key: str, _answer: uploads.Answer) -> tuple[Step, ...]:
    return images.decoded(uploads.content_of(_answer), _answer.name).steps
