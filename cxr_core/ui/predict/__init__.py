"""The Predict page: files uploaded, how each was read, its answer or why there is none, the report on it.

run = with_profile(run)
answers = uploads.predicted(run, uploads.read_uploads(strip=False))
worklist(run, answers)
answer_card(run, answers[0])
drop_here()          # on Home: leads here with the files
"""

from cxr_core.ui.predict.answer import answer_card
from cxr_core.ui.predict.door import drop_here
from cxr_core.ui.predict.profile import with_profile
from cxr_core.ui.predict.worklist import worklist

__all__ = ["answer_card", "drop_here", "with_profile", "worklist"]
