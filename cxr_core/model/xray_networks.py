"""The form of networks that were trained on X-rays, so that their published weights fit by name.

TorchXRayVision's DenseNet121 is torchvision's with one channel; RAD-DINO is a vision transformer (ViT-B/14) as
``Dinov2Model`` names its parts. Both are written down here in plain torch; the numbers come from
:mod:`cxr_core.model.fetched`.

Images come normalised as ImageNet's, as for every backbone; the first stage makes of that what the network was trained
on. Tokens are kept as (N, C, 1, 1 + places), the one for the whole image first, so that they are rows and maps like any
other: :func:`as_map` gives the places their square back.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

Stages = list[tuple[str, nn.Module]]
# Of the red channel, as cxr_core.model.network normalises it.
_MEAN, _STD = 0.485, 0.229


@dataclass(frozen=True)
class Size:
    """Of a transformer: ``grid`` places a side were there positions for when it was trained."""

    width: int = 768
    depth: int = 12
    heads: int = 12
    patch: int = 14
    grid: int = 37


RAD_DINO = Size()


class OwnScale(nn.Module):
    """Images normalised as ImageNet's -> ``channels`` of ``(grey - mean) / std``, grey from 0 to 1.

    The grey levels are those of 8 bits, so they are found again to the last bit.
    """

    def __init__(self, mean: float, std: float, channels: int) -> None:
        super().__init__()
        self.mean, self.std, self.channels = mean, std, channels

    def forward(self, images: Tensor) -> Tensor:
        grey = torch.round((images[:, :1] * _STD + _MEAN) * 255) / 255
        return ((grey - self.mean) / self.std).expand(-1, self.channels, -1, -1)


class ByOne(nn.Module):
    """What gives an image other bits in other company, image by image; in training all at once."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, values: Tensor) -> Tensor:
        if self.training or values.is_meta:
            result: Tensor = self.inner(values)
            return result
        return torch.cat([self.inner(image) for image in torch.split(values, 1)])


# TorchXRayVision


class XrayDenseNet(nn.Module):
    """One channel, -1024 for black to 1024 for white, and a linear layer of one answer a finding: logits (N, K)."""

    def __init__(self, outputs: int = 18) -> None:
        super().__init__()
        net = models.densenet121(num_classes=outputs)
        net.features.conv0 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.scale = OwnScale(0.5, 1 / 2048, 1)
        self.features = net.features
        self.classifier = net.classifier

    def forward(self, images: Tensor) -> Tensor:
        maps = F.relu(self.features(self.scale(images)))
        answers: Tensor = self.classifier(F.adaptive_avg_pool2d(maps, 1).flatten(1))
        return answers


def densenet_stages(net: XrayDenseNet) -> Stages:
    """The stages of torchvision's DenseNet121, the scale before the first."""
    parts = dict(net.features.named_children())
    stem = nn.Sequential(net.scale, *(parts[name] for name in ("conv0", "norm0", "relu0", "pool0")))
    blocks: Stages = [
        (f"block{i}", nn.Sequential(parts[f"denseblock{i}"], parts[f"transition{i}"])) for i in range(1, 4)
    ]
    last = nn.Sequential(parts["denseblock4"], parts["norm5"], nn.ReLU(inplace=True))
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return [("stem", stem), *blocks, ("block4", last), ("pool", pool)]


# RAD-DINO. The names of the parts are those of the published file.


