"""Heat maps: which part of the picture moved a label's score. They do not say that the score is right.

    heat = heat_map(trained, pixels, "PNEUMONIA")     # float32 (S, S), 0..1, on the square that the network saw

How it is drawn over the picture is in :mod:`cxr_core.inference.heat`.

Grad-CAM (Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization").
The network is split at the output of its last block, without hooks: any number of threads may share one model. Where
features are pooled from several stages, the map is of the last of these; what the earlier ones say, and the spread of a
map, whose slope is zero on average, move the score but have no place in it.
"""

from collections.abc import Callable
from functools import partial
from itertools import chain, dropwhile, takewhile

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cxr_core.errors import RunError
from cxr_core.hierarchy import Coherent
from cxr_core.inference.trained import Trained
from cxr_core.labels import Implied
from cxr_core.model.network import to_input
from cxr_core.model.pooling import PooledStages
from cxr_core.model.xray_networks import as_map


def heat_map(trained: Trained, pixels: NDArray[np.uint8], label: str) -> NDArray[np.float32]:
    """Grad-CAM of ``label`` for a decoded image (S, S): float32 (S, S), 0 to 1, the hottest place 1.

    All zeros where nothing speaks for the label. What the run does not see of an image is erased first. The gradient is
    that of the label's logit, before calibration and thresholds, which do not change where the heat is; of coherent
    labels that of the log odds of what is shown at temperature 1. Raises RunError for a label that the run does not
    know.
    """
    if label not in trained.classes:
        raise RunError(f"Run {trained.run.id} knows {', '.join(trained.classes)}; got {label!r}. Choose one of these.")
    images = to_input(torch.from_numpy(np.array(trained.seen(pixels)[None])).to(trained.device))
    with torch.no_grad():
        activation, top = _split(trained, images)
    heat = _grad_cam(activation, top, trained.classes.index(label), trained.implied)
    heat = F.interpolate(as_map(heat), size=pixels.shape, mode="bilinear", align_corners=False)[0, 0]
    highest = float(heat.max())
    return (heat / highest if highest > 0 else heat).clamp_(0, 1).float().cpu().numpy()


def _split(trained: Trained, images: Tensor) -> tuple[Tensor, list[Callable[[Tensor], Tensor]]]:
    """The last map (1, C, H, W) that the network makes of an image, and the steps from there to the logits. Where the
    training cut it makes no difference.
    """
    if isinstance(trained.prefix, PooledStages):
        earlier, last = trained.prefix.to_last(images)
        return last, [partial(trained.prefix.row, earlier), *trained.suffix]
    stages = list(chain(trained.prefix.named_children(), trained.suffix.named_children()))
    for _, module in takewhile(lambda stage: stage[0] != "pool", stages):
        images = module(images)
    return images, [module for _, module in dropwhile(lambda stage: stage[0] != "pool", stages)]


def _grad_cam(activation: Tensor, top: list[Callable[[Tensor], Tensor]], label: int, implied: Implied) -> Tensor:
    """ReLU of the channels (1, C, H, W), each weighted with the mean of its gradient: (1, 1, H, W)."""
    leaf = activation.detach().requires_grad_(True)
    with torch.enable_grad():
        score = leaf
        for stage in top:
            score = stage(score)
        # Only this gradient is computed: no parameter's .grad, which all threads would share, is touched.
        (gradient,) = torch.autograd.grad(_score(score[0], label, implied), leaf)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return (weights * leaf.detach()).sum(dim=1, keepdim=True).relu_()


def _score(logits: Tensor, label: int, implied: Implied) -> Tensor:
    """What the map is of: the label's logit, or, up to a factor, something with the gradient of the log odds of the
    label's shown probability, whose logs are a sum over its path. None of the findings is the absence of each.
    """
    if not isinstance(implied, Coherent):
        return logits[label]
    present, absent = implied.tree.path(label)
    sides = torch.cat([logits[present], -logits[absent]])
    # d log sigmoid(s) / ds = sigmoid(-s), made to add up to 1: also where every one of them rounds to 0.
    weights = F.logsigmoid(-sides.detach()).softmax(dim=0)
    return (weights * sides).sum()
