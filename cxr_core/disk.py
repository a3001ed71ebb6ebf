"""A disk that is full: one sentence with the file, what it needs, what is free, and what becomes of the rest.

    with room_for(path, needed=len(content)):
        path.write_bytes(content)      # raises DiskError, not "[Errno 28] No space left on device"

Whoever writes goes through this, most through :func:`cxr_core.settings.replacing`.
"""

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxr_core.errors import DiskError

KEPT = "What was kept before is still there."
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of this account is used up",
    errno.EFBIG: "the system does not allow a file of this size",
}
# safetensors writes by itself, and says the number in words alone.
_IN_WORDS = re.compile(r"\(os error (\d+)\)")


def why_full(error: BaseException) -> str | None:
    """In words, where the error is that of a write for which there is no room; None for any other error."""
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0)
    if type(error).__name__ == "SafetensorError" and (found := _IN_WORDS.search(str(error))):
        return _REASONS.get(int(found[1]))
    return None


def full(reason: str, path: Path, needed: int | None = None, kept: str = KEPT) -> DiskError:
    """The error for a file that has no room, ``needed`` bytes where that is known."""
    parts = [f"{size(needed)} needed"] if needed is not None else []
    free = free_at(path)
    parts += [f"{size(free)} free"] if free is not None else []
    figures = f" ({', '.join(parts)})" if parts else ""
    return DiskError(f"{path} cannot be written: {reason}{figures}. {kept} Free some space and start again.")


@contextmanager
def room_for(path: Path, needed: int | None = None, kept: str = KEPT) -> Iterator[None]:
    """Turns what is raised where ``path`` has no room into a DiskError; any other error passes."""
    try:
        yield
    except Exception as error:
        reason = why_full(error)
        if reason is None:
            raise
        raise full(reason, path, needed, kept) from None


def free_at(path: Path) -> int | None:
    """Bytes that are free where ``path`` is, or would be; None where nobody can tell."""
    for folder in (path, *path.parents):
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            continue
    return None


def size(count: int) -> str:
    """Bytes for people, never rounded to nothing: 512 bytes, 1.5 kB, 24 MB, 1.2 GB."""
    value, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "bytes" or value >= 99.5 else f"{value:.1f} {unit}"
