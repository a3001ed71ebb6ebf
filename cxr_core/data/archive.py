"""An uploaded zip -> a data set's folder under ``data_dir()/uploads``.

``unpack(content, name)`` trusts nothing in the archive: names that lead elsewhere, links, special and encrypted
entries and archives that grow beyond the limits are refused, and nothing is left behind. The same archive is unpacked
once.
"""

import hashlib
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from cxr_core.data.folder import Folder, is_visible
from cxr_core.data.listing import SPLIT_NAMES
from cxr_core.errors import DatasetError
from cxr_core.private import close, make_folder
from cxr_core.settings import data_dir

MAX_ENTRIES = 200_000
MAX_BYTES = 20 * 2**30
# Images hardly compress; a thousandfold growth is a bomb. Small archives of tables may do as they like.
MAX_GROWTH = 200
_FREE_GROWTH = 64 * 2**20
_CHUNK = 2**20


def unpack(content: bytes | BinaryIO, name: str) -> Path:
    """Unpack a zip, given as bytes or as an open binary file, and return the data set's folder in it.

    A single folder around the data set is descended into. ``name`` is only used, cleaned, to name the folder.
    Raises DatasetError where it is no zip, is damaged, encrypted, over a limit, or holds an entry that is not allowed.
    """
    file = BytesIO(content) if isinstance(content, bytes) else content
    digest = _digest(file)
    stem = re.sub(r"[^\w-]+", "-", Path(name.replace("\\", "/")).stem).strip("-")[:40] or "upload"
    target = data_dir() / "uploads" / f"{stem}-{digest}"
    if not target.is_dir():
        try:
            make_folder(target.parent)
            with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target.parent) as temporary:
                unpacked = Path(temporary) / "content"
                unpacked.mkdir()
                _extract(file, unpacked, name)
                close(unpacked)
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
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if _is_wanted(entry)]
            _check(entries, name)
            for entry in entries:
                target = folder / _safe(entry, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                # "x": two entries of one name are a trick or a mistake.
                with archive.open(entry) as source, target.open("xb") as sink:
                    shutil.copyfileobj(source, sink, _CHUNK)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DatasetError(f"{name}: expected a whole, plain zip archive ({error}). Pack the folder again.") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise DatasetError(f"{name}: two entries of the archive have the same name. Pack the folder again.") from error


def _is_wanted(entry: zipfile.ZipInfo) -> bool:
    """Files that are not hidden; folders come with the files in them."""
    return not entry.is_dir() and all(part == ".." or is_visible(part) for part in _parts(entry))


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    return PurePosixPath(entry.filename.replace("\\", "/")).parts


def _check(entries: list[zipfile.ZipInfo], name: str) -> None:
    if not entries:
        raise DatasetError(f"{name}: the archive holds no files. Pack the folder of the images again.")
    if len(entries) > MAX_ENTRIES:
        raise DatasetError(
            f"{name}: {len(entries):,} files, over the limit of {MAX_ENTRIES:,}. "
            "Unpack it yourself and choose the folder."
        )
    packed = sum(entry.compress_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_BYTES or unpacked > max(packed * MAX_GROWTH, _FREE_GROWTH):
        raise DatasetError(
            f"{name}: {unpacked / 2**20:,.0f} MiB when unpacked, from {packed / 2**20:,.1f} MiB; the limits are "
            f"{MAX_BYTES // 2**30} GiB and {MAX_GROWTH} times. Unpack it yourself and choose the folder."
        )


def _safe(entry: zipfile.ZipInfo, name: str) -> Path:
    """The entry's place in the folder; DatasetError for one that leads out of it, a link, or an encrypted one."""
    parts = _parts(entry)
    if not parts or ".." in parts or parts[0] == "/" or ":" in parts[0] or "\0" in entry.filename:
        raise DatasetError(
            f"{name}: the entry {entry.filename[:80]!r} leads out of the archive. Pack the folder again."
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise DatasetError(
            f"{name}: the entry {entry.filename[:80]!r} is a link or a device. Pack the files themselves."
        )
    if entry.flag_bits & 0x1:
        raise DatasetError(f"{name}: the archive is encrypted. Pack it without a password.")
    return Path(*parts)


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
    return any(path.suffix.lower() == ".csv" for path in looked.files(folder))
