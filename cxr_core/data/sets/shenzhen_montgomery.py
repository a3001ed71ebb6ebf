"""Shenzhen and Montgomery (NLM): the last digit of a name is the label, a text file beside tells of the person."""

import re
from pathlib import Path

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, trees, values
from cxr_core.data.sets.draft import Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.findings import EXCLUSIVE

_NAME = r"^(CHNCXR|MCUCXR)_\d+_([01])\.\w+$"
# "male 45yrs" in one set, "Patient's Sex: F" in the other.
_SEX = re.compile(r"\b((?:fe)?male\b|(?<=sex: )[mf]\b)", re.IGNORECASE)
_LABELS = {"0": "Normal", "1": "Tuberculosis"}
_SOURCES = {"CHNCXR": "Shenzhen", "MCUCXR": "Montgomery"}


def _finds(place: Place) -> list[Path]:
    if place.chosen is not None:
        return []
    inside = place.named("CXR_png") or (["."] if place.root.name == "CXR_png" else [])
    if not inside or not (place.named("ClinicalReadings", "ManualMask") or _is_part(place)):
        return []
    return [place.root / folder for folder in inside]


def _is_part(place: Place) -> bool:
    """Whether the folder is, or holds, one of the two under its own name, without readings."""
    names = (*place.root.parts[-2:], *(folder.rsplit("/", 1)[-1] for folder in place.folders))
    return any(name.lower() in ("chinaset_allfiles", "montgomeryset") for name in names)


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    files, index = trees.images(place, budget)
    named = files["name"].str.extract(_NAME)
    own = named[0].notna()
    if not own.any():
        raise DatasetError(f"{place.root}: no image is called CHNCXR_n_0 or MCUCXR_n_1, as those of the set are.")
    stem = files["name"].str.rsplit(".", n=1).str[0].astype("str")
    told = _readings(place)
    text = stem.map(told).fillna("").astype("str")
    images = files[["file"]].assign(
        patient=stem,
        age=values.ages(text.str.extract(r"(\d+)\s*(?:y|Y)", expand=False).fillna("")),
        sex=values.sex(text.str.extract(_SEX, expand=False).fillna("")),
        view="PA",
        source=named[0].map(_SOURCES).fillna("").astype("str"),
        label=named[1].map(_LABELS).fillna("").astype("str"),
    )
    draft = Draft(place, rules, images)
    draft.left_out.append(("masks", len(index.masks)))
    trees.outside(draft, ~own, "images have no name of the set and are left out.")
    return draft.record([], task=EXCLUSIVE, rule="The last digit of the name: 0 normal, 1 tuberculosis.")


def _readings(place: Place) -> dict[str, str]:
    """Name of an image -> the free text of its clinical reading."""
    own = [path for path in place.texts if path.parent.name == "ClinicalReadings" and path.suffix.lower() == ".txt"]
    return {path.stem: " ".join(tables.lines(path)) for path in own}


READER = Reader(
    "Shenzhen and Montgomery",
    _finds,
    _reads,
    "Jaeger et al., Quantitative Imaging in Medicine and Surgery 2014; US National Library of Medicine.",
    overlaps={"TBX11K": "TBX11K contains Shenzhen and Montgomery"},
)
