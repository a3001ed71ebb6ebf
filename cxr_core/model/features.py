"""Kept features: what the frozen prefix gives for an image is computed once and kept on disk.

A :class:`Space` names everything a feature depends on besides the image: preprocessing, backbone, its exact weights,
the cut. Each space is a folder with three files::

    rows.bin            the features, one row after the other, float16 (or uint8: the image, where nothing is frozen)
    index.txt           a line "DIGEST:VIEW" per row, appended after its row is on disk
    prefix.safetensors  the weights that computed them

A row belongs to the image's content, so ten new images cost ten computations, and a renamed file none. One process
writes at a time (a file lock); readers only see rows that the index names.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_core.disk import full, why_full
from cxr_core.errors import CxrError
from cxr_core.images import Mask
from cxr_core.images.version import PIXELS
from cxr_core.private import make_folder, open_private, private_lock
from cxr_core.settings import cache_dir


@dataclass(frozen=True)
class Space:
    """Everything a kept row depends on besides the image and its view. ``shape`` and ``dtype`` are those of a row;
    ``mask`` says which part of the decoded square was erased before: rows of whole and of masked images never mix.
    ``features``: "last", or the names of the stages that a row is pooled from.
    """

    backbone: str
    weights: str
    cut: int
    image_size: int
    shape: tuple[int, ...]
    dtype: str
    pixels: int = PIXELS
    mask: Mask = "none"
    features: str = "last"

    @property
    def key(self) -> str:
        """The folder's name."""
        named = asdict(self)
        # Rows of whole images keep the folder that they had before there were masks, and last features theirs.
        if self.mask == "none":
            del named["mask"]
        if self.features == "last":
            del named["features"]
        text = json.dumps(named, sort_keys=True)
        return f"{self.backbone}-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


class FeatureStore:
    """The rows of one space. ``store.rows(names)`` finds them, ``store.read(rows)`` loads them, ``append`` adds some.

    Rows are read with plain file reads, not a memory map, so that the process's memory stays the same however many
    images there are.
    """

    _file: FileIO | None = None

    def __init__(self, space: Space, root: Path | None = None) -> None:
        self.space = space
        self.folder = (root or cache_dir() / "features") / space.key
        try:
            make_folder(self.folder)
        except OSError as error:
            raise CxrError(
                f"The folder for kept features {self.folder} cannot be made ({error.strerror}). Set CXR_CACHE to a "
                "folder that can be written to."
            ) from None
        self.row_bytes = int(np.prod(space.shape)) * np.dtype(space.dtype).itemsize
        self.lock = private_lock(self.folder / ".lock")
        self._data = self.folder / "rows.bin"
        self._index = self.folder / "index.txt"
        # Weights of the frozen part that these features come from.
        self.prefix_file = self.folder / "prefix.safetensors"
        self._names: list[str] = []
        self._known: dict[str, int] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the index again: another process may have appended rows."""
        self.close()  # the cache may have been cleared and filled again: another file under the same name
        # Latin-1 reads any byte: a damaged name is one that nobody asks for.
        lines = self._index.read_bytes().decode("latin-1").split("\n")[:-1] if self._index.exists() else []
        whole = self._data.stat().st_size // self.row_bytes if self._data.exists() else 0
        # Rows beyond the data are the trace of a disk that filled or a file cut short: they are computed again.
        self._names = lines[:whole]
        self._known = {name: row for row, name in enumerate(self._names)}

    def __len__(self) -> int:
        return len(self._names)

    @property
    def names(self) -> set[str]:
        """Of the rows that are kept."""
        return set(self._known)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of ``names`` that are not kept, each once, in order."""
        return list(dict.fromkeys(name for name in names if name not in self._known))

    def rows(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Row numbers of kept names. KeyError for one that is not kept."""
        return np.array([self._known[name] for name in names], dtype=np.int64)

    def append(self, names: Sequence[str], rows: NDArray[np.generic]) -> None:
        """Add ``rows`` (N, *shape), N names. The caller holds ``lock``. Rows reach the disk before their names do."""
        if rows.shape != (len(names), *self.space.shape) or rows.dtype != np.dtype(self.space.dtype):
            raise ValueError(f"expected rows {(len(names), *self.space.shape)} {self.space.dtype}, got {rows.shape}")
        kept = len(self)
        try:
            self._repair()
            with open_private(self._data, "ab") as data:
                data.write(np.ascontiguousarray(rows).data)
                data.flush()
                os.fsync(data.fileno())
            with open_private(self._index, "a", encoding="latin-1", newline="\n") as index:
                index.write("".join(f"{name}\n" for name in names))
        except OSError as error:
            if reason := why_full(error):
                stays = f"The {kept} rows kept before stay. Or set CXR_CACHE to a folder on another disk."
                raise full(reason, self._data, len(rows) * self.row_bytes, stays) from None
            raise CxrError(
                f"Kept features cannot be written to {self.folder} ({error.strerror}). Fix its permissions, or set "
                "CXR_CACHE to another folder. What is kept stays."
            ) from None
        self._names.extend(names)
        self._known.update({name: kept + i for i, name in enumerate(names)})

    def _repair(self) -> None:
        """Cut off what an interrupted writer left behind the last complete row."""
        if self._data.exists() and self._data.stat().st_size != len(self) * self.row_bytes:
            os.truncate(self._data, len(self) * self.row_bytes)
        if self._index.exists():
            # What counts is the file's beginning; written anew on a full disk, it would be lost.
            names = sum(len(name) + 1 for name in self._names)
            if self._index.stat().st_size != names:
                os.truncate(self._index, names)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.generic]:
        """The rows with these numbers, (N, *shape), in the order asked for."""
        if self._file is None:
            try:
                self._file = FileIO(self._data)
            except FileNotFoundError:
                raise CxrError(
                    f"The kept features in {self.folder} are gone: cleared while in use. Start again."
                ) from None
        batch = np.empty((len(rows), *self.space.shape), dtype=self.space.dtype)
        for target, row in zip(batch, rows, strict=True):
            self._file.seek(int(row) * self.row_bytes)
            if self._file.readinto(memoryview(target).cast("B")) != self.row_bytes:
                raise CxrError(f"The kept features in {self.folder} were cut short while in use. Start again.")
        return batch

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def __del__(self) -> None:
        # Whoever drops a store need not know whether it was read from.
        self.close()


@dataclass(frozen=True)
class KeptSpace:
    """One line of ``python -m cxr_core cache``."""

    name: str
    rows: int
    bytes: int


def kept_spaces() -> list[KeptSpace]:
    """What the cache of kept features holds, largest first."""
    root = cache_dir() / "features"
    folders = [entry for entry in root.iterdir() if entry.is_dir()] if root.is_dir() else []
    found = []
    for folder in folders:
        index = folder / "index.txt"
        rows = index.read_bytes().count(b"\n") if index.exists() else 0
        found.append(KeptSpace(folder.name, rows, sum(file.stat().st_size for file in folder.iterdir())))
    return sorted(found, key=lambda space: space.bytes, reverse=True)


def kept_names(space: Space) -> set[str]:
    """The names of the rows that are kept of a space. Nothing is made where there are none."""
    return FeatureStore(space).names if (cache_dir() / "features" / space.key).is_dir() else set()
