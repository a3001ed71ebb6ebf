"""What a run's score is worth beside its controls: the same training without lungs, and on the middle alone.

    scores(run)        # the run, both controls, the shortcut, the source, or None before they were measured
    active(run)        # the control that is being worked on, or None

A control is a run in the run's own folder: the same configuration, split and seed, its images masked. It chooses its
epoch, temperature and thresholds on its own validation images, nothing on the test. What it reached is kept in
``controls.json``, then its folder goes. :mod:`cxr_core.training.control_worker` does the work; no torch here.
"""

import json
from dataclasses import dataclass
from typing import Any

from cxr_core.data.masking import MIDDLE_HEIGHT, MIDDLE_WIDTH
from cxr_core.errors import RunError
from cxr_core.evaluation.measure import measured
from cxr_core.settings import write_atomic
from cxr_core.training.runs import RESUMABLE, Run, queued_status

MASKS = ("middle-erased", "middle-only")
FILE = "controls.json"
LOG = "controls.txt"
TITLES = {
    "run": "This run",
    "middle-erased": "Without lungs",
    "middle-only": "Middle alone",
    "shortcut": "Shortcut",
    "source-only": "Source alone",
}
_WITHOUT = {
    "middle-erased": "without lungs",
    "shortcut": "from size, file, brightness and border alone",
    "source-only": "from the source alone",
}
PROTOCOL = (
    "A control is the same training (configuration, split, seed) with the middle of every image erased (no lungs: the "
    f"central {100 * MIDDLE_WIDTH:.0f} % of the width and {100 * MIDDLE_HEIGHT:.0f} % of the height, which leaves a "
    "rim of them in some images), or with nothing but it. It chooses its epoch and thresholds on its own validation "
    "images, nothing on the test."
)
NOT_MEASURED = "Not measured: how much of the score can be had without lungs is not known."
_REACHING = {
    "middle-erased": "the control without lungs",
    "shortcut": "size, file, brightness and border alone",
    "source-only": "the source alone",
}
# So far above chance a control is said to be above it, as a shortcut is.
_MARGIN = 0.15


@dataclass(frozen=True)
class Score:
    """One bar: macro F1 with its 95 % interval by patient, what it was counted on, and what it means."""

    kind: str
    macro_f1: float
    interval: tuple[float, float] | None
    n: int
    on: str
    meaning: str

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def written(self) -> str:
        """``0.71 (0.60–0.81)``."""
        return f"{self.macro_f1:.2f}" + (f" ({self.interval[0]:.2f}–{self.interval[1]:.2f})" if self.interval else "")


@dataclass(frozen=True)
class Scores:
    """The bars in their order, and what guessing would reach on the same test."""

    bars: tuple[Score, ...]
    chance: float

    def as_json(self) -> dict[str, Any]:
        return {
            "chance_macro_f1": self.chance,
            "scores": {
                bar.kind: {
                    "macro_f1": bar.macro_f1,
                    "interval": list(bar.interval) if bar.interval else None,
                    "n": bar.n,
                    "on": bar.on,
                    "meaning": bar.meaning,
                }
                for bar in self.bars
            },
        }


def control_of(run: Run, mask: str) -> Run:
    """The control of ``run`` with this mask; its folder may not be there (yet, or any more)."""
    return Run(run.path / f"control-{mask}")


def laid_down(run: Run, mask: str) -> Run:
    """The control with its folder there: new and queued, or the one that was left unfinished, queued again."""
    control = control_of(run, mask)
    if not (control.path / "run.json").exists():
        control.path.mkdir(exist_ok=True)
        # The split first: with run.json the control is whole.
        write_atomic(control.path / "split.csv", (run.path / "split.csv").read_bytes())
        write_atomic(control.path / "status.json", json.dumps(queued_status()))
        write_atomic(control.path / "run.json", json.dumps({**run.info, "mask": mask}, indent=1))
    elif control.state in RESUMABLE:
        (control.path / "stop").unlink(missing_ok=True)
        write_atomic(control.path / "status.json", json.dumps(queued_status()))
    return control


