"""How long a training will take, before it starts.

From what this machine reached in earlier runs, where there were any like it; from the arithmetic of the network
otherwise. It is an estimate and says on what it rests.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cxr_core.config import TrainConfig
from cxr_core.errors import RunError
from cxr_core.figures import of
from cxr_core.model import Space
from cxr_core.model.features import kept_names
from cxr_core.runs import speeds
from cxr_core.runs.run import Run

# Multiplications of one forward pass at 224 px, in 1e9 (torchvision's model pages; small-cnn counted), and the share
# of them in the last block.
GIGA_MACS = {
    "vgg16": (15.3, 0.09),
    "resnet18": (1.81, 0.23),
    "densenet121": (2.83, 0.12),
    "efficientnet_b0": (0.39, 0.15),
    "efficientnet_lite0": (0.39, 0.13),
    "mobilenet_v3_small": (0.06, 0.25),
    "convnext_tiny": (4.46, 0.18),
    "xrv_densenet121": (2.83, 0.12),
    "rad_dino": (22.0, 0.17),
    "rad_dino_patches": (22.0, 0.17),
    "small-cnn": (0.12, 0.2),
}
# What a laptop core does in such a pass, in 1e9 multiplications a second: a rough figure until a run was measured.
GIGA_MACS_PER_CORE = 20.0
FIXED_SECONDS = 8.0
# Hyperparameters on which the kept features depend.
_FROZEN = ("backbone", "weights", "trainable", "features", "image_size", "mask_border")


@dataclass(frozen=True)
class Estimate:
    """``seconds`` for the whole training, and on what the figure rests."""

    seconds: float
    basis: str


def estimate(config: TrainConfig, train_images: int, other_images: int, kept: int = 0) -> Estimate:
    """Time for extraction and all epochs.

    ``train_images``: those trained on; ``other_images``: validation and test; ``kept``: features of theirs that are
    there already (:func:`kept_features`).
    """
    wanted = train_images * config.views + other_images
    kept = min(kept, wanted)
    seen = train_images * config.epochs
    extraction, training = speeds.known(config, "extraction"), speeds.known(config, "training")
    measured = training is not None and (extraction is not None or kept == wanted)
    extracting = (wanted - kept) / (extraction or _extraction(config))
    seconds = FIXED_SECONDS + extracting + seen / (training or _training(config))
    basis = "measured in earlier runs on this machine" if measured else "a rough guess: no run like this one here yet"
    told = f"{of(kept, wanted)} features are kept already" if kept else "no features are kept yet"
    return Estimate(seconds, f"{basis}; {told}")


def kept_features(config: TrainConfig, digests: Sequence[str], runs: Sequence[Run]) -> int:
    """How many features of these images, each in all views, an earlier run of the same frozen part has kept.

    Only a run knows how large such a row is without building the network; without one, 0.
    """
    for run in runs:
        try:
            like, space = run.config, Space(**run.found.space or {})
        except (RunError, TypeError):
            # Damaged, or not yet so far that it knows.
            continue
        if all(getattr(like, name) == getattr(config, name) for name in _FROZEN):
            names = {f"{digest}:{view}" for digest in digests for view in range(config.views)}
            return len(names & kept_names(space))
    return 0


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
    width = 25_088 if config.backbone == "vgg16" and config.features == "last" else 1_024
    weights = width * (config.hidden[0] if config.hidden else 3) / 1e9
    # Steps move all weights of the head through memory; those of SGD go through four products (training.wide).
    head = 4 * weights / _machine() if config.optimizer == "sgd" else 3 * weights / config.batch_size
    return 1 / (3 * trained / _machine() + head + 0.0005)


def _machine() -> float:
    return GIGA_MACS_PER_CORE * max(1, (os.cpu_count() or 2))
