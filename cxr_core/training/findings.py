"""Training on findings: any number of them an image, each learnt and judged where it is known.

    label = labelled(samples, run.tree, run.config.policy)       # (N, 4, K): see TRUTH
    objective = Findings(run.config, run.tree, label, val, device)

With a hierarchy the network learns each label where all that it implies is there (:mod:`cxr_core.hierarchy`); what
means none of the findings is not learnt. Judged are the labels that are certain, whatever training makes of the others.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_core.config import TrainConfig
from cxr_core.errors import RunError
from cxr_core.evaluation.known import roc_areas
from cxr_core.evaluation.known_temperature import fit_known_temperature
from cxr_core.evaluation.thresholds import Rule, best_f1, choose
from cxr_core.findings import Bools, Policy, resolved, values_of
from cxr_core.hierarchy import Hierarchy
from cxr_core.model.masked import known_balanced_alpha, masked_focal_loss
from cxr_core.training.objectives import Labels, alpha_of, log_odds

# What a row of ``label`` holds of each name: whether it is there and whether that is certain, what is learnt and
# whether it is.
TRUTH, JUDGED, TARGET, LEARNT = 0, 1, 2, 3


def labelled(samples: pd.DataFrame, tree: Hierarchy, policy: Policy) -> NDArray[np.float32]:
    """The labels of ``samples`` (a run's split.csv), (N, 4, K) float32. Raises DatasetError for a label of no kind."""
    values = values_of(samples, tree.names)
    learns = tree.conditional_targets(*resolved(values, tree.names, policy))
    return np.stack([*tree.judged(values, policy), *learns], axis=1).astype(np.float32)


class Findings:
    """The objective of findings: see :class:`cxr_core.training.objectives.Objective`. ``label`` and ``val``: the labels
    of training and validation. Raises RunError where the validation split cannot choose an epoch.
    """

    def __init__(self, config: TrainConfig, tree: Hierarchy, label: Labels, val: Labels, device: torch.device) -> None:
        self.tree, self.device = tree, device
        self._columns = sorted(tree.learnt)
        self._names = [tree.names[k] for k in self._columns]
        self.monitor: str = "macro_roc_auc" if config.monitor == "auto" else config.monitor
        self._by = Rule(config.threshold_by, config.sensitivity)
        self._gamma, self._label = config.gamma, label
        self._alpha = alpha_of(config, known_balanced_alpha(*self._learnt(label)), device)
        truth, known = self._certain(val)
        if self.monitor != "loss" and not ((truth & known).any(axis=0) & (known & ~truth).any(axis=0)).any():
            raise RunError(
                f"The best epoch is to be chosen by {self.monitor}, but no finding is both present and absent in the "
                f"{len(val):,} validation images. Choose another validation split, or monitor = loss."
            )

    def loss(self, logits: Tensor, label: Labels) -> Tensor:
        target, learnt = (part.to(self.device) for part in self._learnt(label))
        return masked_focal_loss(logits, target, learnt, self._gamma, self._alpha)

    def probabilities(self, logits: NDArray[np.float64], temperature: float = 1.0) -> NDArray[np.float64]:
        return self.tree.probabilities(logits, temperature)

    def figures(self, label: Labels, probabilities: NDArray[np.float64]) -> dict[str, Any]:
        """``macro_roc_auc`` and ``macro_f1`` (each finding at the threshold that suits these probabilities best) over
        the findings that have both, and ``roc_auc`` of each, None without.
        """
        truth, known = self._certain(label)
        scores = probabilities[:, self._columns]
        areas, f1 = roc_areas(truth, known, scores), best_f1(truth, known, scores)
        return {
            "macro_roc_auc": _mean(areas),
            "macro_f1": _mean(f1[~np.isnan(areas)]),
            "roc_auc": {
                name: None if np.isnan(area) else float(area) for name, area in zip(self._names, areas, strict=True)
            },
        }

    def brief(self, label: Labels, probabilities: NDArray[np.float64]) -> dict[str, Any]:
        truth, known = self._certain(label)
        return {"macro_roc_auc": _mean(roc_areas(truth, known, probabilities[:, self._columns]))}

    def rule(self, logits: NDArray[np.float64], label: Labels) -> dict[str, Any]:
        truth, known = (label[:, row] > 0 for row in (TRUTH, JUDGED))
        learns = self.tree.conditional_targets(truth.astype(np.float32), known)
        temperature = fit_known_temperature(logits, *learns)
        scores = self.probabilities(logits, temperature)[:, self._columns]
        chosen = choose(*self._certain(label), scores, self._names, self._by)
        return {"temperature": temperature, "thresholds": {name: found.threshold for name, found in chosen.items()}}

    def guess(self) -> NDArray[np.float64]:
        target, learnt = self._label[:, TARGET], self._label[:, LEARNT]
        return log_odds((target * learnt).sum(axis=0) / np.maximum(learnt.sum(axis=0), 1), len(self._label))

    def _learnt(self, label: Labels) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(label[:, TARGET]), torch.from_numpy(label[:, LEARNT]) > 0

    def _certain(self, label: Labels) -> tuple[Bools, Bools]:
        """Truth and known (N, L) of the findings that are learnt."""
        truth, known = (label[:, row][:, self._columns] > 0 for row in (TRUTH, JUDGED))
        return truth, known


def _mean(values: NDArray[np.float64]) -> float | None:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else None
