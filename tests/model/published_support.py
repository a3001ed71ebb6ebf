"""Files as they are published, with random weights.

save_densenet(folder / "net.pt")      # a whole pickled module whose class is TorchXRayVision's, saved the old way
"""

import sys
import warnings
from collections import OrderedDict
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from cxr_core.model.xray_networks import XrayDenseNet


def save_densenet(file: Path, outputs: int = 18, seed: int = 0, old: bool = True) -> dict[str, torch.Tensor]:
    """Write one, and return its state dict. The package is not needed: its class is known to the pickle by name."""
    torch.manual_seed(seed)
    ours = XrayDenseNet(outputs)
    for name, values in ours.named_buffers():
        # With the initial statistics every answer would be the same.
        if name.endswith(("running_mean", "running_var")):
            values.uniform_(0.5, 1.5)
    with torch.no_grad():
        # Answers that are not all 0 or 1.
        ours.classifier.weight.mul_(0.02)
    named = type("DenseNet", (nn.Module,), {"__module__": "torchxrayvision.models", "__qualname__": "DenseNet"})
    theirs = named()
    theirs._modules = OrderedDict(features=ours.features, classifier=ours.classifier)
    theirs.pathologies = ["Atelectasis"]
    models = ModuleType("torchxrayvision.models")
    vars(models)["DenseNet"] = named
    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        patched.setitem(sys.modules, "torchxrayvision", ModuleType("torchxrayvision"))
        patched.setitem(sys.modules, "torchxrayvision.models", models)
        warnings.simplefilter("ignore")  # that the class has no source
        torch.save(theirs, file, _use_new_zipfile_serialization=not old)
    return theirs.state_dict()
