"""Focal loss over the findings that are known, and nothing else.

    loss = masked_focal_loss(logits, targets, known, gamma=1.2, alpha=alpha)

An element that is not known has no part in the value and no gradient, whatever its logit and target are. With all
known and targets of 0 and 1 it is ``losses.sigmoid_focal_loss``.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def masked_focal_loss(
    logits: Tensor, targets: Tensor, known: Tensor, gamma: float = 0.0, alpha: Tensor | None = None
) -> Tensor:
    """Mean focal loss over the known elements, a float32 scalar; 0, without a gradient, where none is known.

    ``logits``, ``targets`` in 0..1 and ``known`` (bool): (N, K). ``alpha``: (K,) in 0..1, as in
    ``losses.sigmoid_focal_loss``. The mean is the batch's; to average over several batches take ``masked_focal_sum``.
    """
    total, count = masked_focal_sum(logits, targets, known, gamma, alpha)
    return total / count.clamp(min=1)


def masked_focal_sum(
    logits: Tensor, targets: Tensor, known: Tensor, gamma: float = 0.0, alpha: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The sum of the loss over the known elements, and their number: float32 scalars.

    A soft target t is t times the loss of a yes and 1 - t times that of a no, each with its own focal factor and
    weight: at gamma 0 this is binary cross entropy against t.
    """
    known = known.bool()
    # Before anything else: what is not known may be no number, and 0 times no number is none either.
    logits = torch.where(known, logits.float(), 0.0)
    targets = torch.where(known, targets.float(), 0.0)
    log_yes, log_no = F.logsigmoid(logits), F.logsigmoid(-logits)
    # (1 - p_t)^gamma = exp(gamma log(1 - p_t)): no power of a number that rounds to 0
    yes = -log_yes * torch.exp(gamma * log_no)
    no = -log_no * torch.exp(gamma * log_yes)
    if alpha is not None:
        yes, no = yes * alpha, no * (1 - alpha)
    loss = targets * yes + (1 - targets) * no
    return torch.where(known, loss, 0.0).sum(), known.sum().float()


def known_balanced_alpha(targets: Tensor, known: Tensor) -> Tensor:
    """The share of negatives among the known labels of each finding, (K,) float32, as in ``losses.balanced_alpha``: a
    finding's positives and negatives weigh the same in sum. One half where nothing is known of a finding.
    """
    counts = known.sum(dim=0).float()
    positives = torch.where(known.bool(), targets.float(), 0.0).sum(dim=0)
    return torch.where(counts > 0, (counts - positives) / counts.clamp(min=1), 0.5)
