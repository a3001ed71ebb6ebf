"""Findings of two data sets that are the same finding, matched by their names; the rule is told with each.

    matched(["Effusion", "Nodule"], ["Pleural effusion", "Mass"])
    # [Match("Effusion", "Pleural effusion", "another spelling")]

What means none of the findings is derived from the others, and matches nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cxr_core.findings import means_none

SAME, SIGNS, SPELLING = "the same name", "the same but for case and signs", "another spelling"
# Whole names, never parts of one: a rib fracture is no clavicle fracture.
_SPELLINGS = (
    ("effusion", "pleural effusion"),
    ("infiltration", "infiltrate", "infiltrates"),
    ("hernia", "hiatal hernia"),
    ("fibrosis", "pulmonary fibrosis"),
    ("nodule or mass", "nodule mass"),
    ("support devices", "support device", "device", "devices"),
    ("interstitial lung disease", "ild"),
    ("covid19", "covid", "covid 19", "sars cov 2"),
    ("tuberculosis", "tb"),
    ("lung opacity", "airspace opacity"),
)


class Match(NamedTuple):
    """``ours`` and ``theirs`` are one finding, by ``rule``."""

    ours: str
    theirs: str
    rule: str


def matched(ours: Sequence[str], theirs: Sequence[str]) -> list[Match]:
    """At most one of ``theirs`` for each of ``ours``, and the other way round, in the order of ``ours``; the strictest
    rule first.
    """
    open_ours = [name for name in ours if not means_none(name)]
    open_theirs = [name for name in theirs if not means_none(name)]
    found: dict[str, Match] = {}
    for rule, key in ((SAME, str), (SIGNS, _plain), (SPELLING, _usual)):
        by_key: dict[str, list[str]] = {}
        for name in open_theirs:
            by_key.setdefault(key(name), []).append(name)
        for name in [name for name in open_ours if name not in found]:
            fitting = by_key.get(key(name), [])
            if len(fitting) == 1 and sum(key(other) == key(name) for other in open_ours if other not in found) == 1:
                found[name] = Match(name, fitting[0], rule)
                open_theirs.remove(fitting[0])
    return [found[name] for name in ours if name in found]


def _plain(name: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in name.casefold()).split())


def _usual(name: str) -> str:
    plain = _plain(name)
    return next((group[0] for group in _SPELLINGS if plain in group), plain)
