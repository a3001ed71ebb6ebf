"""The Predict page: files uploaded, how each was read, its answer or why there is none, the report on it.

answers = uploads.predicted(run, uploads.uploaded())
answer_card(run, answers[0], key="answer")
"""

from cxr_core.ui.predict.answer import answer_card, is_forced

__all__ = ["answer_card", "is_forced"]
