"""What a training is to reach: the loss, the figures of an epoch, and the rule chosen in the end.

    objective = Exclusive(config, classes, implied, label, device)     # the labels of the training split
    objective.loss(logits, label)
    objective.figures(label, objective.probabilities(logits))

``label`` is an array with a row for each image, as the objective wants it: class indices (N,) where the classes exclude
each other; for findings see :mod:`cxr_core.training.findings`. The trainer only takes rows of it.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_core.config import TrainConfig
from cxr_core.evaluation import calibrate, confusion_matrix, summary
from cxr_core.evaluation.calibration import fit_temperature
from cxr_core.hierarchy import Coherent
from cxr_core.labels import Implied, choose_thresholds, decide, targets
from cxr_core.model.losses import balanced_alpha, sigmoid_focal_loss, softmax_focal_loss
from cxr_core.model.masked import known_balanced_alpha, masked_focal_sum

Labels = NDArray[Any]


class Objective(Protocol):
    """``monitor``: the figure of validation that chooses the best epoch, "loss" or a key of ``figures``."""

    monitor: str

    def loss(self, logits: Tensor, label: Labels) -> Tensor:
        """A scalar, of logits (N, K)."""

    def probabilities(self, logits: NDArray[np.float64], temperature: float = 1.0) -> NDArray[np.float64]:
        """What is shown of logits (N, K)."""

    def figures(self, label: Labels, probabilities: NDArray[np.float64]) -> dict[str, Any]:
        """All that an epoch says of validation, ready for JSON."""

    def brief(self, label: Labels, probabilities: NDArray[np.float64]) -> dict[str, Any]:
        """What it says of training: a few of them."""

    def rule(self, logits: NDArray[np.float64], label: Labels) -> dict[str, Any]:
        """``temperature`` and ``thresholds``, chosen on the validation split."""

    def guess(self) -> NDArray[np.float64]:
        """The logits (K,) of giving every image the shares that the labels have in training."""


class Exclusive:
    """Classes that exclude each other, one of them an image's: softmax, or flat labels that imply others."""

    def __init__(
        self, config: TrainConfig, classes: Sequence[str], implied: Implied, label: Labels, device: torch.device
    ) -> None:
        self.classes, self.implied, self.device = list(classes), implied, device
        self.monitor: str = "macro_f1" if config.monitor == "auto" else config.monitor
        self._gamma, self._label = config.gamma, label
        counts = torch.bincount(torch.from_numpy(label), minlength=len(self.classes))
        self._meaning: Tensor | None = None
        balanced = balanced_alpha(counts)
        if implied:
            meaning = torch.from_numpy(targets(np.arange(len(self.classes)), self.classes, implied))
            self._meaning = meaning.to(device)
            balanced = balanced_alpha(counts, (counts[:, None] * meaning).sum(0))
        self._alpha = alpha_of(config, balanced, device)

    def loss(self, logits: Tensor, label: Labels) -> Tensor:
        index = torch.from_numpy(label).to(self.device)
        if self._meaning is None:
            return softmax_focal_loss(logits, index, self._gamma, self._alpha)
        return sigmoid_focal_loss(logits, self._meaning[index], self._gamma, self._alpha)

    def probabilities(self, logits: NDArray[np.float64], temperature: float = 1.0) -> NDArray[np.float64]:
        return calibrate(logits, temperature, self.implied)

    def figures(self, label: Labels, probabilities: NDArray[np.float64]) -> dict[str, Any]:
        """Under the thresholds that suit these probabilities best.

        Train and validation each get their own: in training mode (dropout, batch statistics) the network gives other
        probabilities, and thresholds of the one would misjudge the other.
        """
        thresholds = choose_thresholds(label, probabilities, self.classes, self.implied)
        decision = decide(probabilities, self.classes, self.implied, thresholds)
        confusion = confusion_matrix(label, decision, len(self.classes))
        return {**summary(confusion, self.classes), "confusion": confusion.tolist()}

    def brief(self, label: Labels, probabilities: NDArray[np.float64]) -> dict[str, Any]:
        found = self.figures(label, probabilities)
        return {name: found[name] for name in ("accuracy", "macro_f1")}

    def rule(self, logits: NDArray[np.float64], label: Labels) -> dict[str, Any]:
        temperature = fit_temperature(logits, label, self.classes, self.implied)
        thresholds = choose_thresholds(label, self.probabilities(logits, temperature), self.classes, self.implied)
        return {"temperature": temperature, "thresholds": thresholds}

    def guess(self) -> NDArray[np.float64]:
        known = len(self.classes)
        means = targets(np.arange(known), self.classes, self.implied) if self.implied else np.eye(known)
        shares = means[self._label].mean(axis=0)
        if self.implied:
            return log_odds(shares, len(self._label))
        logits: NDArray[np.float64] = np.log(_within(shares, len(self._label)))
        return logits


class CoherentClasses(Exclusive):
    """The same where labels that imply others are learnt as conditional probabilities (:mod:`cxr_core.hierarchy`).

    The loss is a mean over the images, as that of flat labels, over all labels that are learnt: one that an image
    teaches nothing of counts as 0. So it does not depend on which images a batch has.
    """

    def __init__(
        self, config: TrainConfig, classes: Sequence[str], implied: Coherent, label: Labels, device: torch.device
    ) -> None:
        super().__init__(config, classes, implied, label, device)
        meaning = targets(np.arange(len(classes)), classes, implied)
        # What an image of each class teaches, and of which labels it teaches anything: (K, K).
        taught, known = implied.tree.conditional_targets(meaning, np.ones_like(meaning, dtype=bool))
        self._taught, self._known = torch.from_numpy(taught), torch.from_numpy(known)
        self._learnt = len(implied.tree.learnt)
        self._alpha = alpha_of(config, known_balanced_alpha(self._taught[label], self._known[label]), device)

    def loss(self, logits: Tensor, label: Labels) -> Tensor:
        taught, known = (part[label].to(self.device) for part in (self._taught, self._known))
        total, _ = masked_focal_sum(logits, taught, known, self._gamma, self._alpha)
        return total / (len(label) * self._learnt)

    def guess(self) -> NDArray[np.float64]:
        taught, known = (part[self._label].double().sum(dim=0).numpy() for part in (self._taught, self._known))
        return log_odds(taught / np.maximum(known, 1), len(self._label))


def log_odds(shares: NDArray[np.floating], n: int) -> NDArray[np.float64]:
    """Of shares of n images, in logits."""
    inside = _within(shares, n)
    logits: NDArray[np.float64] = np.log(inside / (1 - inside))
    return logits


def _within(shares: NDArray[np.floating], n: int) -> NDArray[np.floating]:
    """Shares of n images, none of them so near to 0 or 1 that its logit is no number."""
    clipped: NDArray[np.floating] = np.clip(shares, 0.5 / n, 1 - 0.5 / n)
    return clipped


def alpha_of(config: TrainConfig, balanced: Tensor, device: torch.device) -> Tensor | None:
    """The weights (K,) of the configuration; ``balanced``: what it means by that."""
    if config.alpha == "none":
        return None
    return (balanced if config.alpha == "balanced" else torch.tensor(config.alpha)).float().to(device)
