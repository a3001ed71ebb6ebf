"""From a finding and the mend that a person chose to what becomes of each file.

places(dataset, finding, KEEP_ONE)      # {"train/A/2.png": "left-out"}: for cxr_core.data.fixes.move
"""

from collections import Counter

from cxr_core.audit.issues import KEEP_ONE, LEAVE_OUT, MASK_BORDER, SAME_SPLIT, SPLIT_BY_PATIENT, Finding
from cxr_core.data.dataset import Dataset
from cxr_core.data.fixes import BORDER_MASKED, LEFT_OUT, NOT_GIVEN
from cxr_core.errors import ConfigError

# Which of several copies stays: a test keeps its images, so that scores before and after can be compared.
_RANK = {"test": 0, "val": 1, "train": 2, "": 3}


def places(dataset: Dataset, finding: Finding, mend: str) -> dict[str, str]:
    """File -> place, only for files that change; to mask the border, for those that speak for it, or all where the
    finding names none. Raises ConfigError for a mend that the finding does not offer.
    """
    if mend not in finding.mends:
        raise ConfigError(f"{finding.kind}: expected one of {', '.join(finding.mends) or 'no mend'}, got {mend!r}.")
    given = dict(zip(dataset.samples["file"], dataset.samples["split"], strict=True))
    if mend == SPLIT_BY_PATIENT:
        return {file: NOT_GIVEN for file, split in given.items() if split}
    if mend == MASK_BORDER:
        evidence = () if dataset.border_masked else finding.files or given
        return dict.fromkeys((file for file in evidence if file in given), BORDER_MASKED)
    if mend == LEAVE_OUT:
        return dict.fromkeys((file for file in finding.files if file in given), LEFT_OUT)
    chosen: dict[str, str] = {}
    for group in finding.groups:
        present = sorted((file for file in group if file in given), key=lambda file: (_RANK.get(given[file], 3), file))
        if mend == KEEP_ONE:
            chosen |= dict.fromkeys(present[1:], LEFT_OUT)
        elif mend == SAME_SPLIT:
            counts = Counter(given[file] for file in present)
            target = max(counts, key=lambda split: (counts[split], _RANK.get(split, 3)))
            chosen |= {file: target for file in present if given[file] != target}
    return chosen
