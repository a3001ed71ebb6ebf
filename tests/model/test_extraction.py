"""Extraction: what is missing is computed, once, whoever asks; what cannot be read is named."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cxr_core.caches import clear as clear_kept
from cxr_core.config import TrainConfig
from cxr_core.errors import WeightsError
from cxr_core.images.reading import content_digest, pixels
from cxr_core.model.extraction import BATCH, CHUNK, Interrupted, Item, keep
from cxr_core.model.features import FeatureStore
from cxr_core.model.network import frozen_features, load_prefix, space_of

CPU = torch.device("cpu")
CONFIG = TrainConfig.create(backbone="small-cnn", trainable="head", image_size=64)
PLAIN = TrainConfig.create(backbone="small-cnn", trainable="all", image_size=64)


def draw(folder: Path, count: int, start: int = 0) -> list[Item]:
    """Images of noise, each another."""
    folder.mkdir(exist_ok=True)
    items = []
    for number in range(start, start + count):
        noise = np.random.default_rng(number).integers(0, 256, (70, 80), dtype=np.uint8)
        path = folder / f"{number:04d}.png"
        Image.fromarray(noise).save(path, compress_level=1)
        items.append(Item(path, content_digest(path.read_bytes())))
    return items


class Extraction:
    """Runs ``keep`` and counts what it does."""

    def __init__(self, config: TrainConfig = CONFIG) -> None:
        self.config = config
        self.store = FeatureStore(space_of(config))
        self.loads = 0
        self.told: list[tuple[int, int]] = []

    def prefix(self) -> nn.Sequential:
        self.loads += 1
        return load_prefix(self.config, self.store)

    def run(self, items: list[Item], **more: Any) -> int:
        """Number of rows that were computed."""
        before = len(self.store)
        self.told = []
        self.unreadable = keep(self.store, items, self.prefix, CPU, lambda *told: self.told.append(told), **more)
        return len(self.store) - before

    def row(self, item: Item) -> np.ndarray:
        return self.store.read(self.store.rows([item.name]))[0]


@pytest.fixture
def extraction() -> Extraction:
    return Extraction()


def test_rows_are_the_features_of_their_images(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 5)
    assert extraction.run(items) == 5
    for item in items:
        image = pixels(item.path.read_bytes(), item.path.name, 64)
        expected = frozen_features(load_prefix(CONFIG, extraction.store), image[None], CPU)[0]
        np.testing.assert_array_equal(extraction.row(item), expected)


def test_where_nothing_is_frozen_the_images_are_kept(tmp_path: Path) -> None:
    extraction = Extraction(PLAIN)
    items = [Item(item.path, item.digest, view) for item in draw(tmp_path / "images", 3) for view in (0, 1)]
    assert extraction.run(items) == 6
    for item in items:
        np.testing.assert_array_equal(extraction.row(item), pixels(item.path.read_bytes(), "", 64, item.view))


def test_ten_new_images_cost_ten_computations(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 40)
    assert extraction.run(items) == 40
    assert extraction.run(items) == 0
    assert extraction.loads == 1  # nothing missing: the network is not even built
    new = draw(tmp_path / "images", 10, start=40)
    assert extraction.run(items + new) == 10
    assert extraction.told[-1] == (10, 10)


def test_a_renamed_file_costs_nothing(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 3)
    extraction.run(items)
    moved = items[0].path.rename(tmp_path / "elsewhere.jpg")
    assert extraction.run([Item(moved, items[0].digest), *items[1:]]) == 0
    assert extraction.loads == 1


def test_equal_files_are_computed_once(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 2)
    copy = tmp_path / "copy.png"
    copy.write_bytes(items[0].path.read_bytes())
    assert extraction.run([*items, Item(copy, items[0].digest)]) == 2


def test_other_weights_are_another_space(tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 2)
    assert Extraction().run(items) == 2
    assert Extraction(TrainConfig.create(**{**CONFIG.model_dump(), "seed": 1})).run(items) == 2
    assert Extraction(TrainConfig.create(**{**CONFIG.model_dump(), "lr": 0.5, "epochs": 1})).run(items) == 0


def test_unreadable_and_changed_files_are_named(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 6)
    items[1].path.write_bytes(b"no image")
    broken = Item(items[1].path, content_digest(b"no image"))
    items[3].path.write_bytes(items[0].path.read_bytes())  # another image under a known name
    items[4].path.unlink()
    assert extraction.run([items[0], broken, *items[2:]]) == 3
    reasons = {entry.path: entry.reason for entry in extraction.unreadable}
    assert set(reasons) == {items[1].path, items[3].path, items[4].path}
    assert "cannot be read as an image" in reasons[items[1].path]
    assert "0003.png has changed since the data set was scanned" in reasons[items[3].path]
    assert "0004.png" in reasons[items[4].path]
    assert extraction.told[-1] == (6, 6)
    assert extraction.store.missing([item.name for item in items]) == [items[i].name for i in (1, 3, 4)]


@pytest.mark.parametrize("count", [1, BATCH, 2 * BATCH + 1])
def test_nothing_readable_at_all(extraction: Extraction, tmp_path: Path, count: int) -> None:
    items = draw(tmp_path / "images", count)
    for item in items:
        item.path.unlink()
    assert extraction.run(items) == 0
    assert [entry.path for entry in extraction.unreadable] == [item.path for item in items]
    assert extraction.told[-1] == (count, count)


def test_every_copy_of_a_broken_image_is_named(extraction: Extraction, tmp_path: Path) -> None:
    """A sample must not stay in a split without a row."""
    item = draw(tmp_path / "images", 1)[0]
    item.path.write_bytes(b"broken")
    copies = [Item(path, content_digest(b"broken"), view) for path in (item.path, tmp_path / "b") for view in (0, 1)]
    copies[2].path.write_bytes(b"broken")
    assert extraction.run(copies) == 0
    assert {entry.path for entry in extraction.unreadable} == {item.path, tmp_path / "b"}


def test_progress_is_monotonic_and_complete(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 3 * BATCH + 5)
    for item in items[20:60:2]:
        item.path.write_bytes(b"broken")
    extraction.run(items)
    done = [entry[0] for entry in extraction.told]
    assert done == sorted(done)
    assert all(0 < told <= total == len(items) for told, total in extraction.told)
    assert done[-1] == len(items)


def test_an_interruption_keeps_what_was_done(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", CHUNK + 2 * BATCH)
    with pytest.raises(Interrupted):
        extraction.run(items, should_stop=lambda: len(extraction.told) == 2)
    assert len(extraction.store) == 2 * BATCH
    assert len(FeatureStore(extraction.store.space)) == 2 * BATCH
    assert not extraction.store.lock.is_locked
    assert extraction.run(items) == CHUNK
    assert extraction.told[-1] == (CHUNK, CHUNK)


def test_a_crash_keeps_the_chunks_before_it(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", CHUNK + 2 * BATCH)

    def crash() -> bool:
        if len(extraction.told) > CHUNK // BATCH:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        extraction.run(items, should_stop=crash)
    assert len(FeatureStore(extraction.store.space)) == CHUNK


def test_a_cleared_cache_is_filled_again(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 3)
    extraction.run(items)
    clear_kept()
    again = Extraction()
    assert again.run(items) == 3


def test_features_that_vanish_are_an_error(extraction: Extraction, tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 3)
    spoil: dict[str, Callable[[torch.Tensor], object]] = {
        "nothing but zeros": torch.Tensor.zero_,
        "numbers that are not finite": lambda weight: weight.fill_(torch.nan),
    }
    for what, change in spoil.items():

        def spoiled(change: Callable[[torch.Tensor], object] = change) -> nn.Sequential:
            prefix = load_prefix(CONFIG, extraction.store)
            with torch.no_grad():
                for weight in prefix.parameters():
                    change(weight)
            return prefix

        with pytest.raises(WeightsError, match=f"small-cnn gives {what} .*Use trainable = all, or pretrained weights"):
            keep(extraction.store, items, spoiled, CPU)
    assert len(extraction.store) == 0


def _extract_at_once(items: list[Item], gate: Any, answers: Any) -> None:
    extraction = Extraction()
    gate.wait()
    extraction.run(items)
    rows = [extraction.row(item).tobytes() for item in items]
    answers.put((extraction.loads, len(extraction.told), rows))


def test_two_processes_at_once_compute_once(tmp_path: Path) -> None:
    items = draw(tmp_path / "images", 2 * CHUNK + 7)
    spawn = multiprocessing.get_context("spawn")
    gate, answers = spawn.Barrier(2), spawn.Queue()
    processes = [spawn.Process(target=_extract_at_once, args=(items, gate, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    results = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert sorted(loads for loads, _, _ in results) == [0, 1]
    assert results[0][2] == results[1][2]
    store = FeatureStore(space_of(CONFIG))
    names = (store.folder / "index.txt").read_text().split()
    assert sorted(names) == sorted(item.name for item in items)
    assert os.path.getsize(store.folder / "rows.bin") == len(items) * store.row_bytes
    prefix = load_prefix(CONFIG, store)
    for item, row in list(zip(items, results[0][2], strict=True))[::29]:
        image = pixels(item.path.read_bytes(), item.path.name, 64)
        assert frozen_features(prefix, image[None], CPU)[0].tobytes() == row
