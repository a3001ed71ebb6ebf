"""What one public set brings: what only it has, how it is read, what it shares with others, whom to thank."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cxr_core.data.budget import Budget
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError


@dataclass(frozen=True)
class Reader:
    """``finds`` gives the tables or folders that only this set has, [] where it is another; ``reads`` makes the record.
    ``choices``: rule -> what can be chosen, the default first. ``overlaps``: another set -> what they share.
    """

    name: str
    finds: Callable[[Place], list[Path]]
    reads: Callable[[Place, Rules, Budget | None], Record]
    attribution: str
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    overlaps: Mapping[str, str] = field(default_factory=dict)

    def rules(self, wanted: Rules | None = None) -> dict[str, str]:
        """Every rule with its choice. Raises DatasetError for a rule or a choice that this set does not have."""
        return chosen(self.choices, wanted, self.name)

    def read(self, place: Place, rules: Rules | None = None, budget: Budget | None = None) -> Record:
        """The record of the set in ``place``."""
        record = self.reads(place, self.rules(rules), budget)
        return replace(record, set=self.name, choices=dict(self.choices), attribution=self.attribution)


def chosen(choices: Mapping[str, tuple[str, ...]], wanted: Rules | None, name: str) -> dict[str, str]:
    """Every rule with its choice, the first where none is wanted. Raises DatasetError for what cannot be chosen."""
    wanted = wanted or {}
    for rule, choice in wanted.items():
        if choice not in choices.get(rule, ()):
            offered = "; ".join(f"{rule}: {', '.join(several)}" for rule, several in choices.items())
            raise DatasetError(
                f"{name} has no choice {choice!r} for the rule {rule!r}. Expected one of these: {offered or 'none'}."
            )
    return {rule: wanted.get(rule, several[0]) for rule, several in choices.items()}
