"""Where drawings are put: a whole folder or none, and never over somebody's files."""

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from cxr_core.disk import room_for, why_full
from cxr_core.errors import DatasetError
from cxr_core.paths import given

MIN_IMAGES, MAX_IMAGES = 12, 20_000
_MARKER = ".demo.json"
_Picture = TypeVar("_Picture")
Progress = Callable[[int, int], None]


def is_drawn(folder: Path) -> bool:
    """True where ``folder`` holds pictures that were drawn here."""
    return (folder / _MARKER).is_file()


def check(images: int, seed: int) -> None:
    """Raises DatasetError where so many pictures cannot be drawn, or the seed is no seed."""
    if not MIN_IMAGES <= images <= MAX_IMAGES or seed < 0:
        raise DatasetError(
            f"Expected {MIN_IMAGES} to {MAX_IMAGES} images and a seed of at least 0, "
            f"got {images} images and seed {seed}."
        )


def placed(out: Path, marker: str, images: int, write: Callable[[Path], None]) -> Path:
    """``write`` a folder of ``images`` pictures and put it at ``out``, where it is returned as it is if ``marker`` says
    that it holds these already. Raises DatasetError where ``out`` is not empty or cannot be written.
    """
    out = given(out)
    with room_for(out):
        try:
            if _holds(out, marker, images):
                return out
            out.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as temporary:
                folder = Path(temporary) / "drawn"
                write(folder)
                (folder / _MARKER).write_text(marker, encoding="utf-8")
                _put(folder, out, marker, images)
        except OSError as error:
            if why_full(error):
                raise
            raise DatasetError(
                f"{out}: the pictures cannot be written there ({error.strerror}). Choose another folder."
            ) from error
    return out


def written(plan: Sequence[_Picture], write: Callable[[_Picture], None], progress: Progress | None) -> None:
    """Write every picture of the plan, a few at a time; ``progress(done, total)`` is called in the calling thread."""
    threads = ThreadPoolExecutor(min(4, os.cpu_count() or 1))
    try:
        for done, _ in enumerate(threads.map(write, plan), start=1):
            if progress and (done % 10 == 0 or done == len(plan)):
                progress(done, len(plan))
    finally:
        threads.shutdown(cancel_futures=True)


def _holds(out: Path, marker: str, images: int) -> bool:
    """True where ``out`` holds these pictures, False where it is free; DatasetError where it holds anything else."""
    if not os.path.lexists(out) or (out.is_dir() and not any(out.iterdir())):
        return False
    marked = out / _MARKER
    if marked.is_file() and marked.read_text(encoding="utf-8", errors="replace") == marker:
        found = sum(1 for _ in out.rglob("*.png"))
        if found == images:
            return True
        raise DatasetError(
            f"{out}: expected the {images} drawn images, found {found}. Delete the folder and draw again."
        )
    raise DatasetError(f"{out}: expected a new or empty folder, found something else there. Choose another folder.")


def _put(folder: Path, out: Path, marker: str, images: int) -> None:
    try:
        if out.is_dir():
            out.rmdir()
        folder.rename(out)
    except OSError:
        # Someone else drew into it meanwhile: theirs is as good if it is the same.
        if not _holds(out, marker, images):
            raise
