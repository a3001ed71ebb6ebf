"""A data set to begin with: drawn chest radiographs in three classes, with patients and sources.

``draw(out, images, seed)`` writes ``out/{train,test}/CLASS/*.png``, ``out/sources.csv`` and ``out/ABOUT.md``. The same
images and seed give the same bytes. They are drawings: nothing learned from them says anything about a patient.
"""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cxr_core import sheets
from cxr_core.demo.phantom import FINDINGS, SOURCES, phantom
from cxr_core.demo.place import Progress, check, placed, written

TEST_SHARE = 0.25
# Unequal, as in life: the class distribution then has something to show.
_SHARES = {"COVID19": 0.28, "NORMAL": 0.36, "PNEUMONIA": 0.36}
_VERSION = 1
_ABOUT = """# Drawings, not X-rays

The pictures in this folder were drawn by a program. They are shaped like chest radiographs so that the software can
be tried and tested without any. No patient was X-rayed for them, "patient" and "source" in sources.csv are
inventions, and nothing that a model learns from them says anything about a real image.

- COVID19: patchy haze along the walls of both lungs
- PNEUMONIA: one lobe of one lung filled
- NORMAL: neither
"""


@dataclass(frozen=True)
class _Shot:
    """One picture to draw: its file and the arguments of :func:`cxr_core.demo.phantom.phantom`."""

    file: str
    patient: int
    shot: int
    finding: str
    source: str


def draw(
    out: Path,
    images: int = 600,
    seed: int = 0,
    progress: Progress | None = None,
    shortcut: bool = False,
) -> Path:
    """Draw ``images`` pictures (12 to 20000) into the folder ``out`` and return it; ``seed`` >= 0.

    About a quarter of each class is the test split. One to three pictures per patient, no patient in both splits, and
    the source is drawn without regard to the class; with ``shortcut`` each class has a source of its own, as in many
    published sets, so that a network can score well without looking at a lung. ``progress(done, total)`` is called in
    the calling thread.
    An ``out`` that already holds the very same pictures is returned as it is.

    Raises DatasetError where ``images`` or ``seed`` is out of range, or ``out`` is not empty or cannot be written.
    """
    check(images, seed)
    marker = json.dumps(
        {"version": _VERSION, "images": images, "seed": seed} | ({"shortcut": True} if shortcut else {})
    )
    plan = _plan(images, seed, shortcut)
    return placed(out, marker, images, partial(_write, plan=plan, seed=seed, progress=progress))


def _plan(images: int, seed: int, shortcut: bool) -> list[_Shot]:
    """All pictures of a data set, sorted by file."""
    random = np.random.default_rng([seed, images])
    counts = {finding: round(images * _SHARES[finding]) for finding in FINDINGS}
    counts["NORMAL"] += images - sum(counts.values())
    patients: list[tuple[str, str, int]] = []
    for finding, count in counts.items():
        in_test = max(1, round(count * TEST_SHARE))
        for split, missing in (("train", count - in_test), ("test", in_test)):
            while missing:
                shots = min(missing, int(random.choice([1, 2, 3], p=[0.5, 0.3, 0.2])))
                patients.append((split, finding, shots))
                missing -= shots
    names = list(SOURCES)
    plan = []
    # A patient's number must not tell the class.
    for number, chosen in enumerate(random.permutation(len(patients)), start=1):
        split, finding, shots = patients[int(chosen)]
        source = names[int(random.integers(len(names)))]
        if shortcut:
            source = names[FINDINGS.index(finding)]
        for shot in range(shots):
            file = f"{split}/{finding}/p{number:05d}_{shot + 1}.png"
            plan.append(_Shot(file, number, shot, finding, source))
    return sorted(plan, key=lambda planned: planned.file)


def _write(folder: Path, plan: list[_Shot], seed: int, progress: Progress | None) -> None:
    for parent in sorted({(folder / planned.file).parent for planned in plan}):
        parent.mkdir(parents=True, exist_ok=True)

    def write(planned: _Shot) -> None:
        picture = phantom(planned.patient, planned.shot, planned.finding, planned.source, seed)
        Image.fromarray(picture).save(folder / planned.file, "PNG", compress_level=3)

    written(plan, write, progress)
    rows = [(planned.file, f"p{planned.patient:05d}", planned.source) for planned in plan]
    table = sheets.written(pd.DataFrame(rows, columns=["file", "patient", "source"]))
    (folder / "sources.csv").write_text(table, encoding="utf-8")
    (folder / "ABOUT.md").write_text(_ABOUT, encoding="utf-8")
