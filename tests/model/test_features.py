"""The store of kept features: round trips, crash traces, a full disk, memory."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_core.caches import clear as clear_kept
from cxr_core.disk import size
from cxr_core.errors import CxrError
from cxr_core.model.features import FeatureStore, Space, kept_spaces
from cxr_core.settings import cache_dir

SHAPE = (3, 4)


def space(shape: tuple[int, ...] = SHAPE, dtype: str = "float16", weights: str = "some") -> Space:
    return Space("small-cnn", weights, 2, 64, shape, dtype)


def rows(*values: float) -> np.ndarray:
    """A row of equal numbers per value."""
    return np.stack([np.full(SHAPE, value, dtype=np.float16) for value in values])


def filled(*values: int) -> FeatureStore:
    store = FeatureStore(space())
    with store.lock:
        store.append([f"{value}:0" for value in values], rows(*values))
    return store


def first(store: FeatureStore, *values: int) -> list[float]:
    """First number of the kept rows with these names."""
    return store.read(store.rows([f"{value}:0" for value in values])).reshape(len(values), -1)[:, 0].tolist()


@pytest.mark.parametrize(("dtype", "shape"), [("float16", (7,)), ("float16", (2, 3, 4)), ("uint8", (8, 8))])
def test_rows_come_back_bit_for_bit_in_the_order_asked_for(dtype: str, shape: tuple[int, ...]) -> None:
    written = np.random.default_rng(0).integers(0, 255, (10, *shape)).astype(dtype)
    store = FeatureStore(space(shape, dtype))
    with store.lock:
        store.append([f"{i}:0" for i in range(4)], written[:4])
        store.append([f"{i}:0" for i in range(4, 10)], written[4:])
    order = [7, 0, 3, 3, 9]
    for reader in (store, FeatureStore(space(shape, dtype))):
        assert len(reader) == 10
        read = reader.read(reader.rows([f"{i}:0" for i in order]))
        assert read.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(read, written[order])
        assert reader.read(reader.rows([])).shape == (0, *shape)


def test_missing_names_each_once_in_order() -> None:
    store = filled(1, 2)
    assert store.missing(["9:0", "1:0", "8:0", "9:0", "2:1"]) == ["9:0", "8:0", "2:1"]
    with pytest.raises(KeyError):
        store.rows(["9:0"])


def test_another_process_s_rows_are_seen_after_refresh() -> None:
    reader, writer = FeatureStore(space()), filled(1, 2)
    assert len(writer) == 2
    assert len(reader) == 0
    reader.refresh()
    assert first(reader, 2, 1) == [2, 1]


def test_spaces_do_not_mix() -> None:
    filled(1)
    for other in (
        space(weights="other"),
        space(dtype="float32"),
        Space("resnet18", "some", 2, 64, SHAPE, "float16"),
        Space("small-cnn", "some", 3, 64, SHAPE, "float16"),
        Space("small-cnn", "some", 2, 65, SHAPE, "float16"),
        Space("small-cnn", "some", 2, 64, SHAPE, "float16", pixels=2),
    ):
        assert len(FeatureStore(other)) == 0
    assert len(FeatureStore(space())) == 1


def test_rows_of_another_shape_are_a_bug() -> None:
    store = FeatureStore(space())
    for wrong in (rows(1, 2), rows(1).astype(np.float32), rows(1)[:, :2]):
        with pytest.raises(ValueError, match="expected rows"):
            store.append(["1:0"], wrong)


CRASHES = {
    "half a row": ("rows.bin", b"\x01" * 11),
    "a row without its name": ("rows.bin", b"\x01" * 24),
    "half a line": ("index.txt", b"3"),
    "a name without its row": ("index.txt", b"3:0\n"),
    "names without rows": ("index.txt", b"3:0\n4:0\n5"),
    "bytes that are no text": ("index.txt", b"\xff\xfe\n\x00"),
}


@pytest.mark.parametrize("trace", CRASHES)
def test_what_a_crash_leaves_behind_is_cut_off(trace: str) -> None:
    file, content = CRASHES[trace]
    folder = filled(1, 2).folder
    with (folder / file).open("ab") as handle:
        handle.write(content)
    store = FeatureStore(space())
    assert len(store) == 2
    assert store.missing(["1:0", "2:0", "3:0"]) == ["3:0"]
    with store.lock:
        store.append(["3:0", "4:0"], rows(3, 4))
    for reader in (store, FeatureStore(space())):
        assert len(reader) == 4
        assert first(reader, 4, 1, 3, 2) == [4, 1, 3, 2]
    assert (folder / "rows.bin").stat().st_size == 4 * store.row_bytes
    assert (folder / "index.txt").read_text() == "1:0\n2:0\n3:0\n4:0\n"


def test_data_cut_short_is_computed_again() -> None:
    folder = filled(1, 2, 3).folder
    os.truncate(folder / "rows.bin", 2 * 24 + 5)
    store = FeatureStore(space())
    assert store.missing(["1:0", "2:0", "3:0"]) == ["3:0"]
    with store.lock:
        store.append(["3:0"], rows(30))
    assert first(FeatureStore(space()), 1, 2, 3) == [1, 2, 30]


def test_data_cut_short_while_in_use_is_an_error() -> None:
    store = filled(1, 2)
    os.truncate(store.folder / "rows.bin", 30)
    with pytest.raises(CxrError, match="were cut short while in use"):
        first(store, 2)


def test_reading_after_the_cache_was_cleared() -> None:
    store = filled(1, 2)
    assert clear_kept() > 0
    with pytest.raises(CxrError, match=r"cleared while in use\. Start again"):
        first(store, 1)


def test_a_cleared_cache_fills_again_under_an_open_store() -> None:
    store = filled(1, 2)
    assert first(store, 1) == [1]
    clear_kept()
    store.refresh()
    assert len(store) == 0
    with store.lock:
        store.folder.mkdir(parents=True, exist_ok=True)
        store.append(["5:0"], rows(5))
    assert first(store, 5) == [5]


def test_a_cache_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("CXR_CACHE", str(tmp_path / "file"))
    with pytest.raises(CxrError, match=r"cannot be made .* Set CXR_CACHE"):
        FeatureStore(space())


def test_what_the_cache_holds_and_clearing_it() -> None:
    assert kept_spaces() == []
    assert clear_kept() == 0
    filled(1, 2, 3)
    FeatureStore(space((1,)))
    largest, smallest = kept_spaces()
    assert (largest.name, largest.rows) == (space().key, 3)
    assert largest.bytes >= 3 * 24
    assert smallest.rows == 0
    (cache_dir() / "scans").mkdir()
    (cache_dir() / "speeds.json").write_text("{}")
    assert clear_kept() >= largest.bytes
    assert kept_spaces() == []
    assert [entry.name for entry in cache_dir().iterdir()] == ["speeds.json"]  # measured once, and no copy of any image


FULL_DISK = """
import resource, sys
import numpy as np
from cxr_core.errors import CxrError
from cxr_core.model.features import FeatureStore, Space

