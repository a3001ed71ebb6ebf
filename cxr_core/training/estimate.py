"""How long a training will take, before it starts.

From what this machine reached in earlier runs, where there were any like it; from the arithmetic of the network
otherwise. It is an estimate and says on what it rests.
"""

import os
from dataclasses import dataclass

from cxr_core.training import speeds
from cxr_core.training.config import TrainConfig

# Multiplications of one forward pass at 224 px, in 1e9 (torchvision's model pages; small-cnn counted), and the share
# of them in the last block.
GIGA_MACS = {
    "vgg16": (15.3, 0.09),
    "resnet18": (1.81, 0.23),
    "densenet121": (2.83, 0.12),
    "efficientnet_b0": (0.39, 0.15),
    "mobilenet_v3_small": (0.06, 0.25),
    "convnext_tiny": (4.46, 0.18),
    "small-cnn": (0.12, 0.2),
}
# What a laptop core does in such a pass, in 1e9 multiplications a second: a rough figure until a run was measured.
GIGA_MACS_PER_CORE = 20.0
FIXED_SECONDS = 8.0


@dataclass(frozen=True)
class Estimate:
    """``seconds`` for the whole training, and on what the figure rests."""

    seconds: float
    basis: str


def estimate(config: TrainConfig, train_images: int, other_images: int) -> Estimate:
    """Time for extraction (nothing kept yet) and all epochs.

    ``train_images``: those trained on; ``other_images``: validation and test.
    """
    extracted = train_images * config.views + other_images
    seen = train_images * config.epochs
    extraction, training = speeds.known(config, "extraction"), speeds.known(config, "training")
    measured = extraction is not None and training is not None
    seconds = FIXED_SECONDS + extracted / (extraction or _extraction(config)) + seen / (training or _training(config))
    basis = "measured in earlier runs on this machine" if measured else "a rough guess: no run like this one here yet"
    return Estimate(seconds, f"{basis}; nothing kept yet counted")


def _scale(config: TrainConfig) -> float:
    return (config.image_size / 224) ** 2


def _extraction(config: TrainConfig) -> float:
    """Images per second through the frozen prefix, decoding included."""
    total, last = GIGA_MACS[config.backbone]
    frozen = {"head": total, "last-block": total * (1 - last), "all": 0.0}[config.trainable]
    return 1 / (frozen * _scale(config) / _machine() + 0.002)


def _training(config: TrainConfig) -> float:
    """Images per second in a training step: three passes through what is trained, and the weights' update."""
    total, last = GIGA_MACS[config.backbone]
    trained = {"head": 0.0, "last-block": total * last, "all": total}[config.trainable] * _scale(config)
    width = 25_088 if config.backbone == "vgg16" else 1_024
    weights = width * (config.hidden[0] if config.hidden else 3) / 1e9
    return 1 / (3 * trained / _machine() + weights * 8 / config.batch_size + 0.0005)


def _machine() -> float:
    return GIGA_MACS_PER_CORE * max(1, (os.cpu_count() or 2))
