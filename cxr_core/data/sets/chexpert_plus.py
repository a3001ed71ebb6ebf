"""CheXpert Plus: a table with the reports and the people, and the labels in JSON files of their own."""

import json
from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, values
from cxr_core.data.sets.chexpert import DEVICES, NAMES, NO_FINDING, contradictions, view_of
from cxr_core.data.sets.draft import MISSING, VIEWS, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.findings import FINDINGS

_SECTIONS = ("report", "impression", "findings")
_SPLITS = {"train": "train", "valid": "val", "validate": "val", "val": "val", "test": "test"}


def _finds(place: Place) -> list[Path]:
    return place.having("path_to_image", "deid_patient_id")


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    path = place.one("the table of CheXpert Plus", _finds(place))
    table = tables.read(
        path,
        ("path_to_image", "deid_patient_id"),
        ("path_to_dcm", "frontal_lateral", "ap_pa", "patient_report_date_order", "age", "sex", "split"),
    )
    told = _labels_of(place, rules["labels of"])
    labels = told.reindex(table["path_to_image"].str.strip("/"))
    labels.index = table.index
    unlabelled = ~table["path_to_image"].str.strip("/").isin(told.index)
    side, direction = values.views(table["frontal_lateral"]), values.views(table["ap_pa"])
    images = pd.DataFrame(
        {
            "patient": table["deid_patient_id"],
            "study": table["deid_patient_id"] + "/" + table["patient_report_date_order"],
            "age": values.ages(table["age"]).replace(0.0, float("nan")),
            "sex": values.sex(table["sex"]),
            "view": view_of(side, direction),
            "split": table["split"].str.lower().map(_SPLITS).fillna("").astype("str"),
        }
    )
    draft = Draft(place, rules, images, labels.astype("float32"))
    contradictions(draft)
    draft.leave_out("no label", unlabelled)
    draft.views()
    draft.found(table["path_to_image"], depth=3, budget=budget)
    return draft.record(
        [path],
        task=FINDINGS,
        rule=f"1, 0, -1 (uncertain) and blank as CheXbert wrote them for the {rules['labels of']} of each study.",
        no_finding=NO_FINDING,
        devices=DEVICES,
    )


def _labels_of(place: Place, section: str) -> pd.DataFrame:
    """Labels by path of the image, from JSON with one object a line."""
    files = [
        path
        for path in place.texts
        if path.suffix.lower() in (".json", ".jsonl") and path.name.lower().startswith(section)
    ]
    file = place.one(f"the JSON file of CheXbert's labels of the {section} (a folder chexbert_labels)", files)
    try:
        rows = [json.loads(line) for line in tables.lines(file)]
        frame = pd.DataFrame.from_records(rows)
        frame.index = pd.Index(frame.pop("path_to_image").str.strip("/"))
        frame = frame.reindex(columns=list(NAMES))
        if frame.index.has_duplicates or frame.isna().all(axis=None):
            raise ValueError("an image stands twice, or none has a label")
        text = frame.apply(lambda column: column.map(lambda value: "" if pd.isna(value) else f"{value:g}"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{file.name}: expected one JSON object a line with path_to_image and the 14 labels ({error}). "
            "Download it again."
        ) from error
    return values.marks(text, file)


READER = Reader(
    "CheXpert Plus",
    _finds,
    _reads,
    "Chambon et al., CheXpert Plus, 2024; Stanford AIMI.",
    choices={"labels of": _SECTIONS, **VIEWS, **MISSING},
    overlaps={"CheXpert": "the same images"},
)
