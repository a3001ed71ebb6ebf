"""A data set of drawn chests with several findings at once: ``draw_findings(out, images, seed)``.

It writes ``out/labels.csv`` (one row an image, one column a finding: 1, 0, -1 for uncertain, or blank), ``out/images``
and ``out/ABOUT.md``. The same images and seed give the same bytes. They are drawings, as in ``draw``.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from cxr_core import sheets
from cxr_core.demo.anatomy import Anatomy, chest
from cxr_core.demo.illness import NAMES, enlarged, shadows
from cxr_core.demo.lateral import side_view
from cxr_core.demo.patients import NONE, Shot, patients
from cxr_core.demo.phantom import DRAWN, SOURCES, exposed, field, grid
from cxr_core.demo.place import Progress, check, placed, written

TABLE = "labels.csv"
_VERSION = 2
_ABOUT = """# Drawings, not X-rays

The pictures in this folder were drawn by a program. They are shaped like chest radiographs so that the software can
be tried and tested without any. No patient was X-rayed for them; patients, ages, sexes and sources in labels.csv are
inventions, and nothing that a model learns from them says anything about a real image.

labels.csv has one row an image and one column a finding: 1 it is there, 0 it is not, -1 a reader was not sure, blank
nobody mentioned it. An image has any number of findings.

- Cardiomegaly: the heart is too wide
- Consolidation: one lobe of one lung filled
- Nodule: a small round shadow in one lung
- Pleural Effusion: fluid at the bottom of one lung
- Pneumothorax: air between one lung and its wall
- Support Devices: a catheter or a pacemaker
- No Finding: none of these, devices aside
"""


def draw_findings(out: Path, images: int = 600, seed: int = 0, progress: Progress | None = None) -> Path:
    """Draw ``images`` pictures (12 to 20000) into the folder ``out`` and return it; ``seed`` >= 0. ``progress`` and
    errors as for ``draw``.
    """
    check(images, seed)
    marker = json.dumps({"version": _VERSION, "images": images, "seed": seed, "findings": True})
    plan = patients(images, seed)
    return placed(out, marker, images, partial(_write, plan=plan, seed=seed, progress=progress))


def drawing(shot: Shot, seed: int) -> NDArray[np.uint8]:
    """One picture, (H, W). The patient decides the anatomy and where a finding is, the study its course."""
    body = np.random.default_rng([seed, shot.patient])
    film = np.random.default_rng([seed, shot.patient, shot.study, shot.shot])
    texture = np.random.default_rng([seed, shot.patient, shot.study, shot.shot, 1])
    tone, blur, grain, border, shape = SOURCES[shot.source]
    height = int(film.integers(256, 304))
    width = round(height * (0.86 if shot.view == "LATERAL" else shape) * film.uniform(0.97, 1.03))
    anatomy = Anatomy.draw(body)
    anatomy = replace(anatomy, breast=0.05 + 0.6 * anatomy.breast if shot.sex == "F" else 0.0)
    x, y = grid(round(height * DRAWN), round(width * DRAWN), film)
    if shot.view == "LATERAL":
        picture: NDArray[np.floating] = side_view(anatomy, shot.severities, x, y)
    else:
        anatomy = enlarged(anatomy, shot.severities)
        if shot.view == "AP":
            # Nearer to the tube than to the film: the heart looks larger than it is, and the film is grainy.
            centre, wide, high = anatomy.heart
            anatomy, grain = replace(anatomy, heart=(centre, 1.07 * wide, 1.04 * high)), 1.4 * grain
        drawn = chest(anatomy, x, y)
        picture = drawn.attenuation + shadows(drawn, anatomy, shot.severities, body, texture)
    picture = picture + 0.03 * field(film, picture.shape, 5)
    enlarged_picture = Image.fromarray(picture.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(exposed(np.asarray(enlarged_picture), film, tone, blur, grain, border), np.uint8)


def _write(folder: Path, plan: list[Shot], seed: int, progress: Progress | None) -> None:
    (folder / "images").mkdir(parents=True)

    def write(shot: Shot) -> None:
        Image.fromarray(drawing(shot, seed)).save(folder / shot.file, "PNG", compress_level=3)

    written(plan, write, progress)
    rows = [
        {
            "file": shot.file,
            "patient": shot.person,
            "study": f"{shot.person}_s{shot.study}",
            "age": shot.age,
            "sex": shot.sex,
            "view": shot.view,
            "source": shot.source,
            **{name: shot.labels[name] for name in (NONE, *NAMES)},
        }
        for shot in plan
    ]
    (folder / TABLE).write_text(
        sheets.written(pd.DataFrame(rows).astype(dict.fromkeys((NONE, *NAMES), float))), "utf-8"
    )
    (folder / "ABOUT.md").write_text(_ABOUT, encoding="utf-8")
