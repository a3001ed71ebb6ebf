"""Unpacked zips: one folder each below ``data_dir()/uploads``, listed, and deleted when a person says so.

    with workplace() as folder: ...     # a temporary folder there; gone afterwards, or once this process is dead
    for unpacked in unpacked_zips(): unpacked.name, unpacked.bytes
    find(name).delete()

What a killed process left is found by its lock, which nobody holds any more, and removed the next time.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from filelock import Timeout

from cxr_core.errors import DatasetError
from cxr_core.private import make_folder, private_lock
from cxr_core.settings import data_dir

_WORKPLACE, _DELETED = ".unpacking-", ".deleted-"
_LOCK = "lock"


@dataclass(frozen=True)
class Unpacked:
    """An unpacked zip."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def time(self) -> datetime:
        """When it was unpacked, in UTC."""
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)

    @property
    def bytes(self) -> int:
        """Of all its files."""
        return self._sums[0]

    @property
    def files(self) -> int:
        return self._sums[1]

    @cached_property
    def _sums(self) -> tuple[int, int]:
        size = count = 0
        for folder, _, files in os.walk(self.path):
            for file in files:
                try:
                    size += os.lstat(os.path.join(folder, file)).st_size
                    count += 1
                except OSError:  # deleted by somebody else meanwhile
                    continue
        return size, count

    def delete(self) -> None:
        """Remove it. Raises DatasetError where that fails. Whether a run needs it, :mod:`cxr_core.runs.needs` says.

        A data set is seen whole or not at all: it is renamed first.
        """
        doomed = self.path.with_name(f"{_DELETED}{secrets.token_hex(4)}")
        try:
            with _alone():
                self.path.rename(doomed)
                shutil.rmtree(doomed)
        except OSError as error:
            raise DatasetError(
                f"{self.path}: cannot be deleted ({error.strerror}). Check its permissions, or delete it by hand."
            ) from error


def unpacked_dir() -> Path:
    """Where zips are unpacked. It need not exist yet."""
    return data_dir() / "uploads"


def unpacked_zips() -> list[Unpacked]:
    """All unpacked zips, the latest first."""
    if not unpacked_dir().is_dir():
        return []
    with os.scandir(unpacked_dir()) as entries:
        folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(
        (Unpacked(folder) for folder in folders if not folder.name.startswith(".")),
        key=lambda unpacked: unpacked.time,
        reverse=True,
    )


def find(name: str) -> Unpacked:
    """The unpacked zip of this name, or of this beginning of one name alone. Raises DatasetError otherwise."""
    matching = [unpacked for unpacked in unpacked_zips() if unpacked.name.startswith(name) and name]
    exact = [unpacked for unpacked in matching if unpacked.name == name]
    if len(exact or matching) == 1:
        return (exact or matching)[0]
    if matching:
        raise DatasetError(f"{name!r} fits {len(matching)} unpacked zips, {matching[0].name} among them. Type more.")
    raise DatasetError(f"There is no unpacked zip {name!r} in {unpacked_dir()}. Without --delete they are listed.")


def holding(path: Path) -> Unpacked | None:
    """The unpacked zip that a path lies in, or lay in before it was deleted; None for any other path."""
    try:
        place = path.resolve()
    except (OSError, ValueError, RuntimeError):  # a name that no path can have
        return None
    if not place.is_relative_to(unpacked_dir()) or place == unpacked_dir():
        return None
    return Unpacked(unpacked_dir() / place.relative_to(unpacked_dir()).parts[0])


@contextmanager
def workplace() -> Iterator[Path]:
    """An empty temporary folder beside the unpacked zips; what dead processes left there is removed first."""
    place = unpacked_dir() / f"{_WORKPLACE}{secrets.token_hex(4)}"
    lock = private_lock(place / _LOCK)
    with _alone():
        make_folder(unpacked_dir())
        _clean()
        make_folder(place / "content")
        lock.acquire()
    try:
        yield place / "content"
    finally:
        lock.release()
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _alone() -> Iterator[None]:
    make_folder(data_dir())
    with private_lock(data_dir() / ".uploads.lock"):
        yield


def _clean() -> None:
    """Remove what a killed process left half unpacked or half deleted. Nobody else makes or deletes any meanwhile."""
    for folder in unpacked_dir().glob(f"{_WORKPLACE}*"):
        lock = private_lock(folder / _LOCK)
        try:
            lock.acquire(blocking=False)
            lock.release()
        except (Timeout, OSError):  # somebody is at work there
            continue
        shutil.rmtree(folder, ignore_errors=True)
    for folder in unpacked_dir().glob(f"{_DELETED}*"):
        shutil.rmtree(folder, ignore_errors=True)
