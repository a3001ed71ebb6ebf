"""A run's network: the frozen prefix and the trained suffix, cut where the configuration says.

    space = space_of(config)                   # what the prefix gives, without building it
    prefix = load_prefix(config, store)        # only where features are missing
    suffix = initial_suffix(config, classes)   # rest of the backbone, then the head
    logits = infer(suffix, batches, device)

The same functions serve training, evaluation and prediction, so that one image gives the same bits through each.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision.models.densenet import _DenseLayer
from torchvision.ops import SqueezeExcitation

from cxr_core.config import TrainConfig
from cxr_core.errors import ConfigError, WeightsError
from cxr_core.images import Mask
from cxr_core.images.masking import without_border
from cxr_core.model import lite0
from cxr_core.model.backbones import BACKBONES, Stages
from cxr_core.model.downloads import Progress
from cxr_core.model.features import FeatureStore, Space
from cxr_core.model.heads import OperatingPoints, build_head, holds_points
from cxr_core.model.pooling import PooledStages, Standard
from cxr_core.model.weights import load_backbone, weights_digest
from cxr_core.model.xray_networks import ByOne
from cxr_core.settings import replacing

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# Matrix products of different heights may round differently; at a fixed height an image gets the same bits in any
# company.
INFERENCE_BATCH = 16
# Images at once through the frozen part. DenseNet rounds otherwise in wide batches, and squeeze and excitation is a
# matrix product whose height is the batch: these take narrower ones, the latter of a fixed height.
PREFIX_BATCH = 16
NARROW_BATCH = 8
HALF_MAX = 65504.0


def pick_device(name: str) -> torch.device:
    """The device for ``auto``, ``cpu``, ``cuda`` or ``mps``. Raises ConfigError where it is not there."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, there in available.items() if there)
    if not available[name]:
        raise ConfigError(f"device: {name} is not available on this machine; choose auto or cpu.")
    return torch.device(name)


def to_input(pixels: Tensor) -> Tensor:
    """Decoded images (N, S, S) uint8 -> normalised float32 (N, 3, S, S), channels last, as ImageNet networks expect."""
    grey = pixels.float().div_(255)[:, None]
    mean = torch.tensor(IMAGENET_MEAN, device=pixels.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=pixels.device).view(1, 3, 1, 1)
    return ((grey - mean) / std).contiguous(memory_format=torch.channels_last)


def suffix_input(rows: NDArray[np.generic], device: torch.device) -> Tensor:
    """Kept rows -> what the suffix takes: float32 features, or normalised images where the rows are images."""
    tensor = torch.from_numpy(rows).to(device)
    if tensor.dtype == torch.uint8:
        return to_input(tensor)
    features = tensor.float()
    return features.contiguous(memory_format=torch.channels_last) if features.dim() == 4 else features


def _stages(config: TrainConfig, net: nn.Module) -> tuple[Stages, Stages]:
    entry = BACKBONES[config.backbone]
    stages = entry.stages(net)
    cut = entry.cut(config.trainable, stages, config.features)
    return stages[:cut], [] if config.features == "stages" else stages[cut:]


def _sequence(stages: Stages) -> nn.Sequential:
    return nn.Sequential(OrderedDict(stages))


def _prefix(config: TrainConfig, frozen: Stages) -> nn.Sequential:
    if config.features == "stages":
        return PooledStages(frozen, BACKBONES[config.backbone].middle)
    return _sequence(frozen)


def _outline(config: TrainConfig) -> tuple[nn.Sequential, nn.Sequential]:
    """Prefix and rest of the backbone without weights, in eval mode, on the meta device: shapes, no memory."""
    with torch.device("meta"):
        frozen, rest = _stages(config, BACKBONES[config.backbone].build())
    return _prefix(config, frozen).eval(), _sequence(rest).eval()


def space_of(config: TrainConfig, mask: Mask = "none") -> Space:
    """What is kept for this configuration, of images under ``mask`` and, where it says so, without their border.

    Needs no weights, only their name (WeightsError for a missing file).
    """
    mask = without_border(mask) if config.mask_border else mask
    prefix, _ = _outline(config)
    size = config.image_size
    if not len(prefix):  # nothing is frozen: the images themselves are kept, for every backbone alike
        return Space("images", "none", 0, size, (size, size), "uint8", mask=mask)
    try:
        row = prefix(torch.empty(1, 3, size, size, device="meta"))
    except RuntimeError as error:
        raise ConfigError(f"image_size: {size} px is too small for {config.backbone} ({error}).") from None
    weights = weights_digest(config.backbone, config.weights, config.seed)
    pooled = ",".join(BACKBONES[config.backbone].middle) if config.features == "stages" else "last"
    return Space(
        config.backbone, weights, len(prefix), size, tuple(row.shape[1:]), "float16", mask=mask, features=pooled
    )


def load_prefix(config: TrainConfig, store: FeatureStore, progress: Progress | None = None) -> nn.Sequential:
    """The frozen prefix, float32, eval mode, channels last; its weights are left in the store for later runs."""
    file = store.prefix_file
    if not store.space.cut:
        return nn.Sequential()
    if not file.exists():
        frozen, _ = _stages(config, load_backbone(config.backbone, config.weights, config.seed, progress))
        save_weights(_sequence(frozen), file)
    return read_prefix(config, file)


