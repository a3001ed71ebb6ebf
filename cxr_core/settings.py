"""Where things are kept on this machine, and how a file is replaced without a reader ever seeing half of it.

Three folders, each movable by an environment variable: runs (``CXR_RUNS``, default ``./runs``), the cache of kept
features and scans (``CXR_CACHE``), and data sets the software itself made or unpacked (``CXR_DATA``).
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from cxr_core.disk import room_for

RECENT_LIMIT = 12


def _folder(variable: str, default: str | Path) -> Path:
    return Path(os.environ.get(variable) or default).expanduser().resolve()


def runs_dir() -> Path:
    """Folder of the runs: ``$CXR_RUNS``, else ``runs`` in the working folder. It need not exist yet."""
    return _folder("CXR_RUNS", "runs")


def cache_dir() -> Path:
    """Folder of what can be computed again: kept features, kept scans."""
    return _folder("CXR_CACHE", platformdirs.user_cache_path("cxr-dashboard", appauthor=False))


def data_dir() -> Path:
    """Folder of data sets that the software drew (the demo) or unpacked (an uploaded zip)."""
    return _folder("CXR_DATA", platformdirs.user_data_path("cxr-dashboard", appauthor=False))


@contextmanager
def replacing(path: Path, needed: int | None = None) -> Iterator[Path]:
    """A temporary sibling of ``path`` that takes its place when the block ends well, and vanishes when it does not.

    Raises DiskError where there is no room for it: ``needed`` bytes, if that is known.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with room_for(path, needed):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace ``path`` by ``content`` in one step: a reader sees the old file or the new one, never a part."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with replacing(path, len(data)) as temporary:
        temporary.write_bytes(data)


def _recent_file() -> Path:
    return data_dir() / "recent.json"


def recent_datasets() -> list[Path]:
    """Data sets opened before that still exist, the latest first. A damaged list counts as an empty one."""
    try:
        listed = json.loads(_recent_file().read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return []
    if not isinstance(listed, list):
        return []
    return [path for path in (Path(entry) for entry in listed if isinstance(entry, str)) if path.exists()]


def remember_dataset(path: Path) -> None:
    """Put ``path`` at the head of :func:`recent_datasets`."""
    known = [path.resolve(), *(other for other in recent_datasets() if other != path.resolve())]
    write_atomic(_recent_file(), json.dumps([str(entry) for entry in known[:RECENT_LIMIT]], indent=1))
