"""Images that were in the data set when the run was made and cannot be read when it trains.

    missing = Missing.of(samples, paths, unreadable)
    missing.sentence     # stands in the log and beside every result
    missing.problem      # why there is no result at all, "" where few are missing

Few are named and left out. More than a tenth of all images, or three tenths of one split, is another data set than the
one that was looked at, audited and split: a disk that went away, or a folder that somebody is moving. No score is made
of it. A few damaged files stay below both, also in small splits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cxr_core.model import Unreadable
from cxr_core.runs.run import SPLITS

OF_ALL, OF_A_SPLIT = 0.1, 0.3


@dataclass(frozen=True)
class Missing:
    """``missing`` and ``total`` images by split; ``gone``: those whose file is not there any more."""

    missing: dict[str, int]
    total: dict[str, int]
    gone: int

    @classmethod
    def of(cls, samples: pd.DataFrame, paths: Mapping[str, Path], unreadable: Sequence[Unreadable]) -> "Missing":
        """Counted over ``samples`` (file, split), whose files lie where ``paths`` says."""
        lost = {entry.path for entry in unreadable}
        missing = samples["split"][[paths[file] in lost for file in samples["file"]]].value_counts()
        total = samples["split"].value_counts()
        gone = sum(not entry.path.exists() for entry in unreadable)
        return cls(
            {name: int(missing.get(name, 0)) for name in SPLITS}, {n: int(total.get(n, 0)) for n in SPLITS}, gone
        )

    @property
    def count(self) -> int:
        """Images that could not be read."""
        return sum(self.missing.values())

    @property
    def _where(self) -> str:
        parts = [f"{name} {n} of {self.total[name]}" for name, n in self.missing.items() if n]
        gone = f"; {self.gone} of them not there any more" if self.gone else ""
        return f"{', '.join(parts)}{gone}"

    @property
    def sentence(self) -> str:
        """For people; "" where every image was read."""
        if not self.count:
            return ""
        image = "1 image could not be decoded and was" if self.count == 1 else None
        images = image or f"{self.count} images could not be decoded and were"
        return f"{images} left out ({self._where}); the run's unreadable.csv names them."

    @property
    def problem(self) -> str:
        """Why so many are missing that nothing is trained; "" where they are few."""
        total = sum(self.total.values())
        many = [name for name, n in self.missing.items() if n > OF_A_SPLIT * self.total[name]]
        if self.count <= OF_ALL * total and not many:
            return ""
        return (
            f"{self.count} of {total} images of the data set cannot be read any more ({self._where}): more than "
            f"{100 * OF_ALL:.0f} % of all or {100 * OF_A_SPLIT:.0f} % of a split, so a score would be of another data "
            "set than the one that was split and audited. The run's unreadable.csv names them. Put them back and "
            "resume the run, or start a new one on what is left."
        )
