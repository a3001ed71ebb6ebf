"""Files of weights that are downloaded once: where they are kept, from where they come, how far they are.

url = mirrored("https://somewhere/models/resnet18-f37072fd.pth")     # or from CXR_WEIGHTS_MIRROR
with watching(kept(url), total, progress): ...
"""

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

from cxr_core.errors import WeightsError

Progress = Callable[[int, int], None]


def mirrored(url: str, name: str = "") -> str:
    """The address of a file: on the mirror where one is set, under ``name`` or its own."""
    mirror = os.environ.get("CXR_WEIGHTS_MIRROR")
    if mirror and not mirror.startswith(("http://", "https://", "file://")):
        raise WeightsError(f"CXR_WEIGHTS_MIRROR: expected an address such as http://server/folder, got {mirror}.")
    return f"{mirror.rstrip('/')}/{name or Path(url).name}" if mirror else url


def kept(name: str) -> Path:
    """Where a downloaded file lies: in torch's folder, which TORCH_HOME moves."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(name).name


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_line(error: object) -> str:
    """What an error says, in one line."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


class watching:
    """Tells ``progress`` how many bytes of a download have arrived, by looking at the growing file."""

    def __init__(self, file: Path, total: int, progress: Progress | None) -> None:
        self.file, self.total, self.progress = file, total, progress
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        if self.progress is not None:
            self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        if self.progress is not None:
            self.thread.join()

    def _watch(self) -> None:
        assert self.progress is not None
        while not self.ended.wait(0.5):
            with suppress(FileNotFoundError):  # renamed between the listing and the look at its size
                for part in self.file.parent.glob(f"{self.file.name}.*partial"):
                    self.progress(part.stat().st_size, self.total)