class _Embeddings(nn.Module):
    """Images (N, 3, S, S) -> tokens (N, C, 1, 1 + places): one for the whole, then one a patch, with its position."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.cls_token = nn.Parameter(torch.randn(1, 1, size.width) * 0.02)
        self.position_embeddings = nn.Parameter(torch.randn(1, 1 + size.grid**2, size.width) * 0.02)
        self.patch_embeddings = nn.ModuleDict({"projection": nn.Conv2d(3, size.width, size.patch, size.patch)})

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch_embeddings["projection"](images)
        tokens = patches.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(images), -1, -1), tokens], dim=1)
        return _rows(tokens + self._positions(patches.shape[2], patches.shape[3]))

    def _positions(self, height: int, width: int) -> Tensor:
        """Those of the training, or between these where the image has another size."""
        whole, places = self.position_embeddings[:, :1], self.position_embeddings[:, 1:]
        side = self.size.grid
        if (height, width) == (side, side):
            return self.position_embeddings
        square = places.reshape(1, side, side, -1).permute(0, 3, 1, 2)
        square = F.interpolate(square, size=(height, width), mode="bicubic", align_corners=False)
        return torch.cat([whole, square.flatten(2).transpose(1, 2)], dim=1)


class _Scaled(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.lambda1 = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.lambda1


class _Attention(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        linear = {name: nn.Linear(size.width, size.width) for name in ("query", "key", "value")}
        self.attention = nn.ModuleDict(linear)
        self.output = nn.ModuleDict({"dense": nn.Linear(size.width, size.width)})

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = (self._split(layer(tokens)) for layer in self.attention.values())
        shares = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]), dim=-1)
        mixed: Tensor = self.output["dense"]((shares @ value).transpose(1, 2).flatten(2))
        return mixed

    def _split(self, tokens: Tensor) -> Tensor:
        """(N, T, C) -> (N, heads, T, C / heads)."""
        return tokens.reshape(*tokens.shape[:2], self.heads, -1).transpose(1, 2)


class _Layer(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(size.width, eps=1e-6)
        self.attention = _Attention(size)
        self.layer_scale1 = _Scaled(size.width)
        self.norm2 = nn.LayerNorm(size.width, eps=1e-6)
        wide = 4 * size.width
        self.mlp = nn.Sequential(
            OrderedDict(fc1=nn.Linear(size.width, wide), act=nn.GELU(), fc2=nn.Linear(wide, size.width))
        )
        self.layer_scale2 = _Scaled(size.width)

    def forward(self, rows: Tensor) -> Tensor:
        tokens = rows[:, :, 0].transpose(1, 2)
        tokens = tokens + self.layer_scale1(self.attention(self.norm1(tokens)))
        return _rows(tokens + self.layer_scale2(self.mlp(self.norm2(tokens))))


class RadDino(nn.Module):
    """Features (N, C): the token of the whole image, or with ``patches`` the mean of the others."""

    def __init__(self, patches: bool = False, size: Size | None = None) -> None:
        super().__init__()
        size = size or RAD_DINO
        self.scale = OwnScale(0.5307, 0.2583, 3)
        self.embeddings = _Embeddings(size)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(_Layer(size) for _ in range(size.depth))})
        self.layernorm = nn.LayerNorm(size.width, eps=1e-6)
        self.patches = patches

    def forward(self, images: Tensor) -> Tensor:
        rows = self.embeddings(self.scale(images))
        for layer in self.encoder["layer"].children():
            rows = layer(rows)
        return _pooled(self.layernorm, rows, self.patches)


class _Pool(nn.Module):
    """The last layer and what is taken of its tokens."""

    def __init__(self, net: RadDino) -> None:
        super().__init__()
        self.layer = list(net.encoder["layer"].children())[-1]
        self.layernorm = net.layernorm
        self.patches = net.patches

    def forward(self, rows: Tensor) -> Tensor:
        return _pooled(self.layernorm, self.layer(rows), self.patches)


def transformer_stages(net: RadDino) -> Stages:
    """Patches, then a stage a layer. The last layer is counted to the pool: behind it the token of the whole image
    depends on no place any more, so that nothing could be mapped.
    """
    layers = list(net.encoder["layer"].children())
    inner: Stages = [(f"layer{k}", ByOne(layer)) for k, layer in enumerate(layers[:-1], 1)]
    return [("patches", ByOne(nn.Sequential(net.scale, net.embeddings))), *inner, ("pool", ByOne(_Pool(net)))]


def _pooled(norm: nn.LayerNorm, rows: Tensor, patches: bool) -> Tensor:
    """What is taken of the last layer's tokens: (N, C)."""
    tokens: Tensor = norm(rows[:, :, 0].transpose(1, 2))
    return tokens[:, 1:].mean(dim=1) if patches else tokens[:, 0]


def _rows(tokens: Tensor) -> Tensor:
    """(N, T, C) -> (N, C, 1, T)."""
    return tokens.transpose(1, 2)[:, :, None]


def as_map(values: Tensor) -> Tensor:
    """Values of tokens (N, C, 1, 1 + places) -> those of the places (N, C, side, side); a map stays what it is."""
    side = math.isqrt(values.shape[3] - 1)
    if values.shape[2] != 1 or not side or side**2 + 1 != values.shape[3]:
        return values
    return values[:, :, 0, 1:].reshape(*values.shape[:2], side, side)
