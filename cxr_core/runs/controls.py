"""What a run's score is worth beside its controls: the same training without lungs, and on the middle alone.

    planned(run)       # the two trainings
    scores(run)        # the run, both controls, the shortcut, the source, or None before they were measured

A control is a companion of the run (:mod:`cxr_core.runs.companions`) with its split, its images masked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr_core.audit.issues import SHORTCUT_SEES
from cxr_core.figures import Ends, compact, number
from cxr_core.findings import FINDINGS
from cxr_core.images import Mask
from cxr_core.images.masking import LUNGS_HEIGHT, LUNGS_WIDTH, MIDDLE_HEIGHT, MIDDLE_WIDTH
from cxr_core.runs.companions import CONTROLS, Companion, Headline, headline_of
from cxr_core.runs.control_findings import GUESSING, FindingRow, finding_rows, remaining, sentence
from cxr_core.runs.measured import measured
from cxr_core.runs.records import ControlScore, ControlScores, FindingControlScore, FindingControlScores, damaged, read
from cxr_core.runs.run import Run

MASKS: tuple[Mask, ...] = ("lungs-erased", "middle-only")
TITLES = {
    "run": "This run",
    "lungs-erased": "Without lungs",
    "middle-only": "Middle alone",
    "shortcut": "Shortcut",
    "source-only": "Source alone",
}
_WITHOUT = {
    "lungs-erased": "without lungs",
    "shortcut": "from {seen} alone",
    "source-only": "from the source alone",
}
PROTOCOL = (
    "A control is the same training (configuration, split, seed) with the lungs of every image erased (the central "
    f"{100 * LUNGS_WIDTH:.0f} % of the width and {100 * LUNGS_HEIGHT:.0f} % of the height), or with nothing but its "
    f"middle (the central {100 * MIDDLE_WIDTH:.0f} % and {100 * MIDDLE_HEIGHT:.0f} %). It chooses its epoch and "
    "thresholds on its own validation images, nothing on the test."
)
NO_LUNGLESS = "There is no control without lungs: with the border erased, hardly anything but lungs is left."
NOT_MEASURED = "Not measured: how much of the score can be had without lungs is not known."
_REACHING = {
    "lungs-erased": "the control without lungs",
    "shortcut": "{seen} alone",
    "source-only": "the source alone",
}
# So far above chance a control is said to be above it, as a shortcut is.
_MARGIN = 0.15


@dataclass(frozen=True)
class Score:
    """One bar: the headline figure with its 95 % interval by patient, what it was counted on, and what it means.

    ``difference``: of findings, by how much the run's is larger on the same images, and the interval of that.
    """

    kind: str
    value: float
    interval: tuple[float, float] | None
    n: int
    on: str
    meaning: str
    difference: tuple[float, Ends] | None = None

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def written(self) -> str:
        """``0.71 (0.60–0.81)``."""
        return compact(self.value, self.interval, 2)


@dataclass(frozen=True)
class Scores:
    """The bars in their order, what guessing would reach on the same test, what the shortcut's model sees, and the
    figure that the bars are of. ``findings``: of a run of findings, each by itself.
    """

    bars: tuple[Score, ...]
    chance: float
    seen: str
    headline: Headline
    findings: tuple[FindingRow, ...] = ()

    def as_json(self) -> dict[str, Any]:
        key = self.headline.key
        document: dict[str, Any] = {
            f"chance_{key}": self.chance,
            "scores": {
                bar.kind: {
                    key: bar.value,
                    "interval": list(bar.interval) if bar.interval else None,
                    "n": bar.n,
                    "on": bar.on,
                    "meaning": bar.meaning,
                    **(_paired(bar.difference) if self.findings else {}),
                }
                for bar in self.bars
            },
        }
        if self.findings:
            document |= {
                "task": FINDINGS,
                "findings": [row.as_json() for row in self.findings],
                "remaining": remaining(self.findings),
            }
        return document


def _paired(difference: tuple[float, Ends] | None) -> dict[str, Any]:
    value, ends = difference or (None, None)
    return {"difference": value, "difference_interval": list(ends) if ends else None}


def planned(run: Run) -> list[Companion]:
    """What is to be trained for the controls of ``run``, in its order; one alone where its border is erased."""
    return [
        Companion(mask, TITLES[mask], mask=mask)
        for mask in MASKS
        if mask == "middle-only" or not run.config.mask_border
    ]


def scores(run: Run) -> Scores | None:
    """The run's test score as it stands now beside what was kept; None before. Raises RunError where it is damaged."""
    file = run.path / CONTROLS.file
    if not file.exists():
        return None
    own, _ = measured(run, "test")
    headline = headline_of(run)
    chance, found, rows, differences = (_findings if run.task == FINDINGS else _classes)(file, own)
    missing = {companion.name for companion in planned(run)} - set(found)
    if missing or own[headline.key] is None:
        raise damaged(file, FindingControlScores if run.task == FINDINGS else ControlScores)
    found["run"] = (own[headline.key], own["ci"][headline.key], own["n"], "test images")
    seen = SHORTCUT_SEES[run.config.mask_border]
    bars = [
        Score(kind, *found[kind], _meaning(kind, found, chance, seen), differences.get(kind))
        for kind in TITLES
        if kind in found
    ]
    return Scores(tuple(bars), chance, seen, headline, rows)


