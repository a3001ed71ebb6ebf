"""Files -> predictions, through the very functions that training and evaluation use.

    for prediction in Predictor.load(run).predict([("a.png", content), ("b.dcm", Path("b.dcm"))]):
        print(prediction.file, prediction.label, prediction.probabilities, prediction.withheld)

An answer for a picture unlike those that the run learnt from is withheld: it carries the reason, and whoever shows it
all the same marks it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_core.bars import bars
from cxr_core.errors import ImageError
from cxr_core.findings import FINDINGS, learnt, texts
from cxr_core.images import content_digest, pixels, read_bytes
from cxr_core.images.dicom import facts
from cxr_core.images.gate import withheld
from cxr_core.inference.embedding import embed
from cxr_core.inference.explain import heat_map
from cxr_core.inference.neighbours import Neighbour, Neighbours
from cxr_core.inference.seen import Seen, Sighting
from cxr_core.inference.trained import Trained
from cxr_core.model import INFERENCE_BATCH
from cxr_core.runs import Run

Source = bytes | Path


@dataclass(frozen=True)
class Prediction:
    """The answer for one file.

    ``label``: the class, or of findings those that are ``present``, in words; ``present`` is None for classes.
    ``error``: why it cannot be read; label and probabilities are None then. ``withheld``: why the answer should not be
    shown, or None. ``distance``: mean cosine distance to the five nearest training images, or None. ``seen``: where in
    the run's
    own pictures this one is, or None. ``reason``: why the decision is not the most probable class, where it is not.
    """

    file: str
    label: str | None
    probabilities: dict[str, float] | None
    rule: str
    error: str | None
    withheld: str | None = None
    distance: float | None = None
    seen: Sighting | None = None
    present: tuple[str, ...] | None = None
    reason: str = ""

    @property
    def outcome(self) -> str:
        """``answered``, ``withheld`` or ``unreadable``."""
        return "unreadable" if self.error is not None else "withheld" if self.withheld is not None else "answered"

    def shown(self, force: bool = False) -> "Prediction":
        """As it may be shown: without label and probabilities where they are withheld and not asked for."""
        if force or not self.withheld:
            return self
        return replace(self, label=None, probabilities=None, present=None, reason="")


@dataclass(frozen=True)
class _Picture:
    """A decoded file: its square (S, S), whole also where the run sees no border, and what DICOM says of it."""

    content: bytes
    pixels: NDArray[np.uint8]
    facts: dict[str, str]
    seen: Sighting | None = None


@dataclass(frozen=True)
class Predictor:
    """A trained run that answers for files."""

    trained: Trained
    known: Neighbours
    seen: Seen

    @classmethod
    def load(cls, run: Run) -> "Predictor":
        """Raises RunError where the run has no finished training, WeightsError where its files are damaged."""
        return cls(Trained.load(run), Neighbours.load(run), Seen.load(run))

    @property
    def thresholds(self) -> dict[str, float]:
        """Per label, with implied labels; empty where the most probable class wins."""
        return self.trained.thresholds

    def predict(self, items: Iterable[tuple[str, Source]]) -> Iterator[Prediction]:
        """One Prediction per (name, content or path), in order; a file that cannot be read gets its own error."""
        with ThreadPoolExecutor(2, thread_name_prefix="decode") as pool:
            for group in _groups(items, INFERENCE_BATCH):
                yield from self._answer([name for name, _ in group], list(pool.map(self._decode, group)))

    def heat(self, name: str, source: Source, label: str) -> NDArray[np.float32]:
        """Grad-CAM of ``label`` for a file: (S, S), 0 to 1, over the square that the network sees.

        Raises ImageError for a file that cannot be read, RunError for a label that the run does not know.
        """
        return heat_map(self.trained, self._read(name, source).pixels, label)

    def similar(self, name: str, source: Source) -> tuple[list[Neighbour], dict[str, int]]:
        """The five nearest training images to a file, itself left out, and each class's count among the nearest 25."""
        vector, digest = self.vector(name, source)
        return self.known.nearest(vector, exclude_digest=digest), self.known.shares(vector, exclude_digest=digest)

    def vector(self, name: str, source: Source) -> tuple[NDArray[np.float16], str]:
        """Where a file lies among the training images: its embedding (D,), and the digest of its content."""
        picture = self._read(name, source)
        vector = embed(self.trained, [self.trained.features(picture.pixels[None])])[0]
        return vector, content_digest(picture.content)

    def _read(self, name: str, source: Source) -> _Picture:
        content = read_bytes(source) if isinstance(source, Path) else source
        square = pixels(content, name, self.trained.run.config.image_size)
        return _Picture(content, square, facts(content))

    def _decode(self, item: tuple[str, Source]) -> _Picture | ImageError:
        try:
            picture = self._read(*item)
            return replace(picture, seen=self.seen.sighting(picture.content, item[0]))
        except ImageError as error:
            return error

    def _answer(self, names: Sequence[str], decoded: Sequence[_Picture | ImageError]) -> Iterator[Prediction]:
        pictures = [picture for picture in decoded if not isinstance(picture, ImageError)]
        classes = self.trained.classes
        rule = self.trained.rule
        probabilities, vectors = np.empty((0, len(classes))), np.empty((0, 0), np.float16)
        if pictures:
            rows = self.trained.features(np.stack([picture.pixels for picture in pictures]))
            probabilities, vectors = self.trained.probabilities([rows]), embed(self.trained, [rows])
        answers = iter(zip(probabilities, self._decided(probabilities), vectors, strict=True))
        for name, picture in zip(names, decoded, strict=True):
            if isinstance(picture, ImageError):
                yield Prediction(name, None, None, rule, str(picture))
                continue
            row, (decision, present), vector = next(answers)
            named = {label: float(value) for label, value in zip(classes, row, strict=True)}
            far = self.known.distance(vector)
            doubt = withheld(picture.content, name, picture.pixels, far, self.known.limit, picture.facts)
            why = self._reason(named, decision) if present is None else ""
            known = far if math.isfinite(far) else None
            yield Prediction(name, decision, named, rule, None, doubt, known, picture.seen, present, why)

    def _reason(self, probabilities: Mapping[str, float], decision: str) -> str:
        trained = self.trained
        return bars(probabilities, decision, trained.classes, trained.implied, trained.thresholds).reason

    def _decided(self, probabilities: NDArray[np.float64]) -> list[tuple[str, tuple[str, ...] | None]]:
        """For each image the decision in words and, of findings, those that are present."""
        names = self.trained.classes
        if self.trained.run.task != FINDINGS:
            return [(names[k], None) for k in self.trained.decide(probabilities)]
        there = self.trained.present(probabilities)
        found = [tuple(names[k] for k in learnt(names) if row[k]) for row in there]
        return list(zip(texts(there, names), found, strict=True))


def _groups(items: Iterable[tuple[str, Source]], size: int) -> Iterator[tuple[tuple[str, Source], ...]]:
    remaining = iter(items)
    while group := tuple(islice(remaining, size)):
        yield group
