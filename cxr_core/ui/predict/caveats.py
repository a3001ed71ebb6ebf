"""What changes how an answer is read, in one amber box beside it; nothing is drawn where there is nothing.

caveats(run, prediction)

The picture was learnt from; the score is reached without lungs; a class fails elsewhere; the score drops elsewhere; the
site profile was not shown to help.
What was merely not asked yet, and all the rest, folds out with the run's verdict.
"""

from typing import TYPE_CHECKING

import streamlit as st

from cxr_core.reports import known
from cxr_core.runs import Run
from cxr_core.ui import escaped
from cxr_core.ui.predict.profile import doubt
from cxr_core.ui.run import known_verdict

if TYPE_CHECKING:
    from cxr_core.inference import Prediction


def caveats(run: Run, prediction: "Prediction") -> None:
    """Draw the box. Raises RunError."""
    said = [prediction.seen.sentence] if prediction.seen else []
    if grave := known.grave(known_verdict(run).against):
        said.append(known.line(grave))
    if local := doubt(run):
        said.append(local)
    if said:
        st.warning("  \n".join(map(escaped, said)), icon=":material/warning:")
