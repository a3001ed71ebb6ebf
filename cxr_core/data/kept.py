"""Scans kept between sessions: what is known of a file stays known until its size or time of change differs.

One JSON file for each data set under ``cache_dir()/scans``; damaged or of another version, it counts as absent.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from cxr_core.data.folder import Entry
from cxr_core.data.listing import Unreadable
from cxr_core.images import ImageInfo
from cxr_core.images.version import PIXELS
from cxr_core.settings import cache_dir, from_json, write_atomic

# Raise the first when more is kept of a file, the other where it is read in another way.
VERSION = f"5-{PIXELS}"
Known = tuple[str, ImageInfo] | Unreadable
"""(digest, facts) of an image, or why a file is none."""


class KeptScan:
    """What earlier scans of ``root`` found, by path; ``get``, ``put`` and, at the end, ``save``."""

    def __init__(self, root: Path) -> None:
        name = hashlib.blake2b(str(root).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
        self._path = cache_dir() / "scans" / f"{name}.json"
        self._files = self._load()
        self._used: dict[str, tuple[int, int, Known]] = {}

    def get(self, entry: Entry) -> Known | None:
        """What is known of a file that has not changed since, else None."""
        size, changed, known = self._files.get(str(entry.path), (-1, -1, None))
        if known is None or (size, changed) != (entry.size, entry.changed):
            return None
        self._used[str(entry.path)] = (size, changed, known)
        return known

    def put(self, entry: Entry, known: Known) -> None:
        """Note what was found in a file."""
        self._used[str(entry.path)] = (entry.size, entry.changed, known)

    def save(self, complete: bool = True) -> None:
        """Keep what was got and put since the start; after a ``complete`` scan, forget the files that are gone."""
        kept = self._used if complete else self._files | self._used
        if kept == self._files:
            return
        files = {
            path: [size, changed, [*known] if isinstance(known, Unreadable) else [known[0], *vars(known[1]).values()]]
            for path, (size, changed, known) in kept.items()
        }
        write_atomic(self._path, json.dumps({"version": VERSION, "files": files}))

    def _load(self) -> dict[str, tuple[int, int, Known]]:
        try:
            kept = from_json(self._path.read_text(encoding="utf-8"))
            if kept["version"] != VERSION:
                return {}
            return {
                path: (int(size), int(changed), _known(*known))
                for path, (size, changed, known) in kept["files"].items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}


def _known(first: str, *rest: Any) -> Known:
    if len(rest) == 1:
        return Unreadable(str(first), str(rest[0]))
    width, height, mode, format, bits, age, *texts = rest
    if not all(0 <= int(number) < 2**31 for number in (width, height, bits)):
        raise ValueError("no picture is so large")
    years = age if age is None else float(age)
    sex, view, patient = map(str, texts)
    return str(first), ImageInfo(int(width), int(height), str(mode), str(format), int(bits), years, sex, view, patient)
