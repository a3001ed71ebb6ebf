"""What an audit says: an issue is of a kind, has a severity, one line of meaning, and its files as evidence.

issue("tiny", "3 of 40 images have a side below 128 pixels: ...", files)
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cxr_core.audit.kinds import KINDS, SEVERITIES

# What the model behind the shortcut score sees, by whether the border of every image is masked.
SHORTCUT_SEES = {False: "size, file, brightness and border", True: "size, file and brightness"}


@dataclass(frozen=True)
class Issue:
    """``kind``: a name of ``KINDS``, or what an older audit called one; ``message`` says what was counted and what it
    means; ``files`` relative to the data set; ``groups`` of files that belong together (copies, a patient); ``fixes``
    of ``FIXES``, the gentlest first.
    """

    kind: str
    severity: str
    message: str
    files: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()

    @property
    def fix(self) -> str | None:
        """The fix to take where one does not choose."""
        return self.fixes[0] if self.fixes else None

    def as_json(self) -> dict[str, Any]:
        """As kept audits and ``audit --json`` have it since their first version, with their words for fixes."""
        named = {"fixes": "mends"}
        return {named.get(name, name): value for name, value in asdict(self).items()} | {"mend": self.fix}


def issue(
    kind: str,
    message: str,
    files: Sequence[str] = (),
    groups: tuple[tuple[str, ...], ...] = (),
    *,
    severity: str | None = None,
    fixable: bool = True,
) -> Issue:
    """An issue of this kind, with the kind's usual severity and its fixes; without them where it is not ``fixable``.

    Raises ValueError for a severity that the kind cannot have.
    """
    entry = KINDS[kind]
    chosen = severity or entry.severity
    if chosen not in entry.severities:
        raise ValueError(f"{kind}: expected one of {', '.join(entry.severities)}, got {chosen}")
    return Issue(kind, chosen, message, tuple(files), entry.fixes if fixable else (), groups)


def ordered(issues: list[Issue]) -> list[Issue]:
    """The severest first, otherwise as they come."""
    return sorted(issues, key=lambda issue: SEVERITIES.index(issue.severity))
