"""The files in an uploaded zip: what each is called, where it may lie, and why it is not taken.

    files = packed_files(archive)       # hidden and system files, and entries for folders, left out
    file.name, file.refusal             # "A/1.png"; a sentence where it must not be unpacked, else None
    file.place(folder)                  # where it is to be written, never outside of ``folder``
    for chunk in file.chunks(archive, damaged): ...     # damaged(error) -> the CxrError to raise

Nothing that an archive says is believed: neither a name, nor a size, nor that it can be decompressed.
"""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PureWindowsPath

from cxr_core.data.folder import is_visible
from cxr_core.errors import CxrError, DatasetError

Damaged = Callable[[Exception], CxrError]

_CHUNK = 2**20
_UTF8 = 0x800
_ENCRYPTED = 0x1
_DOS_FOLDER = 0x10
# Systems whose tools write names in the code page of DOS (FAT, OS/2, NTFS, VFAT), by their number in the format.
_DOS_NAMES = (0, 6, 10, 11, 14)
_UNICODE_PATH = 0x7075
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_METHOD_NAMES = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd", 1: "Shrink", 6: "Implode"}
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz")
# What lies beside images and is none. A DICOM file may have no ending, or any.
_BESIDE = (*_ARCHIVES, ".txt", ".md", ".csv", ".tsv", ".pdf", ".json", ".xml", ".html", ".xlsx", ".docx")
_DRIVE = re.compile(r"[A-Za-z]:")
# Windows writes such a name as another one, or to a device.
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$')


@dataclass(frozen=True)
class PackedFile:
    """One file in a zip. ``name``: its path there, with slashes."""

    info: zipfile.ZipInfo
    name: str

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The folders and the file's own name; ``..`` stays, what means "here" does not."""
        return tuple(part for part in self.name.split("/") if part not in ("", "."))

    @property
    def shown(self) -> str:
        """The name for a message: short, and harmless to print."""
        return repr(self.name if len(self.name) <= 80 else f"{self.name[:38]}...{self.name[-38:]}")

    @property
    def is_special(self) -> bool:
        """True for a link, a device and the like."""
        return stat.S_IFMT(self.info.external_attr >> 16) not in (0, stat.S_IFREG)

    @property
    def is_encrypted(self) -> bool:
        return bool(self.info.flag_bits & _ENCRYPTED)

    @property
    def refusal(self) -> str | None:
        """Why it must not be unpacked, and what to do: the rest of a sentence that begins with the entry."""
        if way := self._way_out():
            return f"leads out of the archive ({way}). Pack the folder again, with names that begin in it."
        if os.name == "nt" and any(map(_is_odd_on_windows, self.parts)):
            return "has a name that Windows cannot store. Rename it and pack the folder again."
        if self.is_special:
            return "is a link or a device. Pack the files themselves."
        if self.is_encrypted:
            return "is encrypted. Pack it without a password."
        if self.method:
            return f"is compressed with {self.method}, which is not read here. Pack the folder with Deflate instead."
        return None

    @property
    def method(self) -> str | None:
        """How it is compressed, where that cannot be undone here: Windows takes Deflate64 for more than 2 GB."""
        kind = self.info.compress_type
        return None if kind in _METHODS else _METHOD_NAMES.get(kind, f"method {kind}")

    def _way_out(self) -> str | None:
        if "\0" in self.name:
            return "its name holds a NUL"
        if ".." in self.parts:
            return "its name holds '..'"
        if self.name.startswith("/"):
            return "its name is an absolute path"
        if not self.parts:
            return "it has no name"
        if _DRIVE.match(self.parts[0]):
            return "its name begins with a drive"
        return None

    def place(self, folder: Path) -> Path:
        """Where it is to be written. Raises DatasetError for a place that is not inside of ``folder``."""
        inside = folder.resolve()
        place = None if self._way_out() else inside.joinpath(*self.parts).resolve()
        # Whatever a name may mean to this system: the place that it leads to decides.
        if place is None or place == inside or not place.is_relative_to(inside):
            raise DatasetError(f"The entry {self.shown} leads out of the archive. Pack the folder again.")
        return place

    def chunks(self, archive: zipfile.ZipFile, damaged: Damaged) -> Iterator[bytes]:
        """The content, piece by piece. Raises what ``damaged`` makes of the error where it cannot be unpacked."""
        with damage_as(damaged), archive.open(self.info) as source:
            while chunk := source.read(_CHUNK):
                yield chunk


def packed_files(archive: zipfile.ZipFile) -> list[PackedFile]:
    """The files of an archive in its order. Folders come with the files in them."""
    files = [PackedFile(info, _name(info)) for info in archive.infolist()]
    files = [
        file
        for file in files
        if not _is_folder(file.info, file.name) and all(part == ".." or is_visible(part) for part in file.parts)
    ]
    # Some tools write an empty entry for a folder, and no sign that it is one.
    folders = {file.parts[:depth] for file in files for depth in range(1, len(file.parts))}
    return [file for file in files if file.info.file_size or file.parts not in folders]


def older_versions(files: list[PackedFile]) -> set[int]:
    """The places in ``files`` of those that another one of the same name follows, as where an archive was added to."""
    last = {file.parts: number for number, file in enumerate(files)}
    return {number for number, file in enumerate(files) if last[file.parts] != number}


def only_archives(files: list[PackedFile]) -> list[PackedFile]:
    """The archives among ``files`` where nothing else could be an image, else none."""
    endings = [Path(file.parts[-1]).suffix.lower() if file.parts else "" for file in files]
    if any(ending not in _BESIDE for ending in endings):
        return []
    return [file for file, ending in zip(files, endings, strict=True) if ending in _ARCHIVES]


@contextmanager
def damage_as(damaged: Damaged) -> Iterator[None]:
    """Whatever the libraries raise on an archive (it may be any exception) is the archive's fault."""
    try:
        yield
    except Exception as error:
        raise damaged(error) from error


def _name(info: zipfile.ZipInfo) -> str:
    # ``filename`` ends at a NUL; what follows it would be passed over in silence.
    return _text(info).replace("\\", "/")


def _text(info: zipfile.ZipInfo) -> str:
    """The name as its writer meant it. Without the sign for UTF-8 the format says code page 437, and few keep to it."""
    if info.flag_bits & _UTF8 or info.orig_filename.isascii():
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    if (stated := _unicode_path(info.extra, raw)) is not None:
        return stated
    encodings = ("utf-8",) if info.create_system in _DOS_NAMES else ("utf-8", "cp1252")
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.orig_filename


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in Info-ZIP's extra field, where it belongs to the name ``raw``."""
    while len(extra) >= 4:
        kind, size = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and body[:1] == b"\x01" and int.from_bytes(body[1:5], "little") == zlib.crc32(raw):
            try:
                return body[5:].decode("utf-8")
            except UnicodeDecodeError:
                return None
    return None


def _is_folder(info: zipfile.ZipInfo, name: str) -> bool:
    if name.endswith("/") or stat.S_ISDIR(info.external_attr >> 16):
        return True
    return bool(info.external_attr & _DOS_FOLDER) and not info.file_size


def _is_odd_on_windows(part: str) -> bool:
    return bool(_NOT_ON_WINDOWS.search(part)) or PureWindowsPath(part).is_reserved()
