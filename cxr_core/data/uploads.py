"""Uploaded files -> single images: a zip stands for the files in it, which are read from it one at a time, in memory.

    for member in members(name, content, key):      # one for a plain file, one per file for a zip
        member.name, member.key                     # a base name to show; unique
        member.content()                            # bytes; raises ImageError

Nothing is written anywhere. A file's name is text to show. It is never a path, and its folders are not kept: they may
carry a name that nobody should read.
"""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from cxr_core.data.packed import PackedFile, damage_as, older_versions, packed_files
from cxr_core.errors import ImageError
from cxr_core.images import limits

MAX_FILES = 2_000
# Of all files of a zip together. Images hardly compress; a hundredfold growth is a bomb.
MAX_BYTES = 2 * 2**30
MAX_GROWTH = 100
_FREE_GROWTH = 64 * 2**20
# How a zip begins; an empty one has only the end of its directory.
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")


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
    with damage_as(partial(_damaged, shown)):
        files = packed_files(zipfile.ZipFile(BytesIO(content)))
    _check(files, len(content), shown)
    older = older_versions(files)
    return [
        Member(shown_name(file.name), f"{key}-{number}", partial(_read, content, file, shown, number in older))
        for number, file in enumerate(files)
    ]


def is_zip(content: bytes) -> bool:
    """Whether the content begins as a zip does."""
    return content[:4] in _ZIPS


def shown_name(name: str) -> str:
    """A file's name without folders and without signs that do not print."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign if sign.isprintable() else "�" for sign in last)[-160:] or "unnamed"


def _check(files: list[PackedFile], size: int, name: str) -> None:
    if not files:
        raise ImageError(f"{name}: the zip holds no files. Pack the images again.")
    if len(files) > MAX_FILES:
        raise ImageError(f"{name}: {len(files):,} files, over the limit of {MAX_FILES:,} in one zip. Split it.")
    unpacked = sum(file.info.file_size for file in files)
    # The zip's own size, not the sum of what its entries claim: they may lie on top of each other.
    if unpacked > MAX_BYTES or unpacked > max(size * MAX_GROWTH, _FREE_GROWTH):
        raise ImageError(
            f"{name}: {unpacked / 2**20:,.0f} MiB when unpacked, from {size / 2**20:,.1f} MiB; the limits are "
            f"{MAX_BYTES // 2**30} GiB and {MAX_GROWTH} times. Upload the images themselves."
        )


def _read(content: bytes, file: PackedFile, archive_name: str, is_older: bool) -> bytes:
    name = shown_name(file.name)
    if is_older:
        raise ImageError(f"{name}: {archive_name} holds a later file of the same name, which is read instead.")
    if file.is_special:
        raise ImageError(f"{name}: a link or a device in {archive_name}. Pack the image itself.")
    if file.is_encrypted:
        raise ImageError(f"{name}: encrypted in {archive_name}. Pack it without a password.")
    if file.method:
        raise ImageError(
            f"{name}: compressed with {file.method} in {archive_name}, which is not read here. Pack it with Deflate."
        )
    limits.check_bytes(file.info.file_size, name)
    damaged = partial(_damaged, name)
    with damage_as(damaged):
        archive = zipfile.ZipFile(BytesIO(content))
    # No more than the limit: what the directory promises need not be so.
    pieces, length = [], 0
    for chunk in file.chunks(archive, damaged):
        pieces.append(chunk)
        length += len(chunk)
        limits.check_bytes(length, name)
    unpacked = b"".join(pieces)
    limits.check_bytes(length, name)
    if is_zip(unpacked):
        raise ImageError(f"{name}: a zip within {archive_name}. Upload it by itself.")
    return unpacked


def _damaged(name: str, error: Exception) -> ImageError:
    return ImageError(f"{name}: expected a whole, plain zip ({type(error).__name__}). Pack the images again.")
