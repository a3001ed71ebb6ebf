"""Files -> predictions, through the very functions that training and evaluation use.

for prediction in Predictor.load(run).predict([("a.png", content), ("b.dcm", Path("b.dcm"))]):
    print(prediction.file, prediction.label, prediction.probabilities)
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_core.data.images import pixels, read_bytes
from cxr_core.errors import ImageError
from cxr_core.inference.trained import Trained
from cxr_core.labels import rule_text
from cxr_core.model.network import INFERENCE_BATCH
from cxr_core.training.runs import Run


@dataclass(frozen=True)
class Prediction:
    """The answer for one file. ``error`` is set, and label and probabilities are None, where it cannot be read."""

    file: str
    label: str | None
    probabilities: dict[str, float] | None
    rule: str
    error: str | None


@dataclass(frozen=True)
class Predictor:
    """A trained run that answers for files."""

    trained: Trained

    @classmethod
    def load(cls, run: Run) -> "Predictor":
        """Raises RunError where the run has no finished training, WeightsError where its files are damaged."""
        return cls(Trained.load(run))

    @property
    def thresholds(self) -> dict[str, float]:
        """Per label, with implied labels; empty where the most probable class wins."""
        return self.trained.thresholds

    def predict(self, items: Iterable[tuple[str, bytes | Path]]) -> Iterator[Prediction]:
        """One Prediction per (name, content or path), in order; a file that cannot be read gets its own error."""
        with ThreadPoolExecutor(2, thread_name_prefix="decode") as pool:
            for group in _groups(items, INFERENCE_BATCH):
                yield from self._answer([name for name, _ in group], list(pool.map(self._decode, group)))

    def _decode(self, item: tuple[str, bytes | Path]) -> NDArray[np.uint8] | ImageError:
        name, source = item
        try:
            content = read_bytes(source) if isinstance(source, Path) else source
            return pixels(content, name, self.trained.run.config.image_size)
        except ImageError as error:
            return error

    def _answer(self, names: Sequence[str], decoded: Sequence[NDArray[np.uint8] | ImageError]) -> Iterator[Prediction]:
        images = [image for image in decoded if not isinstance(image, ImageError)]
        classes = self.trained.classes
        rule = rule_text(classes, self.trained.implied)
        probabilities = np.empty((0, len(classes)))
        if images:
            probabilities = self.trained.probabilities([self.trained.features(np.stack(images))])
        decisions = self.trained.decide(probabilities)
        answers = iter(zip(probabilities, decisions, strict=True))
        for name, image in zip(names, decoded, strict=True):
            if isinstance(image, ImageError):
                yield Prediction(name, None, None, rule, str(image))
                continue
            row, decision = next(answers)
            named = {label: float(value) for label, value in zip(classes, row, strict=True)}
            yield Prediction(name, classes[decision], named, rule, None)


def _groups(items: Iterable[tuple[str, bytes | Path]], size: int) -> Iterator[tuple[tuple[str, bytes | Path], ...]]:
    remaining = iter(items)
    while group := tuple(islice(remaining, size)):
        yield group
