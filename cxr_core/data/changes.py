"""Tables beside the runs that pages and commands change: one change at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from cxr_core.disk import full, why_full
from cxr_core.errors import DatasetError
from cxr_core.private import make_folder, private_lock

_PATIENCE_SECONDS = 10


@contextmanager
def changing(file: Path) -> Iterator[None]:
    """One change of ``file`` at a time, whoever makes it. Raises DatasetError where it is held or cannot be written."""
    try:
        make_folder(file.parent)
        with private_lock(file.with_name(f".{file.name}.lock"), timeout=_PATIENCE_SECONDS):
            yield
    except Timeout:
        raise DatasetError(f"{file} is being changed by another process. Try again in a moment.") from None
    except OSError as error:
        if reason := why_full(error):
            raise full(reason, file) from None
        raise DatasetError(
            f"{file} cannot be written ({error.strerror}). Free some space, or fix its permissions."
        ) from None
