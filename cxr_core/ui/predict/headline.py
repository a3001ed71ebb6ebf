"""The first line of an answer, in words: what was found, how sure, at which operating point.

said = headline(run, prediction, Decision.load(run))
said.found      # "PNEUMONIA, 62 % probable"
said.sure       # "Called from 26.6 % on. Thresholds as trained."
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxr_core.bars import Bars, bars
from cxr_core.charts.present import by_threshold
from cxr_core.figures import likely, of, percent
from cxr_core.findings import FINDINGS, none_reached
from cxr_core.runs import Decision, Run

if TYPE_CHECKING:
    from cxr_core.inference import Prediction

# Of many findings the line names the first few.
_NAMED = 3
_BY = {
    "f1": "Thresholds: best F1 on the validation split",
    "youden": "Thresholds: best Youden index on the validation split",
    "sensitivity": "Thresholds: sensitivity {sensitivity:.0%} on the validation split",
}


@dataclass(frozen=True)
class Headline:
    """``found``: what, and how probable; ``sure``: by which threshold that was called."""

    found: str
    sure: str


def headline(run: Run, prediction: "Prediction", decision: Decision) -> Headline:
    """Of a prediction with an answer. Raises RunError."""
    if run.task == FINDINGS:
        return _of_findings(run, prediction, decision)
    label, probabilities = prediction.label or "", prediction.probabilities or {}
    shown = bars(probabilities, label, run.classes, run.implied, decision.thresholds)
    found = f"{shown.decided}, {likely(shown.values[shown.decided])} probable"
    return Headline(found, " ".join(filter(None, [_called(shown, label), operating_point(run, decision)])))


def operating_point(run: Run, decision: Decision) -> str:
    """Where the thresholds come from, or the site profile; "" where there are none."""
    if run.profile:
        return f"Site profile {run.profile}."
    if not decision.thresholds:
        return ""
    if decision.chosen:
        return f"Thresholds chosen by hand on {decision.chosen[:10]}."
    if run.task == FINDINGS:
        return f"{_BY[run.config.threshold_by].format(sensitivity=run.config.sensitivity)}."
    return "Thresholds as trained."


def _called(shown: Bars, label: str) -> str:
    reached = next((part for part in shown.against if part.name == label and part.reaches), None)
    if reached:
        return f"{reached.name} is called from {percent(reached.threshold, digits=1)} on."
    below = ", ".join(
        f"{part.name} {percent(part.probability, digits=1)} (called from {percent(part.threshold, digits=1)})"
        for part in shown.against
        if not part.reaches
    )
    if below:
        return f"Below the threshold: {below}."
    return f"The most probable of {len(shown.values)}."


def _of_findings(run: Run, prediction: "Prediction", decision: Decision) -> Headline:
    named = prediction.probabilities or {}
    scores, limits = {name: named[name] for name in run.findings}, decision.thresholds
    order = by_threshold(scores, limits)
    present = [name for name in order if name in (prediction.present or ())]
    point = operating_point(run, decision)
    if not present:
        near, limit = percent(scores[order[0]], digits=1), percent(limits[order[0]], digits=1)
        return Headline(none_reached(run.classes), f"Nearest: {order[0]}, {near}, called from {limit} on. {point}")
    listed = [f"{name} {likely(scores[name])}" for name in present[:_NAMED]]
    more = [f"and {len(present) - _NAMED} more"] if len(present) > _NAMED else []
    said = "reaches its threshold" if len(present) == 1 else "reach their thresholds"
    return Headline(", ".join([*listed, *more]), f"{of(len(present), len(order))} findings {said}. {point}")
