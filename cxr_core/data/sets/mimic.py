"""MIMIC-CXR-JPG: labels of each study, joined to its images; the metadata tell the view, a third table the split."""

from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, values
from cxr_core.data.sets.chexpert import DEVICES, NAMES, NO_FINDING, contradictions
from cxr_core.data.sets.draft import MISSING, VIEWS, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.findings import FINDINGS

_SPLITS = {"train": "train", "validate": "val", "val": "val", "test": "test"}
_KEYS = ["subject_id", "study_id"]


def _finds(place: Place) -> list[Path]:
    return place.having("subject_id", "study_id", "pleural effusion", "support devices")


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    path = place.one("the table of labels of MIMIC-CXR", _of_labeller(place, rules["labeller"]))
    about = place.one("the table of metadata of MIMIC-CXR", place.beside("dicom_id", "subject_id", "viewposition"))
    studies = tables.read(path, (*_KEYS, *NAMES))
    if studies[_KEYS].duplicated().any():
        raise DatasetError(f"{path.name}: a study stands in two rows. Expected one row for each: download it again.")
    marks = values.marks(studies[list(NAMES)], path)
    images = tables.read(about, ("dicom_id", *_KEYS, "ViewPosition"), ("StudyDate",))
    places = pd.MultiIndex.from_frame(studies[_KEYS]).get_indexer(pd.MultiIndex.from_frame(images[_KEYS]))
    labels = pd.DataFrame(marks.to_numpy()[places], columns=marks.columns)
    unlabelled = pd.Series(places < 0)
    labels[unlabelled] = float("nan")
    subject, study, name = images["subject_id"], images["study_id"], images["dicom_id"]
    people = pd.DataFrame(
        {
            "patient": subject,
            "study": study,
            "view": values.views(images["ViewPosition"]),
            "split": _split(place, name),
        }
    )
    draft = Draft(place, rules, people, labels)
    contradictions(draft)
    draft.leave_out("no label", unlabelled)
    draft.views(images["ViewPosition"])
    draft.found("files/p" + subject.str[:2] + "/p" + subject + "/s" + study + "/" + name + ".jpg", budget=budget)
    return draft.record(
        [path, about],
        task=FINDINGS,
        rule=f"1, 0, -1 (uncertain) and blank of each study, as {rules['labeller']} wrote them, for all of its images.",
        no_finding=NO_FINDING,
        devices=DEVICES,
    )


def _of_labeller(place: Place, labeller: str) -> list[Path]:
    """Both labellers' tables have the same columns: here alone a name decides, between two that are both the set's."""
    found = _finds(place)
    return found if len(found) == 1 else [path for path in found if labeller in path.name.lower()]


def _split(place: Place, names: pd.Series) -> pd.Series:
    found = place.beside("dicom_id", "split")
    if not found:
        return pd.Series("", index=names.index, dtype="str")
    table = tables.read(place.one("the table of splits of MIMIC-CXR", found), ("dicom_id", "split"))
    splits = table.drop_duplicates("dicom_id").set_index("dicom_id")["split"].str.lower().map(_SPLITS)
    return names.map(splits).fillna("").astype("str")


READER = Reader(
    "MIMIC-CXR-JPG",
    _finds,
    _reads,
    "Johnson et al., MIMIC-CXR-JPG, PhysioNet 2019.",
    choices={"labeller": ("chexpert", "negbio"), **VIEWS, **MISSING},
)
