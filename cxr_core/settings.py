"""Where things are kept on this machine, how a file is replaced without a reader ever seeing half of it, and how a
reader sees that one was (:func:`stamp`).

Three folders, each movable by an environment variable: runs (``CXR_RUNS``, default ``./runs``), the cache of kept
features and scans (``CXR_CACHE``), and data sets the software itself made or unpacked (``CXR_DATA``). No other account
can read them (:mod:`cxr_core.private`). And what the owner allows: the folders that pages may open (``CXR_ROOTS``), how
large a scan may get (``CXR_SCAN_FILES``, ``CXR_SCAN_MINUTES``).
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import platformdirs

from cxr_core.disk import room_for
from cxr_core.errors import ConfigError
from cxr_core.paths import given
from cxr_core.private import is_shared, make_file, make_folder, tighten

# The largest public set of chest X-rays (MIMIC-CXR) has 377,110; a folder of more files is hardly one of images.
SCAN_FILES = 500_000
# So many files from a slow disk, at a hundred a second, take 83. What was read is kept: the next scan goes on.
SCAN_MINUTES = 120.0
RECENT_LIMIT = 12
# A file's size and when it was written, in ns.
Stamp = tuple[int, int]
# Folders of the cache: everything in them can be computed again.
CACHES = {
    "features": "what frozen networks gave for images",
    "scans": "what was found in data sets",
    "audits": "what audits said of data sets",
    "looks": "small copies of images",
}


def _folder(variable: str, default: str | Path) -> Path:
    try:
        return given(os.environ.get(variable) or default, ConfigError).resolve()
    except ConfigError as error:
        raise ConfigError(f"{variable}: {error}") from None


def runs_dir() -> Path:
    """Folder of the runs: ``$CXR_RUNS``, else ``runs`` in the working folder. It need not exist yet."""
    return _folder("CXR_RUNS", "runs")


def cache_dir() -> Path:
    """Folder of what can be computed again: kept features, kept scans."""
    return _folder("CXR_CACHE", platformdirs.user_cache_path("cxr-dashboard", appauthor=False))


def data_dir() -> Path:
    """Folder of data sets that the software drew (the demo) or unpacked (an uploaded zip)."""
    return _folder("CXR_DATA", platformdirs.user_data_path("cxr-dashboard", appauthor=False))


def allowed_roots() -> list[Path] | None:
    """Folders below which pages may open anything, from ``CXR_ROOTS`` (separated as in ``PATH``); None: not set.

    Raises ConfigError for an entry that is no absolute path.
    """
    entries = [entry for entry in os.environ.get("CXR_ROOTS", "").split(os.pathsep) if entry.strip()]
    for entry in entries:
        if not Path(entry).is_absolute() and not entry.startswith("~"):
            raise ConfigError(f"CXR_ROOTS: expected absolute paths separated by {os.pathsep!r}, got {entry!r}.")
    try:
        return [given(entry, ConfigError) for entry in entries] or None
    except ConfigError as error:
        raise ConfigError(f"CXR_ROOTS: {error}") from None


def starter_offered() -> bool:
    """Whether the starter model is shown: not with ``CXR_STARTER=no``. Raises ConfigError for other words."""
    said = os.environ.get("CXR_STARTER", "").strip().lower() or "yes"
    if said not in ("yes", "no"):
        raise ConfigError(f"CXR_STARTER: expected yes or no, got {said[:40]!r}.")
    return said == "yes"


def scan_files() -> int:
    """How many files a scan may meet: ``CXR_SCAN_FILES``. Raises ConfigError."""
    return int(_number("CXR_SCAN_FILES", SCAN_FILES))


def scan_seconds() -> float:
    """How long a scan may take: ``CXR_SCAN_MINUTES``. Raises ConfigError."""
    return 60 * _number("CXR_SCAN_MINUTES", SCAN_MINUTES)


def _number(variable: str, default: float) -> float:
    text = os.environ.get(variable, "").strip()
    try:
        value = float(text or default)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ConfigError(f"{variable}: expected a number above 0, got {text!r}.")
    return value


def close_to_others(runs: Path | None = None) -> None:
    """Take the rights of other accounts from the three folders (``runs``: another than the usual one for the runs),
    where an older version left them. Raises ConfigError where ``CXR_SHARED`` holds something else than group.
    """
    is_shared()
    for kind, root in (("runs", runs or runs_dir()), ("cache", cache_dir()), ("data", data_dir())):
        _close(kind, root)


@lru_cache(maxsize=16)
def _close(kind: str, root: Path) -> None:
    tighten(root, lambda entry: _is_ours(kind, entry))


def _is_ours(kind: str, entry: "os.DirEntry[str]") -> bool:
    """Whether a folder directly in one of the three is one that this software makes."""
    if kind == "runs":
        return entry.name.startswith(".") or os.path.exists(os.path.join(entry.path, "run.json"))
    if kind == "cache":
        return entry.name in CACHES
    return entry.name == "uploads" or entry.name.startswith((".", "demo-"))


@contextmanager
def replacing(path: Path, private: bool = True, needed: int | None = None) -> Iterator[Path]:
    """A temporary sibling of ``path`` that takes its place when the block ends well, and vanishes when it does not.

    It is there, empty, and for this account alone; with ``private`` False, for what a person asked to have written
    somewhere, it is not there yet, and who may read it is as she set it for all her files. Raises DiskError where there
    is no room for it: ``needed`` bytes, if that is known.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with room_for(path, needed):
        if private:
            make_folder(path.parent)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if private:
                make_file(temporary)
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def write_atomic(path: Path, content: str | bytes, private: bool = True) -> None:
    """Replace ``path`` by ``content`` in one step: a reader sees the old file or the new one, never a part."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with replacing(path, private, len(data)) as temporary:
        temporary.write_bytes(data)


def stamp(path: Path) -> Stamp:
    """Changes whenever the file is replaced: what was made of it is kept under this. (0, 0) where there is none."""
    try:
        about = path.stat()
    except OSError:
        return 0, 0
    return about.st_size, about.st_mtime_ns


def from_json(content: str | bytes) -> Any:
    """The document in ``content``. Raises ValueError for whatever is none: no text, no JSON, nested without end."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _recent_file() -> Path:
    return data_dir() / "recent.json"


def recent_datasets() -> list[Path]:
    """Data sets opened before that still exist, the latest first. A damaged list counts as an empty one."""
    try:
        listed = from_json(_recent_file().read_bytes())
    except (FileNotFoundError, ValueError):
        return []
    if not isinstance(listed, list):
        return []
    return [Path(entry) for entry in listed if isinstance(entry, str) and os.path.exists(entry)]


def remember_dataset(path: Path) -> None:
    """Put ``path`` at the head of :func:`recent_datasets`, by the name that a link to it would have."""
    named, real = Path(os.path.abspath(path)), path.resolve()
    known = [named, *(other for other in recent_datasets() if other.resolve() != real)]
    write_atomic(_recent_file(), json.dumps([str(entry) for entry in known[:RECENT_LIMIT]], indent=1))
