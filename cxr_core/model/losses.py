"""Focal loss, on each element, in both forms.

Lin et al., "Focal Loss for Dense Object Detection", 2017, eq. 5: ``FL = -alpha_t (1 - p_t)^gamma log p_t``. With
``gamma = 0`` and no ``alpha`` it is cross entropy exactly. Everything is computed from log-probabilities in float32,
so that values and gradients stay finite at logits of +-100 and beyond, also for half-precision inputs.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def sigmoid_focal_loss(logits: Tensor, targets: Tensor, gamma: float = 0.0, alpha: Tensor | None = None) -> Tensor:
    """Mean focal loss over independent labels; a float32 scalar.

    ``logits``, ``targets``: (N, K), targets 0 or 1. ``alpha``: (K,), each in 0 to 1, the weight of a label's
    positives; its negatives weigh ``1 - alpha`` (as in torchvision.ops.sigmoid_focal_loss). None: all weigh 1.
    """
    logits, targets = logits.float(), targets.float()
    signed = logits * (2 * targets - 1)  # the logit of the true answer
    # (1 - p_t)^gamma = exp(gamma log sigmoid(-signed)): no power of a number that rounds to 0
    loss = -F.logsigmoid(signed) * torch.exp(gamma * F.logsigmoid(-signed))
    if alpha is not None:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return loss.mean()


def softmax_focal_loss(logits: Tensor, target: Tensor, gamma: float = 0.0, alpha: Tensor | None = None) -> Tensor:
    """Mean focal loss over images whose classes exclude each other; a float32 scalar.

    ``logits``: (N, K), K >= 2. ``target``: class indices (N,). ``alpha``: (K,) weights above 0 of the classes; the
    mean is over images, not over weights. None: all weigh 1.
    """
    logits = logits.float()
    log_p = F.log_softmax(logits, dim=1)
    log_p_true = log_p.gather(1, target[:, None]).squeeze(1)
    others = log_p.scatter(1, target[:, None], float("-inf"))
    # log(1 - p_t) as the logsumexp of the other classes: 1 - p_t itself would round to 0
    loss = -log_p_true * torch.exp(gamma * torch.logsumexp(others, dim=1))
    if alpha is not None:
        loss = loss * alpha[target]
    return loss.mean()


def balanced_alpha(class_counts: Tensor, positives: Tensor | None = None) -> Tensor:
    """Weights by inverse frequency, (K,) float32.

    Softmax form (``positives`` None): ``N / (K n_c)``, so that every class weighs the same in sum (scikit-learn's
    "balanced"). Sigmoid form: ``positives`` (K,) counts the images that carry each label, and the weight is the share
    of negatives ``(N - positives) / N``, so that a label's positives and negatives weigh the same in sum.
    """
    total = class_counts.sum()
    if positives is None:
        return (total / (len(class_counts) * class_counts.clamp(min=1))).float()
    return ((total - positives) / total).float()
