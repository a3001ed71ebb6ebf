"""What an audit says: an issue has a severity, one line of meaning, its files as evidence, and a fix where one is."""

from dataclasses import asdict, dataclass
from typing import Any

from cxr_core.images.masking import BORDER

BLOCKS, WARNS, INFORMS = "blocks", "warns", "informs"
SEVERITIES = (BLOCKS, WARNS, INFORMS)

# What can be done about an issue, and what it does in one line. The image files are never changed.
LEAVE_OUT, KEEP_ONE, SAME_SPLIT, SPLIT_BY_PATIENT = "leave out", "keep one of each", "same split", "split by patient"
MASK_BORDER = "mask the border"
FIXES = {
    LEAVE_OUT: "Leave these images out of every split.",
    KEEP_ONE: "Keep one image of each group, that of the test where it has one, and leave the others out.",
    SAME_SPLIT: "Move the images of each group to the split that most of them are in, to train where it is even.",
    SPLIT_BY_PATIENT: "Forget the given splits; a training then takes new ones, by patient.",
    MASK_BORDER: f"Erase {100 * BORDER:.0f} % of each side of every image, in training and wherever the run is "
    "used. Of every image: a mask on some would tell them from the others.",
}


# What the model behind the shortcut score sees, by whether the border of every image is masked.
SHORTCUT_SEES = {False: "size, file, brightness and border", True: "size, file and brightness"}


@dataclass(frozen=True)
class Issue:
    """``kind`` in one or two words; ``message`` says what was counted and what it means; ``files`` relative to the data
    set; ``groups`` of files that belong together (copies, a patient); ``fixes`` of ``FIXES``, the gentlest first.
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


def ordered(issues: list[Issue]) -> list[Issue]:
    """The severest first, otherwise as they come."""
    return sorted(issues, key=lambda issue: SEVERITIES.index(issue.severity))
