"""Is a picture one of those that a run was made with? Then its answer says nothing about new images.

    seen = Seen.load(run)                   # once: what the audit of the training kept of the run's images
    sighting = seen.sighting(content, name)
    if sighting: print(sighting.sentence)

The same content is known by the run's own list, wherever the run is. A near copy (resized, re-encoded, cropped,
brightened, mirrored) is known by what the audit kept of the pictures, in the cache of the machine that trained; once
that is cleared, only the same content is.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from cxr_core.audit.gallery import Gallery
from cxr_core.audit.traits import imprint, kept_imprints
from cxr_core.images import content_digest
from cxr_core.runs import Run

# Where a picture is in several splits, the one that says most against its answer.
_SPLITS = ("train", "val", "test")
_WHERE = {"train": "training set", "val": "validation split", "test": "test split"}
_MEANS = {
    "train": "the answer says nothing about new images",
    "val": "its thresholds and its best epoch were chosen there, so the answer says little about new images",
    "test": "the answer is counted in the run's test score already, and says nothing beyond it",
}


@dataclass(frozen=True)
class Sighting:
    """``split``: train, val or test; ``kind``: exact (the same content) or near, with how far the detail agrees."""

    split: str
    kind: Literal["exact", "near"]
    agreement: float = 1.0
    mirrored: bool = False

    @property
    def sentence(self) -> str:
        """Plain, and the same wherever it is said."""
        what = "This picture" if self.kind == "exact" else f"A near copy of this picture{self._how}"
        return f"{what} is in the {_WHERE[self.split]} of this run: {_MEANS[self.split]}."

    @property
    def _how(self) -> str:
        return f" ({'mirrored, ' if self.mirrored else ''}agreement {self.agreement:.2f})"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "sentence": self.sentence}


class Seen:
    """The pictures of a run. ``compared`` of ``total`` are known so well that near copies of them are found."""

    def __init__(self, samples: pd.DataFrame) -> None:
        """``samples``: the run's split, with the columns ``digest`` and ``split``."""
        ranked = samples.sort_values("split", key=lambda splits: splits.map(_SPLITS.index), kind="stable")
        self._splits: dict[str, str] = dict(
            ranked.drop_duplicates("digest")[["digest", "split"]].itertuples(index=False, name=None)
        )
        self._known, hashes, small = kept_imprints(list(self._splits))
        self._gallery = Gallery(hashes, small)
        self.compared, self.total = len(self._known), len(self._splits)

    @classmethod
    def load(cls, run: Run) -> "Seen":
        """Raises RunError where the run's split is damaged."""
        samples = run.split
        return cls(samples[samples["split"].isin(_SPLITS)])

    @property
    def gap(self) -> str | None:
        """What to say where near copies cannot be looked for among all pictures of the run; else None."""
        if self.compared == self.total:
            return None
        return (
            f"Near copies were looked for among {self.compared:,} of the {self.total:,} pictures of this run. Of the "
            "others only the digest is kept here, by which the same content is known."
        )

    def sighting(self, content: bytes, name: str) -> Sighting | None:
        """Where a picture was seen; None where it was not. Raises ImageError where it cannot be decoded."""
        split = self._splits.get(content_digest(content))
        if split is not None:
            return Sighting(split, "exact")
        found = self._gallery.find(imprint(content, name)) if self._known else None
        if found is None:
            return None
        return Sighting(self._splits[self._known[found.row]], "near", round(found.agreement, 3), found.mirrored)
