"""What was done to a file on its way to the grey picture: a record that comes with the pixels, for people to check.

    decoded = dicom.decoded(content, name)
    decoded.picture                                  # mode "L", the same pixels as everywhere
    for step in decoded.steps:
        print(step.kind, step.text, step.corrected, step.numbers)

A step is one thing that was done, in the order in which it was done. ``text`` is one plain sentence of our own words
and of numbers: never text out of the file, which may name a patient. ``corrected`` marks where the file left out, or
contradicted, what it should have said, and was read in the way that ``text`` says. ``numbers`` are the figures of the
sentence, for JSON.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from PIL import Image

Kind = Literal[
    "file",  # format, compression, size
    "frames",  # which of several pictures, where there is any doubt
    "colour",  # RGB, YBR, a palette, alpha -> grey
    "bits",  # depth, alignment, sign: what the stored numbers are
    "padding",  # values that are no picture
    "modality",  # DICOM's modality LUT, or rescale slope and intercept
    "voi",  # DICOM's VOI LUT or window
    "range",  # which number is black and which is white, where no window says so
    "inversion",  # MONOCHROME1, white-is-zero, a negative slope
    "turn",  # orientation by EXIF
]


@dataclass(frozen=True)
class Step:
    """One thing that was done to the stored values, as the module says."""

    kind: Kind
    text: str
    corrected: bool = False
    numbers: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Decoded:
    """A grey picture (mode "L", white is dense) and how it came about."""

    picture: Image.Image
    steps: tuple[Step, ...]
