"""PadChest: labels as a Python list in text, from a physician or a model; 16-bit PNG in folders of numbers, or flat."""

from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, values
from cxr_core.data.sets.draft import MISSING, VIEWS, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.findings import FINDINGS
from cxr_core.images.ages import OLDEST

NO_FINDING = "normal"
# Of these an image cannot be used, or nothing is said.
_UNUSABLE = ("exclude", "suboptimal study")
_UNCHANGED = "unchanged"


def listed(column: pd.Series) -> pd.Series:
    """Items of lists written as text, ``['a', ' b']``, each under its row; blanks stripped, empty ones left out."""
    inner = column.str.strip().str.removeprefix("[").str.removesuffix("]")
    # An apostrophe inside of a name is kept: what separates is a quote, a comma, a quote.
    parts = inner.str.strip().str.split(r"['\"]\s*,\s*['\"]", regex=True).explode()
    parts = parts.str.strip(" '\"")
    return parts[parts.notna() & ~parts.str.lower().isin(["", "nan", "none"])]


def _finds(place: Place) -> list[Path]:
    return place.having("imageid", "patientid", "labels", "projection")


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    path = place.one("the table of PadChest", _finds(place))
    table = tables.read(
        path,
        ("ImageID", "PatientID", "Labels", "Projection"),
        (
            "ImageDir",
            "StudyDate_DICOM",
            "StudyID",
            "PatientBirth",
            "PatientSex_DICOM",
            "Manufacturer_DICOM",
            "MethodLabel",
        ),
    )
    found = listed(table["Labels"])
    unusable = pd.Series(table.index.isin(found[found.isin(_UNUSABLE)].index), index=table.index)
    unusable |= table["Projection"].str.lower() == "exclude"
    said = found[found != _UNCHANGED]
    empty = pd.Series(~table.index.isin(found.index), index=table.index)
    unchanged = pd.Series(~table.index.isin(said.index), index=table.index) & ~empty
    labels = values.table_of(said[~said.isin(_UNUSABLE)], table.index)
    draft = Draft(place, rules, _images(table), labels)
    draft.problem(
        (labels.get(NO_FINDING, 0) == 1) & (labels.sum(axis=1) > 1), "images are called normal and have a finding."
    )
    draft.leave_out("no label", empty)
    draft.leave_out("quality", unusable)
    if rules["unchanged"] == "left out":
        draft.leave_out("unchanged", unchanged)
    if rules["labels by"] == "physician":
        draft.leave_out("labels by", table["MethodLabel"].str.lower() != "physician")
    draft.views(table["Projection"])
    draft.labels = values.met(draft.labels)
    draft.found(table["ImageDir"] + "/" + table["ImageID"], budget=budget)
    return draft.record(
        [path],
        task=FINDINGS,
        rule="The items of Labels, from a physician or a model that read the report; others count as absent.",
        no_finding=NO_FINDING if NO_FINDING in labels else None,
    )


def _images(table: pd.DataFrame) -> pd.DataFrame:
    made = pd.to_numeric(table["StudyDate_DICOM"].str[:4], errors="coerce")
    age = (made - pd.to_numeric(table["PatientBirth"], errors="coerce")).astype(float)
    source = table["Manufacturer_DICOM"]
    return pd.DataFrame(
        {
            "patient": table["PatientID"],
            "study": table["StudyID"],
            "age": age.where((age >= 0) & (age <= OLDEST)),
            "sex": values.sex(table["PatientSex_DICOM"]),
            "view": values.views(table["Projection"]),
            "source": source.mask(source.str.lower().isin(["nan", "none"]), ""),
        }
    )


READER = Reader(
    "PadChest",
    _finds,
    _reads,
    "Bustos et al., PadChest, Medical Image Analysis 2020; BIMCV.",
    # "unchanged" compares with a study before: alone it says neither sick nor healthy.
    choices={"labels by": ("all", "physician"), "unchanged": ("left out", "no finding"), **VIEWS, **MISSING},
)
