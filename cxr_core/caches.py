"""What is kept that can be computed again, and what is kept beside it that cannot.

for kind in kinds(): print(kind.name, kind.bytes, kind.what)     # python -m cxr_core cache
clear()                                                          # cache --clear
for kept in lasting(): ...                                       # what stays
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cxr_core.settings import CACHES, cache_dir, data_dir


@dataclass(frozen=True)
class Kind:
    """One kind of thing, where it lies, how many files and bytes."""

    name: str
    what: str
    path: Path
    files: int
    bytes: int


def kinds() -> list[Kind]:
    """Everything that :func:`clear` deletes, those too of which there is nothing."""
    return [_kind(name, what, cache_dir() / name) for name, what in CACHES.items()]


def lasting() -> list[Kind]:
    """What lies in the folders of cache and data and stays, where there is some."""
    found = [
        _kind("speeds", "how fast trainings were here, for estimates", cache_dir() / "speeds.json"),
        _kind("uploads", "unpacked zips: data sets that runs may need", data_dir() / "uploads"),
        _kind("pseudonyms", "the key of hashed names: runs need it", data_dir() / "pseudonyms.json"),
    ]
    if data_dir().is_dir():
        demos = sorted(path for path in data_dir().iterdir() if path.is_dir() and path.name.startswith("demo-"))
        found += [_kind(path.name, "a drawn demo data set", path) for path in demos]
    return [kind for kind in found if kind.files]


def clear() -> int:
    """Delete all kinds; the bytes that were freed. Runs keep their own weights and audits, and stay whole."""
    freed = 0
    for kind in kinds():
        if kind.path.is_dir():
            freed += kind.bytes
            shutil.rmtree(kind.path)
    return freed


def _kind(name: str, what: str, path: Path) -> Kind:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return Kind(name, what, path, len(files), sum(_size(file) for file in files))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        # Another process replaced or cleared it meanwhile.
        return 0
