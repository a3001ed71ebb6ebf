"""RSNA Pneumonia Detection Challenge 2018 (stage 2): one row a box; a second table tells of three classes."""

from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, values
from cxr_core.data.sets.draft import MISSING, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.figures import of
from cxr_core.findings import EXCLUSIVE, FINDINGS

CLASSES = ("Normal", "No Lung Opacity / Not Normal", "Lung Opacity")
FINDING = "Lung Opacity"


def _finds(place: Place) -> list[Path]:
    # The second table alone has classes too.
    return place.having("patientid", "target", "width", "height") or _of_classes(
        place, place.having("patientid", "class")
    )


def _of_classes(place: Place, paths: list[Path]) -> list[Path]:
    return [path for path in paths if len(place.tables[path]) == 2]


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    boxed = place.having("patientid", "target", "width", "height")
    by_class = rules["labels"] == "class" or not boxed
    if by_class:
        found = _of_classes(place, place.beside("patientid", "class"))
        path = place.one("the table of the three classes of RSNA", found)
        table = tables.read(path, ("patientId", "class"))
        strange = ~table["class"].isin(CLASSES)
        if strange.any():
            raise DatasetError(
                f"{path.name}: the class {table['class'][strange].iloc[0][:60]!r} is none of {', '.join(CLASSES)} "
                f"({of(int(strange.sum()), len(table))} rows). Correct the table."
            )
        classes = table.groupby("patientId", sort=False)["class"]
        if (classes.nunique() > 1).any():
            raise DatasetError(f"{path.name}: an image has two classes. Expected one for each: download it again.")
        label = classes.first()
    else:
        path = place.one("the table of boxes of RSNA", boxed)
        table = tables.read(path, ("patientId", "Target"), ("x", "y", "width", "height"))
        label = values.marks(table[["Target"]], path)["Target"].groupby(table["patientId"], sort=False).max()
    names = pd.Series(label.index, dtype="str")
    # Their patientId is one an image, in the DICOM headers too; the patient is known to NIH's table alone.
    images = pd.DataFrame({"patient": "", "split": pd.Series("train", index=names.index, dtype="str")})
    if by_class:
        draft = Draft(place, rules, images.assign(label=label.to_numpy()))
    else:
        labels = pd.DataFrame({FINDING: label.to_numpy()}, dtype="float32")
        draft = Draft(place, rules, images, labels, boxes=_boxes(table, names))
    draft.problems.append("patientId is one an image: who has several images is not known without NIH's table.")
    draft.found("stage_2_train_images/" + names, budget=budget)
    return draft.record(
        [path],
        task=EXCLUSIVE if by_class else FINDINGS,
        rule="The class of the detailed table, three that exclude each other."
        if by_class
        else "Target: lung opacity suspicious for pneumonia; present where any row of the image has 1.",
        in_headers=("age", "sex", "view"),
    )


def _boxes(table: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    sides = table[["x", "y", "width", "height"]].apply(pd.to_numeric, errors="coerce")
    sides.insert(0, "image", table["patientId"].map(pd.Series(names.index, index=names)))
    sides.insert(1, "finding", FINDING)
    return sides[sides["width"].notna()]


READER = Reader(
    "RSNA Pneumonia 2018",
    _finds,
    _reads,
    "Shih et al., Radiology: Artificial Intelligence 2019; RSNA and STR; images: NIH Clinical Center.",
    choices={"labels": ("target", "class"), **MISSING},
    overlaps={
        "NIH ChestX-ray14": "all images of RSNA are NIH images",
        "NIH radiologists 2019": "images of both come from NIH",
        "COVIDx": "COVIDx takes images of RSNA",
        "SIIM-ACR Pneumothorax": "images of both come from NIH",
    },
)
