"""Files as they are published, with random weights.

save_densenet(folder / "net.pt")      # a whole pickled module whose class is TorchXRayVision's, saved the old way
"""

import sys
import warnings
from collections import OrderedDict
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from cxr_core.model.xray_networks import XrayDenseNet


def save_densenet(file: Path, outputs: int = 18, seed: int = 0, old: bool = True) -> dict[str, torch.Tensor]:
    """Write one, and return its state dict. The package is not needed: its class is known to the pickle by name."""
    torch.manual_seed(seed)
    ours = XrayDenseNet(outputs)
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm2d):
            # With the initial statistics every answer would be the same.
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    named = type("DenseNet", (nn.Module,), {"__module__": "torchxrayvision.models", "__qualname__": "DenseNet"})
    theirs = named()
    theirs._modules = OrderedDict(features=ours.features, classifier=ours.classifier)
    theirs.pathologies = ["Atelectasis"]
    package, models = ModuleType("torchxrayvision"), ModuleType("torchxrayvision.models")
    models.DenseNet = named
    package.models = models
    before = {name: sys.modules.get(name) for name in ("torchxrayvision", "torchxrayvision.models")}
    sys.modules |= {"torchxrayvision": package, "torchxrayvision.models": models}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the class has no source
            torch.save(theirs, file, _use_new_zipfile_serialization=not old)
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    return theirs.state_dict()
