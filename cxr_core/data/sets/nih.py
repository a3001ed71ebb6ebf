"""NIH ChestX-ray14: findings between bars, mined from the reports; boxes of 880 images in a table beside."""

from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, values
from cxr_core.data.sets.draft import MISSING, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.findings import FINDINGS

NO_FINDING = "No Finding"
NAMES = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
    NO_FINDING,
)
# The table of boxes has another word.
_AS_LABEL = {"Infiltrate": "Infiltration"}
_LABELS = ("image index", "finding labels", "patient id")
# Only the radiologists' labels of 2019 have it: another set.
_RADIOLOGISTS = "airspace opacity"
_SPLITS = {"train_val_list.txt": "train", "test_list.txt": "test"}


def people(table: pd.DataFrame) -> pd.DataFrame:
    """Columns of a record from NIH's columns."""
    return pd.DataFrame(
        {
            "patient": table["Patient ID"],
            "study": table["Patient ID"] + "/" + table["Follow-up #"],
            "age": values.ages(table["Patient Age"]),
            "wrong_age": values.wrong_ages(table["Patient Age"]),
            "sex": values.sex(table["Patient Gender"]),
            "view": values.views(table["View Position"]),
        }
    )


def boxes(path: Path) -> pd.DataFrame:
    """The boxes of a ``BBox_List_2017.csv``: name, finding, x, y, width, height in a frame of 1024 pixels."""
    # The header is "Bbox [x,y,w,h],,,": four columns and three without a name.
    table = tables.read(path, ("Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"))
    sides = table[["Bbox [x", "y", "w", "h]"]].astype(float)
    sides.columns = pd.Index(["x", "y", "width", "height"])
    names = table["Finding Label"].replace(_AS_LABEL)
    return pd.DataFrame({"name": table["Image Index"], "finding": names}).join(sides)


def _finds(place: Place) -> list[Path]:
    return [path for path in place.having(*_LABELS) if _RADIOLOGISTS not in place.tables[path]]


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    path = place.one("the table of NIH ChestX-ray14", _finds(place))
    table = tables.read(
        path,
        ("Image Index", "Finding Labels", "Patient ID"),
        ("Follow-up #", "Patient Age", "Patient Gender", "View Position"),
    )
    labels = values.check_tokens(values.tokens(table["Finding Labels"]), NAMES, path)
    images = people(table).assign(split=_split(place, table["Image Index"]))
    marked = [boxes(beside) for beside in place.beside("image index", "finding label")]
    rows = pd.Series(table.index, index=table["Image Index"])
    found = None
    if marked:
        found = pd.concat(marked, ignore_index=True)
        found = found[found["name"].isin(rows.index)]
        found.insert(0, "image", found.pop("name").map(rows[~rows.index.duplicated()]))
    draft = Draft(place, rules, images, labels, boxes=found)
    draft.problem(labels.sum(axis=1) == 0, "images have no label, not even No Finding.")
    draft.problem(
        (labels[NO_FINDING] == 1) & (labels.sum(axis=1) > 1), "images have No Finding and a finding beside it."
    )
    draft.problem(images["wrong_age"] != "", "ages are no age (0 to 120 years) and count as unknown.")
    draft.found(table["Image Index"], budget=budget)
    return draft.record(
        [path],
        task=FINDINGS,
        rule="Finding Labels, split at the bars: 14 findings mined from the reports; others count as absent.",
        no_finding=NO_FINDING,
    )


def _split(place: Place, names: pd.Series) -> pd.Series:
    split = pd.Series("", index=names.index, dtype="str")
    for path in place.texts:
        if path.name.lower() in _SPLITS:
            split[names.isin(tables.lines(path))] = _SPLITS[path.name.lower()]
    return split


READER = Reader(
    "NIH ChestX-ray14",
    _finds,
    _reads,
    "Wang et al., ChestX-ray8, CVPR 2017; NIH Clinical Center.",
    choices=MISSING,
    overlaps={
        "RSNA Pneumonia 2018": "all images of RSNA are NIH images",
        "NIH radiologists 2019": "the same images, labelled by radiologists",
        "COVIDx": "the normal and pneumonia images of COVIDx come from RSNA, and so from NIH",
        "SIIM-ACR Pneumothorax": "the images of SIIM-ACR are NIH images",
    },
)
