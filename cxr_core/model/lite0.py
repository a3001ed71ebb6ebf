"""EfficientNet-Lite0 in plain torch: 4.7 million weights, 0.4 billion multiplications at 224 px, no exponentials.

    net = EfficientNetLite0()
    stages(net)                # stem, stage0 .. stage5, last, pool

The architecture is that of TensorFlow's efficientnet/lite (Google, Apache-2.0): inverted residual blocks without
squeeze and excitation, ReLU6, and a stem and a head of fixed width. Its modules bear the names that the published
weights have. Those were trained with TensorFlow, and two of its ways are part of the network: a step of two pads more
on the right and below than on the left and above, and batch normalisation adds 0.001 to the variance. They expect
pixels as (p - 127) / 128; the stem makes that of what every backbone is given here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Of each stage: blocks, kernel, step, expansion, channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _HEAD, _IMAGENET_CLASSES = 32, 1280, 1000
_EPSILON, _MOMENTUM = 1e-3, 0.01
# (p - 127) / 128 of a pixel p from 0 to 255, as a function of (p / 255 - mean) / std.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SCALE = tuple(255 * std / 128 for std in _STD)
_SHIFT = tuple((255 * mean - 127) / 128 for mean in _MEAN)


class _Rescaled(nn.Module):
    """Pixels as ImageNet networks of torchvision take them -> pixels as this one was trained on."""

    def forward(self, images: Tensor) -> Tensor:
        scale = torch.tensor(_SCALE, device=images.device).view(1, 3, 1, 1)
        return images * scale + torch.tensor(_SHIFT, device=images.device).view(1, 3, 1, 1)


class _Convolution(nn.Conv2d):
    """A convolution with TensorFlow's padding "same": where an odd number is missing, right and below get more."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, step: int = 1, groups: int = 1) -> None:
        super().__init__(channels_in, channels_out, kernel, step, groups=groups, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        down, across = (self._missing(size) for size in images.shape[-2:])
        padded = F.pad(images, (across // 2, across - across // 2, down // 2, down - down // 2))
        return super().forward(padded)

    def _missing(self, size: int) -> int:
        step, kernel = self.stride[0], self.kernel_size[0]
        return max((-(-size // step) - 1) * step + kernel - size, 0)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON, momentum=_MOMENTUM)


class Block(nn.Module):
    """Wider by 1 x 1, filtered channel by channel, narrower by 1 x 1; added to what came in where that fits."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, step: int, expansion: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        self._expands = expansion > 1
        if self._expands:
            self._expand_conv = _Convolution(channels_in, wide, 1)
            self._bn0 = _norm(wide)
        self._depthwise_conv = _Convolution(wide, wide, kernel, step, groups=wide)
        self._bn1 = _norm(wide)
        self._project_conv = _Convolution(wide, channels_out, 1)
        self._bn2 = _norm(channels_out)
        self._adds = step == 1 and channels_in == channels_out

    def forward(self, images: Tensor) -> Tensor:
        wide = F.relu6(self._bn0(self._expand_conv(images))) if self._expands else images
        filtered = F.relu6(self._bn1(self._depthwise_conv(wide)))
        narrow: Tensor = self._bn2(self._project_conv(filtered))
        return narrow + images if self._adds else narrow


class EfficientNetLite0(nn.Module):
    """Images as every backbone is given them -> ImageNet's 1000 logits."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _Convolution(3, _STEM, 3, 2)
        self._bn0 = _norm(_STEM)
        blocks: list[nn.Module] = []
        channels = _STEM
        for count, kernel, step, expansion, width in _STAGES:
            for number in range(count):
                blocks.append(Block(channels, width, kernel, step if number == 0 else 1, expansion))
                channels = width
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = _Convolution(channels, _HEAD, 1)
        self._bn1 = _norm(_HEAD)
        self._fc: nn.Module = nn.Linear(_HEAD, _IMAGENET_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        for _, stage in stages(self):
            images = stage(images)
        logits: Tensor = self._fc(images)
        return logits


def stages(net: EfficientNetLite0) -> list[tuple[str, nn.Module]]:
    """Stem, the first six stages (counted from 0, as they are published), the last one with the head, the pooling."""
    stem = nn.Sequential(_Rescaled(), net._conv_stem, net._bn0, nn.ReLU6())
    found: list[tuple[str, nn.Module]] = [("stem", stem)]
    start = 0
    for number, (count, *_) in enumerate(_STAGES[:-1]):
        found.append((f"stage{number}", nn.Sequential(*net._blocks[start : start + count])))
        start += count
    last = nn.Sequential(*net._blocks[start:], net._conv_head, net._bn1, nn.ReLU6())
    return [*found, ("last", last), ("pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))]