def is_done(run: Run, mask: str) -> bool:
    """Whether the control with this mask was trained and evaluated, and waits for the other."""
    control = control_of(run, mask)
    return (control.path / "run.json").exists() and control.state == "completed"


def check_ready(run: Run) -> None:
    """Raises RunError where ``run`` has no test result to hold controls against."""
    if run.state != "completed":
        raise RunError(f"Run {run.id} is {run.state}: expected a completed training. Controls are measured after it.")
    if run.metrics("test") is None:
        raise RunError(f"Run {run.id} has no figures for its test split: there is nothing to hold controls against.")


def active(run: Run) -> Run | None:
    """The control that is being worked on, or waits for it; None where none is."""
    waiting = [control for control in _laid(run) if control.is_active]
    return next((control for control in waiting if control.state != "queued"), waiting[0] if waiting else None)


def unfinished(run: Run) -> Run | None:
    """A control that stopped, failed or lost its process: measuring goes on from there."""
    return next((control for control in _laid(run) if control.can_resume), None)


def _laid(run: Run) -> list[Run]:
    controls = [control_of(run, mask) for mask in MASKS]
    return [control for control in controls if (control.path / "run.json").exists()]


def scores(run: Run) -> Scores | None:
    """The run's test score as it stands now beside what was kept; None before. Raises RunError where it is damaged."""
    file = run.path / FILE
    if not file.exists():
        return None
    try:
        kept = json.loads(file.read_bytes())
        chance = float(kept["chance_macro_f1"])
        found = {kind: _known(kept[kind]) for kind in TITLES if kept.get(kind)}
        if not {*MASKS} <= set(found):
            raise KeyError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RunError(
            f"{file} is damaged: expected the scores of both controls. Delete it, and measure again."
        ) from None
    own, _ = measured(run, "test")
    found["run"] = (own["macro_f1"], own["ci"]["macro_f1"], own["n"], "test images")
    bars = [
        Score(kind, found[kind][0], found[kind][1], *found[kind][2:], _meaning(kind, found, chance))
        for kind in TITLES
        if kind in found
    ]
    return Scores(tuple(bars), chance)


Known = tuple[float, Any, int, str]


def _known(kept: dict[str, Any]) -> Known:
    ends = kept["interval"]
    return float(kept["macro_f1"]), (float(ends[0]), float(ends[1])) if ends else None, int(kept["n"]), str(kept["on"])


def _meaning(kind: str, found: dict[str, Known], chance: float) -> str:
    """One sentence: what this score says of the run's."""
    score, ends = found["run"][0], found["run"][1]
    value = found[kind][0]
    reaches = value >= (ends[0] if ends else score)
    if kind == "run":
        return f"What the run reached; guessing would reach {chance:.2f}."
    if kind == "middle-only":
        if reaches:
            return "The middle alone reaches the run's interval: nothing outside it is needed for the score."
        return "The middle alone stays below the run's interval: part of the score comes from outside it."
    without = _WITHOUT[kind]
    if reaches:
        return f"The run's score can be had {without}."
    if value > chance + _MARGIN:
        return f"{value:.2f} can be had {without}; only what the run reaches beyond that can say more."
    return f"Little more than guessing can be had {without}: the run's score needs something else."


def verdict(found: Scores) -> str:
    """All controls in one sentence, for the model card and the head of the section."""
    own = found.bars[0]
    low = own.interval[0] if own.interval else own.macro_f1
    reaching = [_REACHING[bar.kind] for bar in found.bars[1:] if bar.kind in _REACHING and bar.macro_f1 >= low]
    if reaching:
        return (
            f"The lower end of the run's interval ({low:.2f}) is reached by {' and by '.join(reaching)}: "
            "the score is no evidence that the network looks at lungs."
        )
    return f"Nothing that sees no lungs reaches the lower end of the run's interval ({low:.2f})."
