"""The people of the drawn findings: who they are, what they have, and what a reader would have written of it.

``patients(images, seed)`` gives every picture to draw: each person has one or two studies, each study a frontal view
and at times a lateral one. A finding is more common with age, or beside another; a faint one is often called uncertain,
and what nobody mentioned stays blank, as in sets whose labels were mined from reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cxr_core.demo.illness import CARDIOMEGALY, CONSOLIDATION, DEVICES, EFFUSION, NAMES, NODULE, PNEUMOTHORAX
from cxr_core.demo.phantom import SOURCES

NONE = "No Finding"
View = Literal["PA", "AP", "LATERAL"]
# How often each is there, of persons of 55 years.
_COMMON = {CARDIOMEGALY: 0.17, CONSOLIDATION: 0.17, NODULE: 0.13, EFFUSION: 0.15, PNEUMOTHORAX: 0.12, DEVICES: 0.12}
# What makes it more common: another finding, and how much is added.
_WITH = {
    EFFUSION: {CARDIOMEGALY: 0.3, CONSOLIDATION: 0.15},
    DEVICES: {PNEUMOTHORAX: 0.35, CARDIOMEGALY: 0.2, EFFUSION: 0.15},
}
_OLDER = (CARDIOMEGALY, EFFUSION, NODULE)
_STAYS, _SECOND_STUDY, _LATERAL = 0.75, 0.35, 0.16
_FAINT, _DOUBTED, _DOUBTED_ABSENT, _UNSAID = 0.25, 0.45, 0.03, 0.3


@dataclass(frozen=True)
class Shot:
    """One picture. ``severities``: finding -> 0..1, those that are there. ``labels``: finding -> 1, 0, -1, or None if
    nobody mentioned it.
    """

    patient: int
    study: int
    shot: int
    age: int
    sex: Literal["F", "M"]
    view: View
    source: str
    severities: Mapping[str, float]
    labels: Mapping[str, float | None]

    @property
    def person(self) -> str:
        return f"p{self.patient:05d}"

    @property
    def file(self) -> str:
        return f"images/{self.person}_s{self.study}_{self.shot}.png"


def patients(images: int, seed: int) -> list[Shot]:
    """``images`` pictures, sorted by patient, study and picture. The same arguments give the same ones."""
    random = np.random.default_rng([seed, images, 2])
    plan: list[Shot] = []
    number = 0
    while len(plan) < images:
        number += 1
        plan += _of_patient(number, random)
    return plan[:images]


def _of_patient(number: int, random: np.random.Generator) -> list[Shot]:
    age = int(np.clip(random.normal(56, 19), 5, 95))
    sex: Literal["F", "M"] = "F" if random.random() < 0.46 else "M"
    source = list(SOURCES)[int(random.integers(len(SOURCES)))]
    had: Mapping[str, float] = {}
    shots: list[Shot] = []
    for study in range(1, 3 if random.random() < _SECOND_STUDY else 2):
        had = _course(had, age, random)
        said = _labels(had, random)
        # The sick and those with tubes are X-rayed in bed.
        views: list[View] = ["AP" if random.random() < (0.65 if DEVICES in had else 0.22) else "PA"]
        if random.random() < _LATERAL:
            views.append("LATERAL")
        shots += [
            Shot(number, study, shot, age, sex, view, source, had, said) for shot, view in enumerate(views, start=1)
        ]
    return shots


def _course(before: Mapping[str, float], age: int, random: np.random.Generator) -> dict[str, float]:
    """What is there in a study, given what was there in the study before."""
    has: dict[str, float] = {}
    for name in NAMES:
        share = _COMMON[name] * (float(np.clip(0.2 + age / 70, 0.3, 1.5)) if name in _OLDER else 1)
        share += sum(more for other, more in _WITH.get(name, {}).items() if other in has)
        if before:
            share = _STAYS if name in before else share * 0.5
        there, severity = random.random() < share, random.beta(1.6, 1.4)
        if there:
            has[name] = float(np.clip(before.get(name, severity) + (0.1 * (severity - 0.5) if before else 0), 0, 1))
    return has


def _labels(has: Mapping[str, float], random: np.random.Generator) -> dict[str, float | None]:
    """As a reader would write it."""
    said: dict[str, float | None] = {}
    for name in NAMES:
        doubt, unsaid = random.random(), random.random() < _UNSAID
        if name in has:
            said[name] = -1.0 if has[name] < _FAINT and doubt < _DOUBTED else 1.0
        else:
            said[name] = -1.0 if doubt < _DOUBTED_ABSENT else None if unsaid else 0.0
    findings = [said[name] for name in NAMES if name != DEVICES]
    # Whoever doubts a finding says neither that there is one nor that there is none.
    said[NONE] = 0.0 if 1.0 in findings else None if -1.0 in findings else 1.0
    return said
