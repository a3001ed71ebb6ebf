"""Networks of random weights that nobody trained, as the tests compare them with ours.

net = without_classifier("resnet18", pictures)      # torchvision's own module, in eval mode
"""

import torch
from torch import Tensor, nn

from cxr_core.model import xray_networks
from cxr_core.model.network import to_input
from cxr_core.model.weights import load_backbone

_OWN = {"resnet18": "fc", "efficientnet_lite0": "_fc", "convnext_tiny": "classifier.2", "small-cnn": ""}
_OWN |= {"rad_dino": "", "rad_dino_patches": ""}
# Laws hold at any size; the published one has 86 million weights.
xray_networks.RAD_DINO = xray_networks.Size(width=48, depth=12, heads=4, grid=4)


def without_classifier(name: str, pictures: Tensor) -> nn.Module:
    """The whole backbone in eval mode, its classifier replaced by the identity.

    Where it has batch normalisation that is told the statistics of ``pictures``, uint8 (N, S, S): with the initial ones
    the features of EfficientNet and MobileNet vanish, and equal zeros prove nothing.
    """
    net = load_backbone(name, "none", seed=0)
    if own := _OWN.get(name, "classifier"):
        net.set_submodule(own, nn.Identity())
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        with torch.no_grad():
            net.train()(to_input(pictures))
    return net.eval()
