"""What people call the values of a configuration: "VGG16" for ``vgg16``. Files, flags and JSON keep the values.

friendly("backbone", "small-cnn")        # Small CNN, inside a sentence
listed("trainable", "last-block")        # Last block, at the head of a cell or as an option
best_of("loss")                          # lowest loss
network(config)                          # VGG16, head trained
"""

from pathlib import PureWindowsPath
from typing import Any

from cxr_core.config import TrainConfig
from cxr_core.published import PUBLISHED

SPLITS = {"train": "train", "val": "validation", "test": "test"}

_NAMES: dict[str, dict[str, str]] = {
    "backbone": {
        "vgg16": "VGG16",
        "resnet18": "ResNet18",
        "densenet121": "DenseNet121",
        "efficientnet_b0": "EfficientNet-B0",
        "efficientnet_lite0": "EfficientNet-Lite0",
        "mobilenet_v3_small": "MobileNetV3-Small",
        "convnext_tiny": "ConvNeXt-Tiny",
        "xrv_densenet121": "DenseNet121 (TorchXRayVision)",
        "rad_dino": "RAD-DINO",
        "rad_dino_patches": "RAD-DINO with patches",
        "small-cnn": "Small CNN",
    },
    "weights": {
        "imagenet": "ImageNet",
        "pip": "ImageNet (by pip)",
        "none": "random",
        **{name: entry.title for name, entry in PUBLISHED.items()},
    },
    "trainable": {"head": "head", "last-block": "last block and head", "all": "all layers"},
    "features": {"last": "last features", "stages": "middle stages"},
    "labels": {
        "auto": "automatic",
        "single": "one class each",
        "covid-implies-pneumonia": "COVID19 implies PNEUMONIA",
    },
    "hierarchy": {"conditional": "conditional", "flat": "flat (2020 notebook)"},
    "uncertain": {"unknown": "leave out", "1": "take for yes", "0": "take for no", "soft": "take for the share below"},
    "blank": {"unknown": "leave out", "0": "take for no"},
    "threshold_by": {"f1": "best F1", "youden": "Youden's J", "sensitivity": "a given sensitivity"},
    "optimizer": {"sgd": "SGD", "adamw": "AdamW"},
    "monitor": {
        "auto": "automatic",
        "macro_f1": "macro F1",
        "balanced_accuracy": "balanced accuracy",
        "accuracy": "accuracy",
        "macro_roc_auc": "macro ROC AUC",
        "loss": "loss",
    },
    "device": {"auto": "automatic", "cpu": "CPU", "cuda": "NVIDIA GPU", "mps": "Apple GPU"},
}


def friendly(field: str, value: Any) -> str:
    """The value of this field of TrainConfig as people call it, inside a sentence; a value without a name as it is."""
    if value in (called := _NAMES.get(field, {})):
        return called[value]
    if field == "weights":
        # Folders may name a person, and the name of the file is what tells two apart.
        return f"file {PureWindowsPath(str(value)).name}"
    return str(value)


def listed(field: str, value: Any) -> str:
    """The same where a line begins with it: the first letter is large, unless a person gave the text."""
    called = friendly(field, value)
    return called[:1].upper() + called[1:] if value in _NAMES.get(field, {}) else called


def best_of(monitor: str) -> str:
    """How the best epoch is told by this metric: ``highest macro F1``."""
    return f"{'lowest' if monitor == 'loss' else 'highest'} {friendly('monitor', monitor)}"


def network(config: TrainConfig) -> str:
    """The network and what of it was trained."""
    return f"{friendly('backbone', config.backbone)}, {friendly('trainable', config.trainable)} trained"
