"""Extraction, decoding and keeping included, against the bare network's channels-last inference rate."""

import shutil
import statistics
import time
from pathlib import Path

import torch

from cxr_core.config import TrainConfig
from cxr_core.data import scan
from cxr_core.model import FeatureStore, Item, keep, space_of
from cxr_core.model.extraction import BATCH
from cxr_core.model.network import load_prefix


def measure(data: Path, rounds: int, images: int, scratch: Path) -> str:
    """A line with both rates and their ratio, medians of ``rounds`` alternating rounds over ``images`` files."""
    config = TrainConfig.create(weights="none")
    dataset = scan(data)
    chosen = dataset.samples.drop_duplicates("digest").head(images // BATCH * BATCH)
    items = [Item(dataset.path(file), digest) for file, digest in zip(chosen["file"], chosen["digest"], strict=True)]
    prefix = load_prefix(config, FeatureStore(space_of(config), scratch / "weights"))
    batch = torch.randn(BATCH, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    device = torch.device("cpu")
    bare, ours = [], []
    for _ in range(rounds):
        with torch.inference_mode():
            prefix(batch)
            started = time.perf_counter()
            for _ in range(len(items) // BATCH):
                prefix(batch)
            bare.append(len(items) / (time.perf_counter() - started))
        store = FeatureStore(space_of(config), scratch / "round")
        started = time.perf_counter()
        keep(store, items, lambda: prefix, device)
        ours.append(len(items) / (time.perf_counter() - started))
        shutil.rmtree(scratch / "round")
    share = statistics.median(mine / net for mine, net in zip(ours, bare, strict=True))
    return (
        f"Extraction, VGG16: {statistics.median(ours):.1f} images per second, "
        f"{share:.0%} of the bare network's {statistics.median(bare):.1f} "
        f"({rounds} rounds of {len(items)} images)."
    )
