"""Uploaded files -> single images: a zip stands for the files in it, which are read from it one at a time, in memory.

    for member in members(name, content, key):      # one for a plain file, one per file for a zip
        member.name, member.key                     # a base name to show; unique
        member.content()                            # bytes; raises ImageError

Nothing is written anywhere. A file's name is text to show. It is never a path, and its folders are not kept: they may
carry a name that nobody should read.
"""

import stat
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import PurePosixPath

from cxr_core.data import limits
from cxr_core.data.folder import is_visible
from cxr_core.errors import ImageError

MAX_FILES = 2_000
# Of all files of a zip together. Images hardly compress; a hundredfold growth is a bomb.
MAX_BYTES = 2 * 2**30
MAX_GROWTH = 100
_FREE_GROWTH = 64 * 2**20
# How a zip begins; an empty one has only the end of its directory.
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGE = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, IndexError),
)


@dataclass(frozen=True)
class Member:
    """One file: the name to show, a key of its own, and where its content comes from."""

    name: str
    key: str
    content: Callable[[], bytes]


def members(name: str, content: bytes, key: str) -> list[Member]:
    """The files that ``content`` stands for: itself, or those in it where it is a zip.

    Raises ImageError for a zip that is damaged, empty or over a limit. Hidden and system files are left out.
    """
    shown = shown_name(name)
    if not is_zip(content):
        return [Member(shown, key, lambda: content)]
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if _is_wanted(entry)]
    except _DAMAGE as error:
        raise _damaged(shown, error) from error
    _check(entries, shown)
    return [
        Member(shown_name(entry.filename), f"{key}-{number}", partial(_read, content, entry, shown))
        for number, entry in enumerate(entries)
    ]


def is_zip(content: bytes) -> bool:
    """Whether the content begins as a zip does."""
    return content[:4] in _ZIPS


def shown_name(name: str) -> str:
    """A file's name without folders and without signs that do not print."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign if sign.isprintable() else "�" for sign in last)[-160:] or "unnamed"


def _is_wanted(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    return not entry.is_dir() and all(part in ("..", "/") or is_visible(part) for part in parts)


def _check(entries: list[zipfile.ZipInfo], name: str) -> None:
    if not entries:
        raise ImageError(f"{name}: the zip holds no files. Pack the images again.")
    if len(entries) > MAX_FILES:
        raise ImageError(f"{name}: {len(entries):,} files, over the limit of {MAX_FILES:,} in one zip. Split it.")
    packed, unpacked = sum(entry.compress_size for entry in entries), sum(entry.file_size for entry in entries)
    if unpacked > MAX_BYTES or unpacked > max(packed * MAX_GROWTH, _FREE_GROWTH):
        raise ImageError(
            f"{name}: {unpacked / 2**20:,.0f} MiB when unpacked, from {packed / 2**20:,.1f} MiB; the limits are "
            f"{MAX_BYTES // 2**30} GiB and {MAX_GROWTH} times. Upload the images themselves."
        )


def _read(content: bytes, entry: zipfile.ZipInfo, archive_name: str) -> bytes:
    name = shown_name(entry.filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ImageError(f"{name}: a link or a device in {archive_name}. Pack the image itself.")
    if entry.flag_bits & 0x1:
        raise ImageError(f"{name}: encrypted in {archive_name}. Pack it without a password.")
    limits.check_bytes(entry.file_size, name)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive, archive.open(entry) as file:
            # What the directory promises need not be so.
            unpacked = file.read(limits.MAX_BYTES + 1)
    except _DAMAGE as error:
        raise _damaged(name, error) from error
    limits.check_bytes(len(unpacked), name)
    if is_zip(unpacked):
        raise ImageError(f"{name}: a zip within {archive_name}. Upload it by itself.")
    return unpacked


def _damaged(name: str, error: Exception) -> ImageError:
    return ImageError(f"{name}: expected a whole, plain zip ({type(error).__name__}). Pack the images again.")