width, limit = int(sys.argv[1]), int(sys.argv[2])
store = FeatureStore(Space("small-cnn", "some", 2, 64, (width,), "uint8"))
block = lambda start: (
    [f"{i:032d}:0" for i in range(start, start + 10)],
    np.arange(start, start + 10, dtype=np.uint8)[:, None].repeat(width, 1),
)
with store.lock:
    store.append(*block(0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        store.append(*block(10))
    except CxrError as error:
        print(error)
    else:
        sys.exit("the disk was not full")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for reader in (store, FeatureStore(store.space)):
    names, rows = block(0)
    assert reader.missing(names) == []
    assert (reader.read(reader.rows(names)) == rows).all()
fresh = FeatureStore(store.space)
with fresh.lock:
    missing = fresh.missing(block(10)[0])
    wanted = [name in missing for name in block(10)[0]]
    fresh.append(missing, block(10)[1][wanted])
for reader in (fresh, FeatureStore(store.space)):
    names, rows = block(0)[0] + block(10)[0], np.concatenate([block(0)[1], block(10)[1]])
    assert len(reader) == 20
    assert (reader.read(reader.rows(names)) == rows).all()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="file size limits are a thing of POSIX")
@pytest.mark.parametrize(
    ("width", "limit"), [(1000, 12_345), (1, 400)], ids=["the rows do not fit", "the names do not fit"]
)
def test_a_full_disk_is_an_error_and_what_is_kept_stays(width: int, limit: int) -> None:
    """The kernel refuses to write beyond ``limit`` bytes of a file, in the middle of a row or of a line."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(width), str(limit)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be written" in done.stdout
    assert f"({size(10 * width)} needed, " in done.stdout
    assert "Free some space" in done.stdout


MEMORY = """
import numpy as np, psutil
from cxr_core.model.features import FeatureStore, Space

WIDTH, ROWS, BATCH = 2048, 20_000, 64
store = FeatureStore(Space("small-cnn", "some", 2, 64, (WIDTH,), "float16"))
with store.lock:
    for start in range(0, ROWS, 2_000):
        store.append([f"{i:032x}:0" for i in range(start, start + 2_000)], np.full((2_000, WIDTH), 1, np.float16))
numbers = np.random.default_rng(0).permutation(ROWS)
process, total = psutil.Process(), 0.0
store.read(numbers[:BATCH])
before = process.memory_info().rss
for start in range(0, ROWS, BATCH):
    total += float(store.read(numbers[start : start + BATCH])[:, 0].sum())
assert total == ROWS
print(process.memory_info().rss - before)
"""


def test_memory_does_not_grow_with_the_number_of_rows() -> None:
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 12e6  # 82 MB were read


def test_rows_of_before_keep_their_folder() -> None:
    """A whole image's last features lie where they lay before there were masks, and features of stages."""
    assert replace(space(), pixels=1).key == "small-cnn-4f04cb5ae22a7301"
    assert replace(space(), mask="border-erased").key != space().key
    assert replace(space(), features="block1,block2").key != space().key
