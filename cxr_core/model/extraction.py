"""Extraction: files -> images -> rows of the feature store, decoding beside computing.

``keep(...)`` computes what is missing and nothing else, in chunks that survive an interruption.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cxr_core.errors import ImageError, WeightsError
from cxr_core.images import Mask, content_digest, pixels, read_bytes
from cxr_core.model.features import FeatureStore
from cxr_core.model.network import frozen_features

BATCH = 16
CHUNK = 64
DECODERS = 2
AHEAD = 4 * BATCH


@dataclass(frozen=True)
class Item:
    """An image to keep: its file, the digest of its content, and which augmented view of it (0: plain)."""

    path: Path
    digest: str
    view: int = 0

    @property
    def name(self) -> str:
        """Its name in a feature store."""
        return f"{self.digest}:{self.view}"


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be decoded."""

    path: Path
    reason: str


class Interrupted(Exception):
    """The person asked to stop while features were computed; those that are kept stay."""


def keep(
    store: FeatureStore,
    items: Sequence[Item],
    load_prefix: Callable[[], nn.Sequential],
    device: torch.device,
    progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Unreadable]:
    """Compute and keep the rows of ``items`` that the store lacks; the files that cannot be decoded are returned, each
    once, and with them every copy of their content.

    ``load_prefix`` is only called where something is missing. ``progress(done, total)`` counts missing rows.
    Raises Interrupted when ``should_stop()`` turns true, CxrError when the disk is full.
    """
    by_name = {item.name: item for item in items}
    if not store.missing(list(by_name)):
        return []
    with store.lock:
        store.refresh()
        missing = [by_name[name] for name in store.missing(list(by_name))]
        if not missing:
            return []
        prefix = load_prefix().to(device)
        unreadable: dict[str, str] = {}
        names: list[str] = []
        rows: list[NDArray[np.generic]] = []
        done = 0
        for batch, images in _decoded(missing, store.space.image_size, store.space.mask, unreadable):
            features = frozen_features(prefix, images, device)
            _check_alive(features, store)
            names += [item.name for item in batch]
            rows.append(features)
            done += len(batch)
            progress(done + len(unreadable), len(missing))
            stopping = should_stop()
            if len(names) >= CHUNK or stopping:
                store.append(names, np.concatenate(rows))
                names, rows = [], []
            if stopping:
                raise Interrupted
        if names:
            store.append(names, np.concatenate(rows))
        progress(len(missing), len(missing))
        reasons = {by_name[name].digest: reason for name, reason in unreadable.items()}
        paths = {item.path: reasons[item.digest] for item in items if item.digest in reasons}
        return [Unreadable(path, reason) for path, reason in paths.items()]


def _check_alive(features: NDArray[np.generic], store: FeatureStore) -> None:
    if features.dtype != np.float16:
        return
    largest = np.abs(features).max()
    if not largest > 1e-4:
        what = "numbers that are not finite" if np.isnan(largest) else "nothing but zeros"
        raise WeightsError(
            f"The frozen part of {store.space.backbone} gives {what} with these weights "
            f"({store.space.weights}), so there is nothing to train on. Use trainable = all, or pretrained weights."
        )


def _decoded(
    items: Sequence[Item], size: int, mask: Mask, unreadable: dict[str, str]
) -> Iterator[tuple[list[Item], NDArray[np.uint8]]]:
    """Batches of decoded images (N, size, size); a few batches ahead of the consumer, so that memory is bounded."""
    with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as pool:
        waiting: deque[tuple[Item, Future[NDArray[np.uint8]]]] = deque()
        todo = iter(items)
        batch: list[Item] = []
        images: list[NDArray[np.uint8]] = []
        while True:
            while len(waiting) < AHEAD and (item := next(todo, None)) is not None:
                waiting.append((item, pool.submit(_decode, item, size, mask)))
            if not waiting:
                break
            item, future = waiting.popleft()
            try:
                images.append(future.result())
                batch.append(item)
            except ImageError as error:
                unreadable[item.name] = str(error)
            if len(batch) == BATCH:
                yield batch, np.stack(images)
                batch, images = [], []
        if batch:
            yield batch, np.stack(images)


def _decode(item: Item, size: int, mask: Mask) -> NDArray[np.uint8]:
    content = read_bytes(item.path)
    if content_digest(content) != item.digest:
        raise ImageError(f"{item.path.name} has changed since the data set was scanned. Scan it again and train anew.")
    return pixels(content, item.path.name, size, item.view, mask)
