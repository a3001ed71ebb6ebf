"""The traits of every picture: hashes, a small grey copy and plain facts, kept by content so that each is read once.

traits = traits_of(dataset)             # the first time about 100 images a second and core, then read from the cache
traits.hashes[k], traits.mirrored[k], traits.small[k], traits.facts[k]      # of row k of dataset.samples
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxr_core import images
from cxr_core.audit.letters import share_of_letters
from cxr_core.data.dataset import Dataset
from cxr_core.errors import ImageError
from cxr_core.images import dicom
from cxr_core.images.gate import questioned
from cxr_core.images.version import PIXELS
from cxr_core.private import make_folder, private_lock
from cxr_core.settings import cache_dir, write_atomic

# Raise the first when the same pixels would have other traits.
VERSION = f"4-{PIXELS}"
SMALL_SIDE = 64
FACTS = (
    "brightness",
    "spread",
    "border_top",
    "border_bottom",
    "border_left",
    "border_right",
    "marker",
)
# The strip along each side, as a share of it.
_STRIP = 0.04
# A picture this large is enough for everything that is looked at.
_SIDE = 256
_THREADS = max(2, min(8, os.cpu_count() or 2))
_BATCH = 1024
_ROW = np.dtype(
    [
        ("digest", "S32"),
        ("hash", "u8"),
        ("mirrored", "u8"),
        ("small", "u1", (SMALL_SIDE, SMALL_SIDE)),
        ("facts", "f4", (len(FACTS),)),
        ("oddity", "S16"),
    ]
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Traits:
    """What was seen, a row for each row of the data set's samples.

    ``hashes`` and ``mirrored``: 64-bit perceptual hashes of the picture and of its mirror image, uint64 (N,);
    ``small``: the picture squeezed into 64 x 64, uint8 (N, 64, 64); ``facts``: columns ``FACTS``, float32 (N, 7),
    brightness in 0..255 and ``marker`` the share of it that is letters at the border; ``oddities``: "" or why an
    answer would be withheld, of :data:`cxr_core.images.gate.KINDS`; ``seen``: False where the picture could not be
    decoded.
    """

    hashes: NDArray[np.uint64]
    mirrored: NDArray[np.uint64]
    small: NDArray[np.uint8]
    facts: NDArray[np.float32]
    oddities: list[str]
    seen: NDArray[np.bool_]


def traits_of(dataset: Dataset, progress: Progress | None = None) -> Traits:
    """The traits of every picture of a data set. ``progress(done, total)`` is called in the calling thread."""
    digests = list(dataset.samples["digest"])
    files = dict(zip(digests, (dataset.path(file) for file in dataset.samples["file"]), strict=True))
    kept = _read(set(files))
    missing = [digest for digest in files if digest not in kept]
    report = progress or (lambda done, total: None)
    fresh: dict[str, np.void] = {}
    try:
        for done, (digest, row) in enumerate(_seen((digest, files[digest]) for digest in missing), start=1):
            if row is not None:
                fresh[digest] = row
            if done % 25 == 0 or done == len(missing):
                report(done, len(missing))
    finally:
        # What was read before it was stopped is kept.
        _keep(fresh)
    kept |= fresh
    blank = np.zeros((), _ROW)[()]
    rows = np.array([kept.get(digest, blank) for digest in digests], _ROW)
    return Traits(
        rows["hash"],
        rows["mirrored"],
        rows["small"],
        rows["facts"],
        [word.decode() for word in rows["oddity"]],
        np.array([digest in kept for digest in digests], bool),
    )


class Imprint(NamedTuple):
    """What a picture is known again by: 64-bit perceptual hashes of it and of its mirror image, and the picture in
    64 x 64 pixels.
    """

    hash: np.uint64
    mirrored: np.uint64
    small: NDArray[np.uint8]


def imprint(content: bytes, name: str) -> Imprint:
    """Raises ImageError where it cannot be decoded."""
    return _imprint(_reduced(content, name))


def kept_imprints(digests: Sequence[str]) -> tuple[list[str], NDArray[np.uint64], NDArray[np.uint8]]:
    """Those of ``digests`` whose traits were read before and are still kept, in order, with their hashes (N,) and small
    pictures (N, 64, 64).
    """
    kept = _read(set(digests))
    known = [digest for digest in dict.fromkeys(digests) if digest in kept]
    rows = np.array([kept[digest] for digest in known], _ROW)
    return known, rows["hash"], rows["small"]


def look_at(content: bytes, name: str) -> np.void:
    """The row of one picture. Raises ImageError where it cannot be decoded."""
    row: np.void = np.zeros(1, _ROW)[0]
    row["digest"] = images.content_digest(content).encode()
    reduced = _reduced(content, name)
    row["hash"], row["mirrored"], row["small"] = _imprint(reduced)
    row["facts"] = _facts(np.asarray(reduced))
    row["oddity"] = _odd(content, name).encode()
    return row


def _reduced(content: bytes, name: str) -> Image.Image:
    picture = images.decode(content, name, side=_SIDE)
    return picture.resize((4 * SMALL_SIDE, 4 * SMALL_SIDE), Image.Resampling.BOX, reducing_gap=2.0)


def _imprint(reduced: Image.Image) -> Imprint:
    return Imprint(
        _bits(imagehash.phash(reduced)),
        _bits(imagehash.phash(reduced.transpose(Image.Transpose.FLIP_LEFT_RIGHT))),
        np.asarray(reduced.resize((SMALL_SIDE, SMALL_SIDE), Image.Resampling.BOX)),
    )


def _odd(content: bytes, name: str) -> str:
    doubt = questioned(content, name, images.pixels(content, name, 224), dicom.facts(content))
    return doubt.kind if doubt else ""


def _bits(hashed: imagehash.ImageHash) -> np.uint64:
    return np.uint64(int.from_bytes(np.packbits(hashed.hash.ravel()).tobytes(), "big"))


def _facts(squeezed: NDArray[np.uint8]) -> list[float]:
    """Values of ``FACTS`` for a picture squeezed into a square, uint8 (256, 256)."""
    picture = squeezed.astype(np.float32)
    side = len(picture)
    strip = round(_STRIP * side)
    edges = (picture[:strip], picture[-strip:], picture[:, :strip], picture[:, -strip:])
    means = [float(edge.mean()) for edge in edges]
    return [float(picture.mean()), float(picture.std()), *means, share_of_letters(squeezed)]


def _seen(items: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, np.void | None]]:
    items = list(items)

    def one(item: tuple[str, Path]) -> np.void | None:
        try:
            return look_at(images.read_bytes(item[1]), item[1].name)
        except ImageError:
            # It could be read at the scan: gone or damaged since, and named at the next scan.
            return None

    with ThreadPoolExecutor(_THREADS) as threads:
        for start in range(0, len(items), _BATCH):
            batch = items[start : start + _BATCH]
            for item, row in zip(batch, threads.map(one, batch), strict=True):
                yield item[0], row


def _shards(digests: Iterable[str]) -> dict[Path, list[str]]:
    """The files that hold the rows of these digests: 16, so that one image more does not rewrite them all. Their folder
    is called "looks", as what earlier versions kept there is still read.
    """
    shards: dict[Path, list[str]] = {}
    for digest in digests:
        shards.setdefault(cache_dir() / "looks" / f"{VERSION}-{digest[:1]}.npy", []).append(digest)
    return shards


def _load(path: Path) -> NDArray[np.void]:
    """A file of rows; damaged or of another form, it counts as absent."""
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return np.zeros(0, _ROW)
    return rows if rows.dtype == _ROW else np.zeros(0, _ROW)


def _read(digests: set[str]) -> dict[str, np.void]:
    kept: dict[str, np.void] = {}
    for path in _shards(digests):
        rows = _load(path)
        for digest, row in zip(rows["digest"], rows, strict=True):
            if (word := digest.decode()) in digests:
                kept[word] = row
    return kept


def _keep(fresh: dict[str, np.void]) -> None:
    for path, digests in _shards(fresh).items():
        make_folder(path.parent)
        with private_lock(path.with_suffix(".lock")):
            kept = _load(path)
            new = np.array([fresh[digest] for digest in digests], _ROW)
            buffer = BytesIO()
            np.save(buffer, np.concatenate([kept[~np.isin(kept["digest"], new["digest"])], new]), allow_pickle=False)
            write_atomic(path, buffer.getvalue())
