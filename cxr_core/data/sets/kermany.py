"""Kermany's chest_xray (Kaggle): children of one to five years, ``{train,test,val}/{NORMAL,PNEUMONIA}``."""

import itertools
import re
from pathlib import Path, PurePosixPath

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.folder import Folder
from cxr_core.data.listing import SPLIT_NAMES
from cxr_core.data.sets import trees
from cxr_core.data.sets.draft import Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.figures import of
from cxr_core.findings import EXCLUSIVE

_CLASSES = {"NORMAL", "PNEUMONIA"}
_CAUSE = r"person\d+_(bacteria|virus)_"
_PERSON = r"(person\d+|IM-\d+)"
_FEW = 50


def _finds(place: Place) -> list[Path]:
    """Split folders with these two classes and no other, and a cause of pneumonia in the names of the sick."""
    if place.chosen is not None:
        return []
    found = []
    for folder in place.named("train", "test", "val"):
        inside = {name.rsplit("/", 1)[-1] for name in place.folders if str(PurePosixPath(name).parent) == folder}
        if inside == _CLASSES and _has_cause(place.root / folder / "PNEUMONIA"):
            found.append(place.root / folder)
    return found


def _has_cause(path: Path) -> bool:
    return any(re.search(_CAUSE, file.name) for file in itertools.islice(Folder(path).files(path), _FEW))


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    files, _ = trees.images(place, budget)
    split = files["above"].str.lower().map(SPLIT_NAMES).fillna("").astype("str")
    person = files["name"].str.extract(_PERSON, expand=False).fillna("")
    label = files["folder"]
    if rules["pneumonia"] == "by cause":
        cause = files["name"].str.extract(_CAUSE, expand=False)
        label = ("PNEUMONIA " + cause).where((label == "PNEUMONIA") & cause.notna(), label)
    # Whether person1 of train is person1 of test is written nowhere.
    patient = (split + "/" + person).where(person != "", "")
    draft = Draft(place, rules, files[["file"]].assign(patient=patient, view="AP", label=label, split=split))
    own = files["folder"].isin(_CLASSES) & (split != "")
    trees.outside(draft, ~own, "images lie in no class folder of a split and are left out.")
    # The archive holds the whole set a second time, one folder deeper.
    depth = files["file"].str.count("/")
    end = split + "/" + files["folder"] + "/" + files["name"]
    first = depth == depth.groupby(end).transform("min")
    draft.leave_out("copies", ~(first & ~end[first].duplicated().reindex(end.index, fill_value=False)))
    if rules["pneumonia"] == "by cause":
        draft.problem(label[own] == "PNEUMONIA", "images of pneumonia do not tell the cause in their name.")
    _tell_of_people(draft, person)
    return draft.record(
        [],
        task=EXCLUSIVE,
        rule="The folder, NORMAL or PNEUMONIA"
        + (", pneumonia by bacteria or virus as the name tells." if rules["pneumonia"] == "by cause" else "."),
    )


def _tell_of_people(draft: Draft, person: pd.Series) -> None:
    images = draft.images
    known = person.reindex(images.index)
    splits = images["split"][known != ""].groupby(known[known != ""]).nunique()
    across = int((splits > 1).sum())
    if across:
        draft.problems.append(
            f"{of(across, len(splits))} names of persons occur in several splits; whether they are the same "
            "persons is not documented."
        )


READER = Reader(
    "Kermany",
    _finds,
    _reads,
    "Kermany et al., Cell 2018; Guangzhou Women and Children's Medical Center.",
    choices={"pneumonia": ("as one", "by cause")},
    overlaps={"COVID-19 Radiography Database": "its normal and viral images come from Kermany's children"},
)
