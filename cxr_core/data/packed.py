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
            return f"leads out of the archive ({way}). Pack the folder again."
        if self.is_special:
            return "is a link or a device. Pack the files themselves."
        if self.is_encrypted:
            return "is encrypted. Pack it without a password."
        return None

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
        if os.name == "nt" and any(map(_is_odd_on_windows, self.parts)):
            return "Windows cannot store its name as it is"
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
    return [
        file
        for file in files
        if not _is_folder(file.info, file.name) and all(part == ".." or is_visible(part) for part in file.parts)
    ]


@contextmanager
def damage_as(damaged: Damaged) -> Iterator[None]:
    """Whatever the libraries raise on an archive (it may be any exception) is the archive's fault."""
    try:
        yield
    except Exception as error:
        raise damaged(error) from error


def _name(info: zipfile.ZipInfo) -> str:
    # ``filename`` ends at a NUL; what follows it would be passed over in silence.
    return info.orig_filename.replace("\\", "/")


def _is_folder(info: zipfile.ZipInfo, name: str) -> bool:
    if name.endswith("/") or stat.S_ISDIR(info.external_attr >> 16):
        return True
    return bool(info.external_attr & _DOS_FOLDER) and not info.file_size


def _is_odd_on_windows(part: str) -> bool:
    return bool(_NOT_ON_WINDOWS.search(part)) or PureWindowsPath(part).is_reserved()
