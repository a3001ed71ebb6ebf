"""Who may read what the software writes: this account alone, or with ``CXR_SHARED=group`` its group too.

    make_folder(path)          # 0700, and every folder above it that is made on the way
    open_private(path, "ab")   # a file made on the way is 0600
    tighten(root, ours)        # folders of an older version, once

Windows has no such modes; there nothing is done. The images of a data set, which lie elsewhere, are never touched.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from filelock import FileLock

from cxr_core.errors import ConfigError

SHARED = "CXR_SHARED"
_POSIX = os.name == "posix"


def is_shared() -> bool:
    """Whether the owner lets the group in. Raises ConfigError for a value that says neither."""
    value = os.environ.get(SHARED, "").strip().lower()
    if value not in ("", "group"):
        raise ConfigError(f"{SHARED}: expected group, or nothing for this account alone, got {value!r}.")
    return value == "group"


def folder_mode() -> int:
    """Of a folder; in a shared one, what is made in it belongs to the same group."""
    return 0o2770 if is_shared() else 0o700


def file_mode() -> int:
    return 0o660 if is_shared() else 0o600


def make_folder(path: Path) -> Path:
    """Make a folder, and those above it that are missing, for this account alone. Those that are there stay."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        if path.parent == path:
            break
        path = path.parent
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if not folder.is_dir():
                raise
            # Somebody else made it meanwhile.
            continue
        _set(folder, folder_mode())
    return missing[0] if missing else path


def make_file(path: Path) -> None:
    """An empty file for this account alone, which must not be there yet."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    _set(path, file_mode())


def open_private(path: Path, mode: str, **given: Any) -> IO[Any]:
    """As ``path.open``; a file that is made on the way is for this account alone."""

    return open(path, mode, opener=opened, **given)


def opened(name: str | Path, flags: int) -> int:
    """As ``os.open``; a file that is made on the way is for this account alone, whatever its umask."""
    if flags & os.O_CREAT:
        try:
            descriptor = os.open(name, flags | os.O_EXCL, 0o600)
        except FileExistsError:
            if flags & os.O_EXCL:
                raise
        else:
            _set(Path(name), file_mode())
            return descriptor
    return os.open(name, flags, 0o600)


def private_lock(path: Path, **given: Any) -> FileLock:
    """A file lock that other accounts can neither read nor hold."""
    return FileLock(path, mode=file_mode(), **given)


def tighten(root: Path, ours: Callable[[os.DirEntry[str]], bool]) -> None:
    """Take the rights of other accounts from ``root`` and all in it, where an older version left them.

    A root that holds folders which are not ``ours`` is somebody's for other things too: there only ours are tightened.
    Links are not followed, and what belongs to another account stays as it is.
    """
    if not _POSIX or not root.is_dir():
        return
    entries = _entries(root)
    folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    mine = [entry for entry in folders if ours(entry)]
    if len(mine) == len(folders) and not _is_loose(root):
        return
    if len(mine) == len(folders):
        _set(root, stat.S_IMODE(root.stat().st_mode) & ~_others())
        mine = entries
    for entry in mine:
        close(Path(entry.path))


def close(path: Path) -> None:
    """Take the rights of other accounts from a file, or a folder and all in it. A folder that is closed already has
    nothing in it that could be read.
    """
    if _POSIX and not path.is_symlink() and _is_loose(path):
        _set(path, stat.S_IMODE(path.stat().st_mode) & ~_others())
        if path.is_dir():
            for entry in _entries(path):
                close(Path(entry.path))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _is_loose(path: Path) -> bool:
    """Whether this account owns it and others may do with it what they are not to."""
    try:
        about = path.stat()
    except OSError:
        return False
    return about.st_uid == os.geteuid() and bool(stat.S_IMODE(about.st_mode) & _others())


def _others() -> int:
    return 0o007 if is_shared() else 0o077


def _set(path: Path, mode: int) -> None:
    if not _POSIX:
        return
    try:
        path.chmod(mode)
    except OSError:
        # A file system without modes, such as a memory stick's: its owner decided who may read it by mounting it.
        return
