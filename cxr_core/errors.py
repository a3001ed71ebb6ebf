"""What a person can fix.

Every error that comes from a file, a form, a flag or a folder is a ``CxrError``; its message says what was
expected, what came and what to do. Anything else is a bug and stays loud::

    CxrError
    ├── ConfigError     a hyperparameter out of its range, or two that contradict each other
    ├── DatasetError    a folder, table or archive that is not a data set
    │   ├── LeakError   one whose test pictures are in training: fix it, or say train anyway
    │   └── QuestionError   one that only a person can say how to read
    ├── ImageError      a file that is not a readable image
    │   └── CutShortError   one whose end is missing
    ├── WeightsError    pretrained weights that cannot be fetched, read or fitted to the backbone
    ├── RunError        a run that is missing, unfinished, busy or damaged
    └── DiskError       a disk that has no room for what is written
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class CxrError(Exception):
    """Base of all errors a person can fix. ``str(error)`` is the whole message, fit for a page or a terminal."""


class ConfigError(CxrError):
    """A hyperparameter is out of its range, or two contradict each other."""


class DatasetError(CxrError):
    """A folder, table or archive does not hold a data set of the expected shape."""


class LeakError(DatasetError):
    """The audit found pictures of the test in training, and nobody said to train anyway."""


@dataclass(frozen=True)
class Question:
    """What only a person can say of a data set, and why. ``proposal``: how it would be read if nobody objects, None
    where there is no way to propose: ``description`` (of a table) or ``rules`` as :mod:`cxr_core.data.answers` keeps
    them.
    """

    asks: str
    because: str
    proposal: Mapping[str, Any] | None = None


class QuestionError(DatasetError):
    """A folder or table could be read in several ways: ``question`` is put to a person."""

    def __init__(self, message: str, question: Question) -> None:
        super().__init__(message)
        self.question = question


class ImageError(CxrError):
    """A file cannot be read as an image, or is over a limit."""


class CutShortError(ImageError):
    """An image file ends before the image does, as after a download or a copy that was not finished."""


class WeightsError(CxrError):
    """Weights cannot be downloaded, read, or do not fit the network."""


class RunError(CxrError):
    """A run is missing, unfinished, busy or damaged."""


class DiskError(CxrError):
    """A disk has no room for what is written."""
