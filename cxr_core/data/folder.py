"""Walking a folder of images: which entries count, and in what order.

Hidden and system files are passed over; links are followed, each folder once on a path, so a loop of links ends; one
that leads out of reach (``cxr_core.reach``) is not. What cannot be looked into is noted in ``troubles``, not lost.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cxr_core import reach
from cxr_core.data.budget import Budget
from cxr_core.paths import is_virtual, kind_of

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom"}
_SYSTEM = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "system volume information"}


@dataclass(frozen=True)
class Entry:
    """A file on disk: its path, size in bytes and time of change in nanoseconds."""

    path: Path
    size: int
    changed: int


@dataclass
class Folder:
    """One folder and what went wrong below it: ``troubles`` holds (path, reason). ``budget`` bounds what is done."""

    root: Path
    troubles: list[tuple[Path, str]] = field(default_factory=list)
    budget: Budget | None = None

    def folders(self, path: Path) -> list[Path]:
        """Folders directly in ``path`` that are not hidden, by name."""
        return [Path(entry.path) for entry in self._entries(path) if _is_folder(entry)]

    def files(self, path: Path) -> list[Path]:
        """What lies directly in ``path`` besides folders and is not hidden, by name."""
        return [Path(entry.path) for entry in self._entries(path) if not _is_folder(entry)]

    def walk(self, path: Path) -> Iterator[Entry]:
        """All files below ``path``, at any depth. Raises DatasetError where they are more than the budget has."""
        # A link back to the data set itself is a loop too, though it leads out of ``path``.
        parents = [parent for parent in path.parents if parent.is_relative_to(self.root)]
        above = frozenset(identity for parent in parents if (identity := self._identity(parent)) is not None)
        waiting = [(path, above)]
        while waiting:
            current, above = waiting.pop()
            here = self._identity(current)
            if here is None or here in above:
                continue
            for entry in self._entries(current):
                if _is_folder(entry):
                    waiting.append((Path(entry.path), above | {here}))
                elif (found := self.entry(Path(entry.path))) is not None:
                    if self.budget:
                        self.budget.found()
                    yield found

    def _identity(self, path: Path) -> tuple[int, int] | None:
        try:
            about = path.stat()
        except OSError as error:
            self._note(path, error)
            return None
        if is_virtual(about):
            self.troubles.append((path, "is made by the operating system and holds no files"))
            return None
        return about.st_dev, about.st_ino

    def entry(self, path: Path) -> Entry | None:
        """Size and time of a file; None, and a note in ``troubles``, where it cannot be had or is none."""
        try:
            about = path.stat()
        except OSError as error:
            self._note(path, error)
            return None
        if not stat.S_ISREG(about.st_mode) or is_virtual(about):
            self.troubles.append((path, f"is {kind_of(about)}: expected a file"))
            return None
        return Entry(path, about.st_size, about.st_mtime_ns)

    def _entries(self, path: Path) -> list[os.DirEntry[str]]:
        if self.budget:
            self.budget.check()
        try:
            with os.scandir(path) as entries:
                visible = [entry for entry in entries if is_visible(entry.name)]
        except OSError as error:
            self._note(path, error)
            return []
        named = [entry for entry in visible if _is_text(entry.name)]
        for entry in visible:
            if not _is_text(entry.name):
                path_shown = path / entry.name.encode("utf-8", "replace").decode("utf-8")
                self.troubles.append((path_shown, "its name is no valid text (UTF-8): rename it"))
        return sorted(filter(self._is_in_reach, named), key=lambda entry: entry.name)

    def _is_in_reach(self, entry: os.DirEntry[str]) -> bool:
        # What is no link lies where its folder lies.
        if not entry.is_symlink() or reach.reachable(Path(entry.path)):
            return True
        self.troubles.append((Path(entry.path), f"is a link that {reach.OUTSIDE.replace('lies', 'leads', 1)}"))
        return False

    def _note(self, path: Path, error: OSError) -> None:
        trouble = (path, f"cannot be opened ({error.strerror})")
        if trouble not in self.troubles:
            self.troubles.append(trouble)


def is_visible(name: str) -> bool:
    """False for hidden files and for those that operating systems leave behind."""
    return not name.startswith(".") and name.lower() not in _SYSTEM


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: counted as a file, and named when that cannot be opened
        return False


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