Known = tuple[float, Any, int, str]
# What guessing would reach, the known scores by kind, a row per finding, and the paired differences by kind.
Kept = tuple[float, dict[str, Known], tuple[FindingRow, ...], dict[str, tuple[float, Ends]]]


def _classes(file: Path, own: Mapping[str, Any]) -> Kept:
    kept = read(file, ControlScores)
    if kept is None:
        raise damaged(file, ControlScores, "missing")
    found = {kind: _known(score.macro_f1, score) for kind, score in kept.by_kind().items()}
    return kept.chance_macro_f1, found, (), {}


def _findings(file: Path, own: Mapping[str, Any]) -> Kept:
    kept = read(file, FindingControlScores)
    if kept is None:
        raise damaged(file, FindingControlScores, "missing")
    scores = kept.by_kind()
    found = {
        kind: _known(score.macro_roc_auc, score) for kind, score in scores.items() if score.macro_roc_auc is not None
    }
    differences: dict[str, tuple[float, Ends]] = {
        kind: (score.difference, score.difference_interval)
        for kind, score in scores.items()
        if score.difference is not None
    }
    return GUESSING, found, finding_rows(own, scores), differences


def _known(value: float, kept: ControlScore | FindingControlScore) -> Known:
    return value, (kept.interval[0], kept.interval[1]) if kept.interval else None, kept.n, kept.on


def _meaning(kind: str, found: dict[str, Known], chance: float, seen: str) -> str:
    """One sentence: what this score says of the run's."""
    score, ends = found["run"][0], found["run"][1]
    value = found[kind][0]
    reaches = value >= (ends[0] if ends else score)
    if kind == "run":
        return f"What the run reached; guessing would reach {number(chance, 2)}."
    if kind == "middle-only":
        if reaches:
            return "The middle alone reaches the run's interval: nothing outside it is needed for the score."
        return "The middle alone stays below the run's interval: part of the score comes from outside it."
    without = _WITHOUT[kind].format(seen=seen)
    if reaches:
        return f"The run's score can be had {without}."
    if value > chance + _MARGIN:
        return f"{number(value, 2)} can be had {without}; only what the run reaches beyond that can say more."
    return f"Little more than guessing can be had {without}: the run's score needs something else."


def verdict(found: Scores) -> str:
    """All controls in one sentence, for the model card and the head of the section."""
    own = found.bars[0]
    low = own.interval[0] if own.interval else own.value
    reaching = [_REACHING[bar.kind] for bar in found.bars[1:] if bar.kind in _REACHING and bar.value >= low]
    by_finding = f" {told}" if (told := sentence(found.findings)) else ""
    if reaching:
        named = " and by ".join(reaching).format(seen=found.seen)
        return (
            f"The lower end of the run's interval ({number(low, 2)}) is reached by {named}: "
            f"the score is no evidence that the network looks at lungs.{by_finding}"
        )
    plain = f"Nothing that sees no lungs reaches the lower end of the run's interval ({number(low, 2)})."
    lungless = any(bar.kind == "lungs-erased" for bar in found.bars)
    return f"{plain}{by_finding}" if lungless else f"{plain} {NO_LUNGLESS}"
