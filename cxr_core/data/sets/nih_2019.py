"""The radiologists' labels of 4,376 NIH images (Google, 2019): NIH's columns and four findings with YES and NO."""

from pathlib import Path

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, values
from cxr_core.data.sets.draft import MISSING, Draft
from cxr_core.data.sets.nih import people
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.findings import FINDINGS

NAMES = ("Fracture", "Pneumothorax", "Airspace opacity", "Nodule or mass")
_ANSWERS = {"yes": "1", "no": "0"}


def _finds(place: Place) -> list[Path]:
    return place.having("image index", "airspace opacity", "nodule or mass")


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    path = place.one("the table of the radiologists' labels", _finds(place))
    table = tables.read(
        path,
        ("Image Index", "Patient ID", *NAMES),
        ("Follow-up #", "Patient Age", "Patient Gender", "View Position", "Set Id"),
    )
    answers = table[list(NAMES)].apply(lambda column: column.str.lower().replace(_ANSWERS))
    split = table["Set Id"].str.lower()
    images = people(table).assign(split=split.where(split.isin(["train", "val", "test"]), ""))
    draft = Draft(place, rules, images, values.marks(answers, path))
    draft.problem(images["split"] == "", "rows have no Set Id of val or test.")
    draft.found(table["Image Index"], budget=budget)
    return draft.record(
        [path], task=FINDINGS, rule="YES and NO of the adjudicated readings of radiologists, four findings."
    )


READER = Reader(
    "NIH radiologists 2019",
    _finds,
    _reads,
    "Majkowska et al., Radiology 2020; images: NIH Clinical Center.",
    choices=MISSING,
    overlaps={
        "NIH ChestX-ray14": "the same images",
        "RSNA Pneumonia 2018": "images of both come from NIH",
        "SIIM-ACR Pneumothorax": "images of both come from NIH",
    },
)
