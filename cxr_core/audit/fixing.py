"""From an issue and the fix that a person chose to what becomes of each file.

places(dataset, issue, KEEP_ONE)      # {"train/A/2.png": "left-out"}: for cxr_core.data.fixes.move
"""

from collections import Counter

from cxr_core.audit.issues import Issue
from cxr_core.audit.kinds import KEEP_ONE, LEAVE_OUT, MASK_BORDER, SAME_SPLIT, SPLIT_BY_PATIENT
from cxr_core.data import Dataset
from cxr_core.data.fixes import BORDER_MASKED, LEFT_OUT, NOT_GIVEN
from cxr_core.errors import ConfigError

# Which of several copies stays: a test keeps its images, so that scores before and after can be compared.
_RANK = {"test": 0, "val": 1, "train": 2, "": 3}


def places(dataset: Dataset, issue: Issue, fix: str) -> dict[str, str]:
    """File -> place, only for files that change; to mask the border, for those that speak for it, or all where the
    issue names none. Raises ConfigError for a fix that the issue does not offer.
    """
    if fix not in issue.fixes:
        raise ConfigError(f"{issue.kind}: expected one of {', '.join(issue.fixes) or 'no fix'}, got {fix!r}.")
    given = dict(zip(dataset.samples["file"], dataset.samples["split"], strict=True))
    if fix == SPLIT_BY_PATIENT:
        return {file: NOT_GIVEN for file, split in given.items() if split}
    if fix == MASK_BORDER:
        evidence = () if dataset.border_masked else issue.files or given
        return dict.fromkeys((file for file in evidence if file in given), BORDER_MASKED)
    if fix == LEAVE_OUT:
        return dict.fromkeys((file for file in issue.files if file in given), LEFT_OUT)
    chosen: dict[str, str] = {}
    for group in issue.groups:
        present = sorted((file for file in group if file in given), key=lambda file: (_RANK.get(given[file], 3), file))
        if fix == KEEP_ONE:
            chosen |= dict.fromkeys(present[1:], LEFT_OUT)
        elif fix == SAME_SPLIT:
            counts = Counter(given[file] for file in present)
            target = max(counts, key=lambda split: (counts[split], _RANK.get(split, 3)))
            chosen |= {file: target for file in present if given[file] != target}
    return chosen
