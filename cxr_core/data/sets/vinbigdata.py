"""VinBigData (VinDr-CXR's train on Kaggle): one row a box and reader, class 14 is none; always three readers."""

from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import readers, tables, values
from cxr_core.data.sets.draft import MISSING, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.findings import FINDINGS

NO_FINDING = "No finding"
NAMES = (
    "Aortic enlargement",
    "Atelectasis",
    "Calcification",
    "Cardiomegaly",
    "Consolidation",
    "ILD",
    "Infiltration",
    "Lung Opacity",
    "Nodule/Mass",
    "Other lesion",
    "Pleural effusion",
    "Pleural thickening",
    "Pneumothorax",
    "Pulmonary fibrosis",
    NO_FINDING,
)


def _finds(place: Place) -> list[Path]:
    return place.having("image_id", "class_name", "class_id", "rad_id")


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    path = place.one("the table of VinBigData", _finds(place))
    table = tables.read(path, ("image_id", "class_name", "rad_id"), ("x_min", "y_min", "x_max", "y_max"))
    reading = table.groupby(["image_id", "rad_id"], sort=False).ngroup()
    first = ~reading.duplicated()
    marks = values.table_of(table["class_name"].set_axis(reading.to_numpy()), pd.Index(reading[first].to_numpy()))
    marks = values.check_tokens(marks, NAMES, path)
    owners = pd.Series(table["image_id"][first].to_numpy(), index=marks.index)
    labels, agreement = readers.reduced(marks, owners, rules["readers"])
    names = pd.Series(labels.index, dtype="str")
    images = pd.DataFrame({"split": pd.Series("train", index=names.index, dtype="str"), "view": "PA"})
    draft = Draft(
        place,
        rules,
        images,
        labels.reset_index(drop=True),
        agreement.reset_index(drop=True),
        _boxes(table, names),
    )
    counts = first[first].groupby(table["image_id"][first]).sum()
    draft.problem(counts != 3, "images were not read by three readers.")
    draft.found("train/" + names, budget=budget)
    return draft.record(
        [path],
        task=FINDINGS,
        rule=f"Boxes of three readers an image: {readers.said(rules['readers'])}.",
        no_finding=NO_FINDING,
        in_headers=("age", "sex"),
    )


def _boxes(table: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """One row a box of one reader, in pixels of the original image."""
    sides = table[["x_min", "y_min", "x_max", "y_max"]].apply(pd.to_numeric, errors="coerce")
    boxes = pd.DataFrame(
        {
            "image": table["image_id"].map(pd.Series(names.index, index=names)),
            "finding": table["class_name"],
            "x": sides["x_min"],
            "y": sides["y_min"],
            "width": sides["x_max"] - sides["x_min"],
            "height": sides["y_max"] - sides["y_min"],
            "reader": table["rad_id"],
        }
    )
    return boxes[boxes["width"].notna()]


READER = Reader(
    "VinBigData",
    _finds,
    _reads,
    "Nguyen et al., VinDr-CXR, Scientific Data 2022; VinBigData's competition on Kaggle, 2021.",
    choices={**readers.READERS, **MISSING},
    overlaps={"VinDr-CXR": "the same images as VinDr-CXR's train"},
)
