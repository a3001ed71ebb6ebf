"""What an audit gave: facts and issues, as they are kept, printed and carried by runs.

found.blocks            # True where train and test share pictures
found.as_json()         # what `python -m cxr_core audit --json` prints
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from cxr_core.audit.issues import Issue
from cxr_core.audit.kinds import BLOCKS


@dataclass(frozen=True, eq=False)
class Audit:
    """``facts``: all but the issues, as the command line prints it; ``issues``: the severest first."""

    facts: dict[str, Any]
    issues: list[Issue]

    @property
    def blocks(self) -> bool:
        return any(issue.severity == BLOCKS for issue in self.issues)

    def of(self, kind: str) -> list[Issue]:
        """The issues of this kind."""
        return [issue for issue in self.issues if issue.kind == kind]

    def as_json(self) -> dict[str, Any]:
        return {**self.facts, "findings": [issue.as_json() for issue in self.issues]}

    @classmethod
    def from_json(cls, document: Any) -> "Audit":
        """What :meth:`as_json` gave. Raises ValueError for anything else."""
        try:
            kept = KeptAudit.model_validate(document)
        except (ValidationError, RecursionError):
            raise ValueError("expected an audit") from None
        issues = [
            Issue(
                entry.kind,
                entry.severity,
                entry.message,
                tuple(entry.files),
                tuple(entry.mends),
                tuple(tuple(group) for group in entry.groups),
            )
            for entry in kept.findings
        ]
        return cls({name: value for name, value in document.items() if name != "findings"}, issues)


class _Kept(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class KeptIssue(_Kept):
    """An issue as it is kept. ``mends``: its fixes, by their first name."""

    kind: str
    severity: str
    message: str
    files: list[str]
    mends: list[str]
    groups: list[list[str]] = []


class _Pair(_Kept):
    a: str
    b: str


class _Score(_Kept):
    macro_f1: float | None
    interval: list[float] | None = None
    n: int = 0
    split: str = "test"


class KeptAudit(_Kept):
    """``audit.json`` of a run, and what is kept of a data set. That of copies alone has no more than these."""

    duplicates: list[_Pair]
    findings: list[KeptIssue]
    images: int = 0
    shortcut: _Score | None = None
    source_only: _Score | None = None
