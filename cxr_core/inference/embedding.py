"""Embeddings: an image as one direction in the feature space of a run's backbone. Similar images point alike.

    keep_embedding(trained, samples)              # once, at the end of a training: embedding.safetensors in the run
    embed_pixels(trained, pixels)                 # new images (N, S, S) -> float16 (N, D), unit length
    Neighbours.load(run).nearest(vector)          # see cxr_core.inference.neighbours, which needs no torch

The features are those behind the stage "pool". Where training froze everything up to there they are the kept
features themselves; otherwise the kept rows go through the suffix's stages up to and including "pool". Features that
are pooled from stages count as they are standardised. A backbone whose "pool" gives a flattened map (VGG16: 512 x 7 x
7) is averaged over the places of the map.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxr_core.inference import neighbours
from cxr_core.inference.trained import Trained
from cxr_core.model import INFERENCE_BATCH, in_batches
from cxr_core.model.backbones import BACKBONES
from cxr_core.model.network import suffix_input


def embed(trained: Trained, batches: Iterable[NDArray[np.generic]]) -> NDArray[np.float16]:
    """Embeddings (N, D) of kept rows, in batches of at most INFERENCE_BATCH: float16, unit length.

    A row whose features are all zero stays zero: it is as far from everything as what has nothing in common with it.
    """
    config = trained.run.config
    pooled = config.features == "stages"
    channels = trained.space.shape[0] if pooled else _channels(config.backbone, config.image_size)
    stages = _to_pool(trained.suffix)
    parts = [np.empty((0, channels), np.float16)]
    for rows in batches:
        # One fixed height, as in cxr_core.model.network: an image gets the same vector in any company.
        short = INFERENCE_BATCH - len(rows)
        padded = np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)]) if short > 0 else rows
        with torch.inference_mode():
            features = suffix_input(padded, trained.device)
            for stage in stages:
                features = stage(features)
            parts.append(_directions(features[: len(rows)], channels))
    return np.concatenate(parts)


def embed_pixels(trained: Trained, pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Embeddings (N, D) of decoded images (N, S, S)."""
    numbers = np.arange(len(pixels), dtype=np.int64)
    return embed(trained, (trained.features(pixels[part]) for part in in_batches(numbers, INFERENCE_BATCH)))


def keep_embedding(trained: Trained, samples: pd.DataFrame) -> None:
    """Embed the training and validation images, whose plain rows are kept, and write them to the run's folder.

    ``samples``: the readable rows of the run's split.csv, in its order.
    """
    store = trained.store()
    parts = {name: samples[samples["split"] == name] for name in ("train", "val")}
    vectors = {}
    for name, part in parts.items():
        numbers = store.rows([f"{digest}:0" for digest in part["digest"]])
        vectors[name] = embed(trained, (store.read(batch) for batch in in_batches(numbers, INFERENCE_BATCH)))
    store.close()
    limit = neighbours.limit_of(
        vectors["train"], vectors["val"], parts["train"]["patient"].to_numpy(str), parts["val"]["patient"].to_numpy(str)
    )
    digests = {name: part["digest"].tolist() for name, part in parts.items()}
    neighbours.save(trained.run, vectors["train"], vectors["val"], digests["train"], digests["val"], limit)


def _to_pool(suffix: nn.Sequential) -> list[nn.Module]:
    """The suffix's stages up to and including "pool", or the standardisation of what the prefix pooled; none where the
    frozen prefix holds them all.
    """
    stages = dict(suffix.named_children())
    names = list(stages)
    last = next((name for name in ("pool", "standard") if name in stages), None)
    return [stages[name] for name in names[: names.index(last) + 1]] if last else []


def _directions(features: Tensor, channels: int) -> NDArray[np.float16]:
    """Pooled features (N, C) or flattened maps (N, C * places) -> unit vectors (N, C)."""
    wide = features.float().reshape(len(features), channels, -1).mean(dim=2)
    return torch.nn.functional.normalize(wide, dim=1).half().cpu().numpy()


@lru_cache
def _channels(backbone: str, size: int) -> int:
    """Channels of the stage before "pool": what a flattened map is averaged down to. Shapes only, no weights."""
    entry = BACKBONES[backbone]
    with torch.device("meta"):
        stages = dict(entry.stages(entry.build()))
        features = torch.empty(1, 3, size, size)
        for name in stages:
            if name == "pool":
                break
            features = stages[name].eval()(features)
    return int(features.shape[1])
