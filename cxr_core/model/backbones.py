"""The backbones: a name -> a network as a list of stages, where it can be cut.

Each backbone is a list of named stages whose composition maps images (N, 3, S, S), normalised as ImageNet was, to
features (N, F). The last stage pools; the one before it is the "last block". ``trainable`` only chooses the cut:

    head        everything is frozen; the cut is behind the last stage, or with ``features = stages`` behind the last
                one that features are pooled from (:mod:`cxr_core.model.pooling`)
    last-block  the cut is before the last block
    all         the cut is before the first stage; nothing is frozen
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torchvision import models
from torchvision.models import WeightsEnum

from cxr_core.model import lite0
from cxr_core.model.packaged import LITE0, Package
from cxr_core.model.xray_networks import RadDino, XrayDenseNet, densenet_stages, transformer_stages

Stages = list[tuple[str, nn.Module]]


@dataclass(frozen=True)
class Backbone:
    """How to build a network (random weights), name its stages, and where its ImageNet weights come from.

    ``middle``: the stages whose maps ``features = stages`` pools, in their order. ``package``: what ``weights = pip``
    means.
    """

    name: str
    build: Callable[[], nn.Module]
    stages: Callable[[Any], Stages]
    imagenet: WeightsEnum | None
    middle: tuple[str, ...]
    package: Package | None = None

    def cut(self, trainable: str, stages: Stages, features: str = "last") -> int:
        """Number of leading stages that are frozen and needed."""
        if features == "stages":
            return [name for name, _ in stages].index(self.middle[-1]) + 1
        return {"head": len(stages), "last-block": len(stages) - 2, "all": 0}[trainable]


class SmallCnn(nn.Module):
    """A small network for training from scratch: about 0.2 million weights, 75 million multiplications at 224 px."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _convolution(3, 24, kernel=4, stride=4)
        self.block1 = nn.Sequential(_convolution(24, 48), nn.MaxPool2d(2))
        self.block2 = nn.Sequential(_convolution(48, 96), nn.MaxPool2d(2))
        self.block3 = _convolution(96, 128)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.pool(self.block3(self.block2(self.block1(self.stem(images)))))
        return pooled


def _convolution(channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, padding=kernel // 2 if stride == 1 else 0, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class ByImage(nn.Module):
    """An activation that gives an image the same bits wherever it lies in a batch.

    torch divides the numbers of a batch among threads, and exponentials are rounded otherwise at the ends of their
    shares: as they come, SiLU and sigmoid make an image's features depend on its place and its company. In training
    that does not matter.
    """

    def __init__(self, activation: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if self.training:
            return self.activation(values)
        return torch.cat([self.activation(image) for image in torch.split(values, 1)])


def _build_efficientnet_b0() -> nn.Module:
    net: nn.Module = models.efficientnet_b0()
    for name, module in list(net.named_modules()):
        if isinstance(module, nn.SiLU | nn.Sigmoid):
            net.set_submodule(name, ByImage(torch.sigmoid if isinstance(module, nn.Sigmoid) else nn.functional.silu))
    return net


def _small_cnn(net: SmallCnn) -> Stages:
    return [(name, getattr(net, name)) for name in ("stem", "block1", "block2", "block3", "pool")]


def _vgg16(net: models.VGG) -> Stages:
    ends = [0, 5, 10, 17, 24, 31]  # behind each of the five poolings
    blocks = [(f"block{i + 1}", net.features[ends[i] : ends[i + 1]]) for i in range(5)]
    return [*blocks, ("pool", nn.Sequential(net.avgpool, nn.Flatten()))]


def _resnet18(net: models.ResNet) -> Stages:
    stem = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool)
    blocks: Stages = [(f"layer{i}", getattr(net, f"layer{i}")) for i in range(1, 5)]
    return [("stem", stem), *blocks, ("pool", nn.Sequential(net.avgpool, nn.Flatten()))]


def _densenet121(net: models.DenseNet) -> Stages:
    parts = dict(net.features.named_children())
    stem = nn.Sequential(*(parts[name] for name in ("conv0", "norm0", "relu0", "pool0")))
    blocks: Stages = [
        (f"block{i}", nn.Sequential(parts[f"denseblock{i}"], parts[f"transition{i}"])) for i in range(1, 4)
    ]
    last = nn.Sequential(parts["denseblock4"], parts["norm5"], nn.ReLU(inplace=True))
    return [("stem", stem), *blocks, ("block4", last), ("pool", _pool())]


def _in_order(features: nn.Sequential, last_block: int) -> Stages:
    stages: Stages = [(f"features{i}", features[i]) for i in range(last_block)]
    return [*stages, ("last", features[last_block:])]


def _efficientnet_b0(net: models.EfficientNet) -> Stages:
    return [*_in_order(net.features, 7), ("pool", _pool())]


def _mobilenet_v3_small(net: models.MobileNetV3) -> Stages:
    return [*_in_order(net.features, 9), ("pool", _pool())]


def _convnext_tiny(net: models.ConvNeXt) -> Stages:
    return [*_in_order(net.features, 6), ("pool", nn.Sequential(net.avgpool, net.classifier[0], nn.Flatten()))]


def _pool() -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


_LAYERS = ("layer4", "layer8", "layer11")
BACKBONES: dict[str, Backbone] = {
    entry.name: entry
    for entry in (
        Backbone("vgg16", models.vgg16, _vgg16, models.VGG16_Weights.IMAGENET1K_V1, ("block3", "block4")),
        Backbone("resnet18", models.resnet18, _resnet18, models.ResNet18_Weights.IMAGENET1K_V1, ("layer2", "layer3")),
        Backbone(
            "densenet121",
            models.densenet121,
            _densenet121,
            models.DenseNet121_Weights.IMAGENET1K_V1,
            ("block1", "block2", "block3"),
        ),
        Backbone(
            "efficientnet_b0",
            _build_efficientnet_b0,
            _efficientnet_b0,
            models.EfficientNet_B0_Weights.IMAGENET1K_V1,
            ("features3", "features4", "features5"),
        ),
        Backbone(
            "mobilenet_v3_small",
            models.mobilenet_v3_small,
            _mobilenet_v3_small,
            models.MobileNet_V3_Small_Weights.IMAGENET1K_V1,
            ("features3", "features6", "features8"),
        ),
        Backbone(
            "convnext_tiny",
            models.convnext_tiny,
            _convnext_tiny,
            models.ConvNeXt_Tiny_Weights.IMAGENET1K_V1,
            ("features3", "features5"),
        ),
        Backbone(
            "efficientnet_lite0",
            lite0.EfficientNetLite0,
            lite0.stages,
            None,
            ("stage2", "stage3", "stage4"),
            LITE0,
        ),
        Backbone("xrv_densenet121", XrayDenseNet, densenet_stages, None, ("block1", "block2", "block3")),
        Backbone("rad_dino", RadDino, transformer_stages, None, _LAYERS),
        Backbone("rad_dino_patches", partial(RadDino, patches=True), transformer_stages, None, _LAYERS),
        Backbone("small-cnn", SmallCnn, _small_cnn, None, ("block1", "block2", "block3")),
    )
}