def read_prefix(config: TrainConfig, file: Path) -> nn.Sequential:
    """The prefix with the weights in ``file``."""
    prefix, _ = _outline(config)
    if len(prefix):
        read_weights(prefix, file)
    return prefix.requires_grad_(False).to(memory_format=torch.channels_last)


def initial_suffix(config: TrainConfig, classes: int, progress: Progress | None = None) -> nn.Sequential:
    """The part to be trained, as it starts: pretrained stages behind the cut, then a new head drawn from the seed."""
    outline, rest = _outline(config)
    body: Stages = []
    if len(rest):
        _, body = _stages(config, load_backbone(config.backbone, config.weights, config.seed, progress))
    torch.manual_seed(config.seed)
    suffix = _sequence([*body, *_top(config, _width(config, outline, rest), classes)])
    return suffix.requires_grad_(True).to(memory_format=torch.channels_last)


def read_suffix(config: TrainConfig, classes: int, file: Path) -> nn.Sequential:
    """The trained part with the weights in ``file``, in eval mode."""
    outline, rest = _outline(config)
    with torch.device("meta"):
        top = _top(config, _width(config, outline, rest), classes)
        if holds_points(file):
            top = [*top, ("points", OperatingPoints(classes))]
    suffix = _sequence([*rest.named_children(), *top])
    read_weights(suffix, file)
    return suffix.to(memory_format=torch.channels_last).eval()


def _top(config: TrainConfig, width: int, classes: int) -> Stages:
    """What stands on ``width`` features: their standardisation where they are pooled from stages, and a new head."""
    head: Stages = [("head", build_head(width, config.hidden, config.dropout, classes))]
    return [("standard", Standard(width)), *head] if config.features == "stages" else head


def _width(config: TrainConfig, prefix: nn.Sequential, rest: nn.Sequential) -> int:
    images = torch.empty(1, 3, config.image_size, config.image_size, device="meta")
    return int(rest(prefix(images)).shape[1])


def save_weights(module: nn.Module, file: Path) -> None:
    """Write a module's weights as safetensors, atomically."""
    state = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    with replacing(file, needed=sum(value.numel() * value.element_size() for value in state.values())) as temporary:
        save_file(state, temporary)


def read_weights(module: nn.Module, file: Path) -> None:
    """Fill ``module`` (which may be on the meta device) from ``file``. Raises WeightsError."""
    try:
        module.load_state_dict(load_file(file), assign=True)
    except FileNotFoundError:
        raise WeightsError(f"There is no weights file {file}. Train the run again.") from None
    except Exception as error:
        if not isinstance(error, RuntimeError) and type(error).__name__ != "SafetensorError":
            raise
        raise WeightsError(f"{file} does not hold this run's weights ({str(error).splitlines()[0]}).") from None


def frozen_features(prefix: nn.Sequential, pixels: NDArray[np.uint8], device: torch.device) -> NDArray[np.generic]:
    """Rows to keep for decoded images (N, S, S): float16 features, or the images themselves without a prefix."""
    if not len(prefix):
        return pixels
    layers = list(prefix.modules())
    fixed = any(isinstance(layer, SqueezeExcitation) for layer in layers)
    dense = any(isinstance(layer, _DenseLayer) for layer in layers)
    # Its products round otherwise with every height, and wider batches are no faster: each image by itself.
    alone = any(isinstance(layer, lite0.Block | ByOne) for layer in layers)
    batch = 1 if alone else NARROW_BATCH if fixed or dense else PREFIX_BATCH
    # A batch of one takes other kernels than a larger one, with other rounding: it is always or never computed alone.
    height = batch if fixed or alone else 2
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pixels), batch):
            part = pixels[start : start + batch]
            features = prefix(to_input(torch.from_numpy(_padded(part, height)).to(device)))[: len(part)]
            parts.append(features.clamp_(-HALF_MAX, HALF_MAX).half().cpu().numpy())
    return np.concatenate(parts)


def _padded(rows: NDArray[Any], height: int) -> NDArray[Any]:
    """``rows``, the last one repeated where there are fewer than ``height``."""
    short = height - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)]) if short > 0 else rows


def logits_of(suffix: nn.Sequential, rows: NDArray[np.generic], device: torch.device) -> Tensor:
    """Logits (N, K) on the CPU for kept rows (N, ...), in eval mode, N at most INFERENCE_BATCH."""
    with torch.inference_mode():
        logits: Tensor = suffix(suffix_input(_padded(rows, INFERENCE_BATCH), device))
        return logits[: len(rows)].float().cpu()


def in_batches(numbers: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """``numbers`` in consecutive parts of ``size``, the last one perhaps shorter."""
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def infer(
    suffix: nn.Sequential,
    batches: Iterable[NDArray[np.generic]],
    device: torch.device,
    done: Callable[[int], None] = lambda count: None,
) -> Tensor:
    """Logits (N, K) for batches of kept rows, one at least; ``done`` is told how many images are through."""
    parts, count = [], 0
    for rows in batches:
        parts.append(logits_of(suffix, rows, device))
        count += len(rows)
        done(count)
    return torch.cat(parts)
