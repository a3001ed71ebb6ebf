"""What a scan may take: so many files, so much time. It counts what is found, says so, and ends what gets too large.

    budget = Budget(root, report)
    budget.found()        # a file was met; raises DatasetError above the limit
    budget.check()        # raises DatasetError when the time is over

``report(done, total)`` is called on the way; total is 0 while nobody knows how many files there are.
"""

import time
from collections.abc import Callable
from pathlib import Path

from cxr_core.errors import DatasetError
from cxr_core.figures import of
from cxr_core.settings import scan_files, scan_seconds

Progress = Callable[[int, int], None]
# Seconds between reports, so that whoever stops the scan need not wait, and a scan does not wait for its reports.
_PAUSE = 0.2
# So many files, and no image among them: this is no data set.
HOPELESS = 10_000


class Budget:
    """The limits of one scan of ``root``, from the environment (``settings.scan_files``, ``settings.scan_seconds``)."""

    def __init__(self, root: Path, report: Progress | None = None) -> None:
        self._root, self._report = root, report or (lambda done, total: None)
        self._files, self._seconds = scan_files(), scan_seconds()
        self._started = self._told = time.monotonic()
        self._count = 0

    def found(self) -> None:
        """Count a file that was met."""
        self._count += 1
        if self._count > self._files:
            raise DatasetError(
                f"{self._root}: more than {self._files:,} files, the limit of a scan. Choose the folder of the images "
                "itself, or raise the limit with CXR_SCAN_FILES."
            )
        if self._count % 50 == 0:
            self.check()

    def again(self) -> None:
        """Begin to count anew: the same files are walked once more."""
        self._count = 0

    def read(self, done: int, total: int, images: int) -> None:
        """``done`` of ``total`` files were read, ``images`` of them are images."""
        self._tell(done, total)
        self._check(f" after {of(done, total)} files; what was read is kept, so the next scan goes on from there")
        if done == HOPELESS and not images:
            raise DatasetError(
                f"{self._root}: none of the first {done:,} files is an image. Choose the folder of the images itself."
            )

    def check(self) -> None:
        """Raise DatasetError when the time is over, while files are being found."""
        self._tell(self._count, 0)
        self._check()

    def _tell(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told > _PAUSE or 0 < done == total:
            self._told = now
            self._report(done, total)

    def _check(self, after: str = "") -> None:
        if time.monotonic() - self._started > self._seconds:
            raise DatasetError(
                f"{self._root}: the scan took longer than {self._seconds / 60:,.0f} minutes{after}. Choose a smaller "
                "folder, scan again, or raise the limit with CXR_SCAN_MINUTES."
            )
