"""An uploaded zip -> a data set's folder under ``data_dir()/uploads``.

``unpack(content, name)`` trusts nothing in the archive: names that lead elsewhere, links, special and encrypted
entries, archives in archives and those that grow beyond the limits or the disk are refused, and nothing is left behind.
The same archive is unpacked once; :mod:`cxr_core.data.unpacked` lists and deletes what was unpacked.
"""

import errno
import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from cxr_core.data.folder import Folder
from cxr_core.data.listing import SPLIT_NAMES
from cxr_core.data.packed import PackedFile, damage_as, older_versions, only_archives, packed_files
from cxr_core.data.sets.tables import is_table
from cxr_core.data.unpacked import unpacked_dir, workplace
from cxr_core.errors import DatasetError
from cxr_core.private import make_folder, open_private

MAX_ENTRIES = 200_000
MAX_BYTES = 20 * 2**30
# Images hardly compress; a thousandfold growth is a bomb. Small archives of tables may do as they like.
MAX_GROWTH = 200
_FREE_GROWTH = 64 * 2**20
_CHUNK = 2**20
_BLOCK = 4096
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def unpack(content: bytes | BinaryIO, name: str) -> Path:
    """Unpack a zip, given as bytes or as an open binary file, and return the data set's folder in it.

    A single folder around the data set is descended into. ``name`` is only used, cleaned, to name the folder.
    Raises DatasetError where it is no zip, is damaged, encrypted, over a limit, or holds an entry that is not allowed.
    """
    file = BytesIO(content) if isinstance(content, bytes) else content
    digest = _digest(file)
    stem = re.sub(r"[^\w-]+", "-", Path(name.replace("\\", "/")).stem).strip("-")[:40] or "upload"
    target = unpacked_dir() / f"{stem}-{digest}"
    if not target.is_dir():
        try:
            with workplace() as unpacked:
                _extract(file, unpacked, name)
                _put(unpacked, target)
        except OSError as error:
            raise DatasetError(f"{name}: cannot be unpacked into {target.parent} ({error.strerror}).") from error
    return _root(target)


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    joined = hashlib.blake2b(digest_size=6)
    while chunk := file.read(_CHUNK):
        joined.update(chunk)
    return joined.hexdigest()


def _extract(file: BinaryIO, folder: Path, name: str) -> None:
    def damaged(error: Exception) -> DatasetError:
        return DatasetError(f"{name}: expected a whole, plain zip archive ({error}). Pack the folder again.")

    size = file.seek(0, os.SEEK_END)
    with damage_as(damaged):
        archive = zipfile.ZipFile(file)
        files = packed_files(archive)
    _check(files, size, name)
    needed = sum(_on_disk(each.info.file_size) for each in files)
    _check_room(needed, folder, name)
    try:
        for each in files:
            _write(each, each.chunks(archive, damaged), folder, name)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise _no_room(needed, folder, name) from error


def _check(files: list[PackedFile], size: int, name: str) -> None:
    if not files:
        raise DatasetError(f"{name}: the archive holds no files. Pack the folder of the images again.")
    if len(files) > MAX_ENTRIES:
        raise DatasetError(
            f"{name}: {len(files):,} files, over the limit of {MAX_ENTRIES:,}. "
            "Unpack it yourself and choose the folder."
        )
    unpacked = sum(file.info.file_size for file in files)
    # The archive's own size, not the sum of what its entries claim: they may lie on top of each other.
    if unpacked > MAX_BYTES or unpacked > max(size * MAX_GROWTH, _FREE_GROWTH):
        raise DatasetError(
            f"{name}: {unpacked / 2**20:,.0f} MiB when unpacked, from {size / 2**20:,.1f} MiB; the limits are "
            f"{MAX_BYTES // 2**30} GiB and {MAX_GROWTH} times. Unpack it yourself and choose the folder."
        )
    for file in files:
        if file.refusal:
            raise DatasetError(f"{name}: the entry {file.shown} {file.refusal}")
    if inner := only_archives(files):
        more = f" and {len(inner) - 1} more" if len(inner) > 1 else ""
        raise DatasetError(
            f"{name}: it holds no images but an archive, {inner[0].shown}{more}. Unpack it, and pack or choose the "
            "folder that is in it."
        )
    if older := older_versions(files):
        raise DatasetError(
            f"{name}: two entries of the archive have the same name, {files[min(older)].shown}: perhaps a file and a "
            "newer version of it. Pack the folder again."
        )


def _on_disk(size: int) -> int:
    """Bytes that a file of this size takes: whole blocks, and its entry."""
    return (size + 2 * _BLOCK - 1) // _BLOCK * _BLOCK


def _check_room(needed: int, folder: Path, name: str) -> None:
    if shutil.disk_usage(folder).free < needed:
        raise _no_room(needed, folder, name)


def _no_room(needed: int, folder: Path, name: str) -> DatasetError:
    free = shutil.disk_usage(folder).free
    return DatasetError(
        f"{name}: it needs {-(-needed // 2**20):,} MiB in {unpacked_dir()}, where {free // 2**20:,} MiB are free. "
        "Nothing of it was kept. Delete unpacked zips that are no longer needed, or let CXR_DATA name a folder on "
        "another disk."
    )


def _write(file: PackedFile, chunks: Iterable[bytes], folder: Path, name: str) -> None:
    target = file.place(folder)
    try:
        make_folder(target.parent)
        # "x": an entry never takes another one's place.
        with open_private(target, "xb") as sink:
            for chunk in chunks:
                sink.write(chunk)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise DatasetError(
            f"{name}: two entries of the archive have the same name here, {file.shown}: one may be a folder, or they "
            "differ in case alone. Rename one and pack the folder again."
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ):
            raise
        raise DatasetError(
            f"{name}: the entry {file.shown} has a name that this disk cannot store ({error.strerror}). "
            "Shorten it and pack the folder again."
        ) from error


def _put(unpacked: Path, target: Path) -> None:
    try:
        unpacked.rename(target)
    except OSError:
        # Someone else unpacked the same archive meanwhile: theirs is as good.
        if not target.is_dir():
            raise


def _root(folder: Path) -> Path:
    """Descend while there is nothing but one folder, and that folder holds more than a class's images."""
    while True:
        looked = Folder(folder)
        inside = looked.folders(folder)
        if len(inside) != 1 or inside[0].name.lower() in SPLIT_NAMES or _has_table(looked, folder):
            return folder
        if not looked.folders(inside[0]) and not _has_table(looked, inside[0]):
            return folder
        folder = inside[0]


def _has_table(looked: Folder, folder: Path) -> bool:
    return any(map(is_table, looked.files(folder)))
