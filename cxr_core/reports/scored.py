"""How good a run is on a split, as every report prints it: of classes or of findings.

metrics = whole(measured(run, "test")[0], path, run.task)      # RunError where something is missing from it
blocks = figures(metrics, run.task)
"""

from collections.abc import Mapping
from typing import Any

from cxr_core.errors import RunError
from cxr_core.findings import FINDINGS
from cxr_core.reports import findings, performance
from cxr_core.reports.document import Block


def figures(metrics: Mapping[str, Any], task: str) -> list[Block]:
    """Sentences, the table of all classes or findings, and where the intervals come from."""
    return findings.figures(metrics) if task == FINDINGS else performance.figures(metrics)


def whole(metrics: Mapping[str, Any], path: object, task: str) -> Mapping[str, Any]:
    """``metrics`` itself. Raises RunError where something that the reports print is missing from it."""
    try:
        figures(metrics, task)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise RunError(f"{path} is damaged: expected the figures of an evaluation. Evaluate the run again.") from None
    return metrics
