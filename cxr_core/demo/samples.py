"""A few drawings to try an answer with, of nobody whom a demo data set has: no model has learnt from them.

for title, file, content in samples(findings=False): ...
"""

from io import BytesIO
from typing import NamedTuple

from PIL import Image

from cxr_core.demo.findings import drawing
from cxr_core.demo.patients import NONE, patients
from cxr_core.demo.phantom import FINDINGS, phantom

# Data sets are drawn with the seeds that people type; nobody types this one.
_SEED = 2**31 - 1
_SHOWN = 3


class Sample(NamedTuple):
    """``title``: what is drawn on it; ``file``: a name; ``content``: a PNG."""

    title: str
    file: str
    content: bytes


def samples(findings: bool) -> list[Sample]:
    """One for each class of the demo data set; with ``findings`` one without and some with a finding."""
    if not findings:
        return [
            _sample(name, Image.fromarray(phantom(number, 0, name, "drawn-a", _SEED)))
            for number, name in enumerate(FINDINGS, start=1)
        ]
    found: dict[str, Sample] = {}
    for shot in patients(200, _SEED):
        title = " and ".join(shot.severities) or NONE
        if shot.view == "PA" and len(shot.severities) < 2 and title not in found:
            found[title] = _sample(title, Image.fromarray(drawing(shot, _SEED)))
        if len(found) == _SHOWN:
            break
    return list(found.values())


def _sample(title: str, picture: Image.Image) -> Sample:
    content = BytesIO()
    picture.save(content, "PNG")
    return Sample(title, f"drawn-{title.lower().replace(' ', '-')}.png", content.getvalue())
