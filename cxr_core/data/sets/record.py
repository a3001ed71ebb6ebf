"""What a reader makes of a public set: its images, their labels as they came, and what was left out by which rule.

    record.images      # one row an image: file, patient, study, age, sex, view, source, split (and label)
    record.labels      # one column a finding, float32: 1 yes, 0 no, -1 uncertain, NaN never mentioned
    record.left_out    # (rule, how many images), in the order in which the rules are applied
    record.rules       # rule -> the choice that was made; ``sets.read(root, rules={...})`` makes another

No policy for uncertain or blank labels is applied here, and no image was opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

COLUMNS = ("file", "patient", "study", "age", "wrong_age", "sex", "view", "source", "split")
Rules = Mapping[str, str]


@dataclass(frozen=True)
class Record:
    """A set as it was read.

    ``set``: the set's name, None for any other table; ``rule``: a sentence, how the labels were made. ``images`` and
    ``labels`` have the same index; ``labels`` has no column where one label excludes the others, the classes stand in
    ``images["label"]`` then. ``images["wrong_age"]``: what the table gives as age and cannot be one. ``agreement``: of
    several readers, the share that marked a finding. ``no_finding``: the column of ``labels`` that stands for none of
    the others; ``devices``: columns that may be 1 beside it. ``boxes``: row of ``images``, finding, x, y, width,
    height. ``in_headers``: columns that only the DICOM headers tell. ``tables``: what was read, relative to ``root``.
    """

    set: str | None
    rule: str
    task: str
    root: Path
    images: pd.DataFrame
    labels: pd.DataFrame
    agreement: pd.DataFrame | None = None
    boxes: pd.DataFrame | None = None
    no_finding: str | None = None
    devices: tuple[str, ...] = ()
    in_headers: tuple[str, ...] = ()
    left_out: list[tuple[str, int]] = field(default_factory=list)
    rules: Rules = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    tables: tuple[str, ...] = ()
    attribution: str = ""

    def counts(self) -> pd.DataFrame:
        """For each finding how many images say yes, no, uncertain, blank. Shares between 0 and 1 count as uncertain."""
        values = self.labels
        yes, no, blank = (values == 1).sum(), (values == 0).sum(), values.isna().sum()
        return pd.DataFrame({"yes": yes, "no": no, "uncertain": len(values) - yes - no - blank, "blank": blank})
