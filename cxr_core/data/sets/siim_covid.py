"""SIIM-FISABIO-RSNA COVID-19 (2021): one of four appearances a study, joined to the images of the study."""

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
from cxr_core.findings import EXCLUSIVE

CLASSES = (
    "Negative for Pneumonia",
    "Typical Appearance",
    "Indeterminate Appearance",
    "Atypical Appearance",
)


def _finds(place: Place) -> list[Path]:
    return place.having("id", "negative for pneumonia", "typical appearance") or place.having(
        "id", "boxes", "studyinstanceuid"
    )


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    path = place.one("the table of studies of SIIM-COVID", place.beside("id", "negative for pneumonia"))
    about = place.one("the table of images of SIIM-COVID", place.beside("id", "boxes", "studyinstanceuid"))
    studies, images = tables.read(path, ("id", *CLASSES)), tables.read(about, ("id", "StudyInstanceUID"))
    marks = values.marks(studies[list(CLASSES)], path)
    wrong = marks.sum(axis=1) != 1
    if wrong.any():
        raise DatasetError(
            f"{path.name}, row {int(wrong.to_numpy().argmax()) + 2:,}: expected one 1 among {', '.join(CLASSES)} "
            f"({of(int(wrong.sum()), len(wrong))} rows have another number). Correct the table."
        )
    ids = studies["id"].str.removesuffix("_study")
    if ids.duplicated().any():
        raise DatasetError(f"{path.name}: a study stands in two rows. Expected one row for each: download it again.")
    label = images["StudyInstanceUID"].map(pd.Series(marks.idxmax(axis=1).to_numpy(), index=ids))
    names = images["id"].str.removesuffix("_image")
    people = pd.DataFrame({"study": images["StudyInstanceUID"], "label": label, "split": "train"})
    draft = Draft(place, rules, people)
    draft.leave_out("no label", label.isna())
    draft.found("train/" + images["StudyInstanceUID"] + "/" + names, budget=budget)
    return draft.record(
        [path, about],
        task=EXCLUSIVE,
        rule="The appearance of the study, one of four, for each of its images.",
        in_headers=("patient", "age", "sex", "view"),
    )


READER = Reader(
    "SIIM-FISABIO-RSNA COVID-19",
    _finds,
    _reads,
    "Lakhani et al., Journal of Digital Imaging 2023; images: BIMCV and RSNA's RICORD.",
    choices=MISSING,
    overlaps={
        "BIMCV-COVID19": "images of SIIM-COVID come from BIMCV",
        "COVIDx": "images of both come from BIMCV and RICORD",
    },
)
