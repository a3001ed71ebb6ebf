"""What is known against a run, short enough to stand in the answer that it gives to an image.

    line(verdict(run).against)     # "Known against this run: its score is reached without lungs; NORMAL fails on ..."

The clauses are gathered by :func:`cxr_core.reports.verdict.verdict`, the worst first; an answer shows the first few.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cxr_core.evaluation import balance
from cxr_core.figures import of
from cxr_core.runs import Run

NO_EXTERNAL = "no external data"
_NOT_AUDITED, _FEW, _NO_FIGURES = "not audited", "too few test patients or images to judge", "no test figures"
# What was not asked, or cannot be answered, leaves an answer as uncertain as it was; the rest changes how it is read.
_UNASKED = (_NOT_AUDITED, _FEW, _NO_FIGURES, NO_EXTERNAL)
# A class of which fewer than this share is found fails: a coin would do as well.
FAILS_BELOW = 0.5
_SHOWN = 4


def line(clauses: Sequence[str]) -> str:
    """One line of the worst clauses; what is said where there is none promises nothing."""
    if not clauses:
        return "Known against this run: nothing so far."
    left = len(clauses) - _SHOWN
    more = [f"and {left} more"] if left > 0 else []
    return f"Known against this run: {'; '.join([*clauses[:_SHOWN], *more])}."


def grave(clauses: Sequence[str]) -> list[str]:
    """Those that change how one answer is read; what nobody has asked yet is not among them."""
    return [clause for clause in clauses if not clause.startswith(_UNASKED)]


def void(run: Run, audited: bool, leaking: bool, drawn: bool) -> list[str]:
    """What makes the figures worth nothing before anything else is asked."""
    found = ["trained on a leak: its test pictures are in its training"] if run.leak else []
    if leaking and not run.leak:
        found = ["its test pictures are in its training"]
    if drawn:
        found.append("trained on drawings")
    return [*found, *([] if audited else [_NOT_AUDITED])]


def failing(report: Mapping[str, Any], where: str) -> list[str]:
    """The classes of which fewer than half are found there, with their counts."""
    return [
        f"{name} fails on {where} ({of(right, images)} right)"
        for name, (right, images) in balance.counted(report).items()
        if images and right < FAILS_BELOW * images
    ]


def unsure(report: Mapping[str, Any]) -> list[str]:
    """The classes that the run's own test cannot judge."""
    few = ", ".join(f"{name} {units}" for name, units in balance.few(report).items())
    return [f"{_FEW} ({few})"] if few else []
