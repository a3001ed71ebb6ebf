"""The decision rule of a run: temperature and thresholds, chosen on its validation split.

``decision.json`` is the worker's. ``operating_point.json`` is written when a person chooses other thresholds on the
validation split; it stands over the worker's until it is removed.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cxr_core.activity import record
from cxr_core.errors import ConfigError, RunError
from cxr_core.runs.run import Run
from cxr_core.settings import from_json, write_atomic

POINT = "operating_point.json"


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
        """Raises RunError where the run is not completed, or its files are damaged."""
        file = run.path / "decision.json"
        if not file.exists() or not run.weights_file.exists():
            raise RunError(
                f"Run {run.id} is {run.state}: expected a completed training. Wait for it, resume it, or pick another."
            )
        try:
            kept = from_json(file.read_bytes())
            thresholds = {name: float(kept["thresholds"][name]) for name in (run.classes if run.implied else ())}
            temperature = float(kept.get("temperature", 1.0))
            decision = cls(temperature, thresholds, int(kept["epoch"]), str(kept["monitor"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RunError(f"{file} is damaged: expected the thresholds of the run. Train it again.") from None
        point = _point(run)
        if point is None:
            return decision
        return cls(
            temperature, {**thresholds, **point["thresholds"]}, decision.epoch, decision.monitor, point["chosen"]
        )


def _point(run: Run) -> dict[str, Any] | None:
    file = run.path / POINT
    if not file.exists():
        return None
    try:
        kept = from_json(file.read_bytes())
        limits = {str(name): float(value) for name, value in kept["thresholds"].items()}
        if not set(limits) <= set(run.classes) or not all(0 < limit < 1 for limit in limits.values()):
            raise ValueError
        return {"thresholds": limits, "chosen": str(kept["chosen"])}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RunError(
            f"{file} is damaged: expected thresholds between 0 and 1. Delete it to use the run's own."
        ) from None


def save_operating_point(run: Run, thresholds: Mapping[str, float]) -> None:
    """Decide with these thresholds from now on, everywhere. Choose them on the validation split.

    ``thresholds``: some or all classes, each between 0 and 1. Raises ConfigError otherwise.
    """
    for name, limit in thresholds.items():
        if name not in run.classes:
            raise ConfigError(f"threshold: the run knows {', '.join(run.classes)}; got {name}.")
        if not (math.isfinite(limit) and 0 < limit < 1):
            raise ConfigError(f"threshold of {name}: expected a number between 0 and 1, got {limit}.")
    content = {"thresholds": dict(thresholds), "chosen": datetime.now(UTC).isoformat(timespec="seconds")}
    write_atomic(run.path / POINT, json.dumps(content, indent=1))
    record("fixed", "thresholds", run=run.id, runs=run.path.parent)


def clear_operating_point(run: Run) -> None:
    """Go back to the thresholds that the training chose."""
    (run.path / POINT).unlink(missing_ok=True)
    record("fixed", "thresholds taken back", run=run.id, runs=run.path.parent)
