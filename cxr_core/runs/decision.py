"""The decision rule of a run: temperature and thresholds, chosen on its validation split.

``decision.json`` is the worker's. ``operating_point.json`` is written when a person chooses other thresholds on the
validation split; it stands over the worker's until it is removed. A run that is used by a site profile
(:mod:`cxr_core.runs.profiles`) decides by the profile's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cxr_core.activity import record
from cxr_core.errors import ConfigError, RunError
from cxr_core.findings import FINDINGS, present_text
from cxr_core.labels import rule_text, thresholded
from cxr_core.runs import files, profiles
from cxr_core.runs.records import DecisionRule, OperatingPoint, damaged, read, written
from cxr_core.runs.run import Run
from cxr_core.settings import write_atomic


@dataclass(frozen=True)
class Decision:
    """How logits become probabilities and these a decision. ``chosen``: "" or when a person chose the thresholds."""

    temperature: float
    thresholds: dict[str, float]
    epoch: int
    monitor: str
    chosen: str = ""

    @classmethod
    def load(cls, run: Run) -> "Decision":
        """By the profile where the run is used by one. Raises RunError where the run is not completed, or its files are
        damaged.
        """
        own = cls.own(run)
        if not run.profile:
            return own
        note = profiles.read(run, run.profile)
        return replace(own, temperature=note.temperature, thresholds=dict(note.thresholds), chosen=note.fitted)

    @classmethod
    def own(cls, run: Run) -> "Decision":
        """The run's own, whatever profile it is used by."""
        rule = read(run.path / files.DECISION, DecisionRule) if run.weights_file.exists() else None
        if rule is None:
            raise RunError(
                f"Run {run.id} is {run.state}: expected a completed training. Wait for it, resume it, or pick another."
            )
        labels = profiles.needed(run)
        if not set(labels) <= set(rule.thresholds):
            raise damaged(run.path / files.DECISION, DecisionRule)
        thresholds = {name: rule.thresholds[name] for name in labels}
        point = _point(run)
        if point:
            thresholds |= point.thresholds
        return cls(rule.temperature, thresholds, rule.epoch, rule.monitor, point.chosen if point else "")


def rule_sentence(run: Run, thresholds: Mapping[str, float]) -> str:
    """How the run's probabilities become a decision under these thresholds, or findings: one sentence, and one more
    where it is used by a site profile, or where its numbers are none.
    """
    if run.task == FINDINGS:
        rule = present_text(run.classes, run.implied)
    else:
        rule = rule_text(run.classes, run.implied, thresholds)
    if run.imported and are_scores(run):
        return f"{rule} {run.imported.scores}"
    return f"{rule} Site profile: {run.profile}." if run.profile else rule


def are_scores(run: Run) -> bool:
    """Whether what a run shows are scores and no probabilities: of a published network, as its authors show them. A
    site profile makes probabilities of them.
    """
    return run.imported is not None and bool(run.imported.scores) and not run.profile


def by_whom(run: Run, decision: Decision) -> str:
    """Where these thresholds come from, in words."""
    if run.profile:
        return f"those of the site profile {run.profile}, fitted on local images on {decision.chosen[:10]}"
    if run.imported and not decision.chosen and run.imported.kind == "published":
        return "published with the network"
    chosen = f"chosen by a person on {decision.chosen[:10]}" if decision.chosen else "chosen by the training"
    return f"{chosen}, on the validation split"


def calibrated_on(run: Run) -> str:
    """On which images the temperature was fitted, in words."""
    return f"images of the site profile {run.profile}" if run.profile else "validation split"


def _point(run: Run) -> OperatingPoint | None:
    point = read(run.path / files.OPERATING_POINT, OperatingPoint)
    if point and not set(point.thresholds) <= set(run.classes):
        raise damaged(run.path / files.OPERATING_POINT, OperatingPoint)
    return point


def save_operating_point(run: Run, thresholds: Mapping[str, float]) -> None:
    """Decide with these thresholds from now on, everywhere. Choose them on the validation split.

    ``thresholds``: some or all classes, but for one that means none of the findings where the others are labels of
    their own; each between 0 and 1. Raises ConfigError otherwise.
    """
    counts = thresholded(run.classes, run.implied)
    for name, limit in thresholds.items():
        if name not in run.classes:
            raise ConfigError(f"threshold: the run knows {', '.join(run.classes)}; got {name}.")
        if name not in counts:
            raise ConfigError(
                f"threshold of {name}: it is what is left without a finding, so none of its own can change a decision. "
                f"Choose one for {' or '.join(sorted(counts))}."
            )
        if not (math.isfinite(limit) and 0 < limit < 1):
            raise ConfigError(f"threshold of {name}: expected a number between 0 and 1, got {limit}.")
    chosen = datetime.now(UTC).isoformat(timespec="seconds")
    point = OperatingPoint(thresholds=dict(thresholds), chosen=chosen)
    write_atomic(run.path / files.OPERATING_POINT, written(point, indent=1))
    record("fixed", "thresholds", run=run.id, runs=run.path.parent)


def clear_operating_point(run: Run) -> None:
    """Go back to the thresholds that the training chose."""
    (run.path / files.OPERATING_POINT).unlink(missing_ok=True)
    record("fixed", "thresholds taken back", run=run.id, runs=run.path.parent)
