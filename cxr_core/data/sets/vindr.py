"""VinDr-CXR 1.0.0: three readers an image in train, their consensus in test; DICOM files."""

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
_COMMON = (
    "Aortic enlargement",
    "Atelectasis",
    "Calcification",
    "Cardiomegaly",
    "Clavicle fracture",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Enlarged PA",
    "ILD",
    "Infiltration",
    "Lung Opacity",
    "Lung cavity",
    "Lung cyst",
    "Mediastinal shift",
    "Nodule/Mass",
    "Pleural effusion",
    "Pleural thickening",
    "Pneumothorax",
    "Pulmonary fibrosis",
    "Rib fracture",
    "Other lesion",
    "COPD",
    "Lung tumor",
    "Pneumonia",
    "Tuberculosis",
)
_OTHER, _OTHER_OF_TEST = "Other diseases", "Other disease"
NAMES = (*_COMMON, _OTHER, NO_FINDING)


def _finds(place: Place) -> list[Path]:
    return place.having("image_id", "aortic enlargement", "nodule/mass", "clavicle fracture")


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    paths = _finds(place)
    shares, splits = [], []
    for path in paths:
        by_reader = "rad_id" in place.tables[path]
        other = _OTHER if _OTHER.lower() in place.tables[path] else _OTHER_OF_TEST
        columns = [*_COMMON, other, NO_FINDING]
        table = tables.read(path, ("image_id", *columns))
        marks = values.marks(table[columns], path).rename(columns={_OTHER_OF_TEST: _OTHER})
        _, share = readers.reduced(marks, table["image_id"], "share")
        shares.append(share)
        splits += ["train" if by_reader else "test"] * len(share)
    agreement = pd.concat(shares)
    if agreement.index.has_duplicates:
        name = agreement.index[agreement.index.duplicated()][0]
        place.one(f"the table of VinDr-CXR that tells of {name}", paths)
    names, agreement = pd.Series(agreement.index, dtype="str"), agreement.reset_index(drop=True)
    labels = readers.apply(agreement, rules["readers"])
    images = pd.DataFrame({"split": pd.Series(splits, dtype="str"), "view": "PA"})
    draft = Draft(place, rules, images, labels, agreement)
    draft.problem(
        (labels[NO_FINDING] == 1) & (labels.drop(columns=NO_FINDING) == 1).any(axis=1),
        "images have No finding and a finding beside it.",
    )
    draft.found(images["split"] + "/" + names, budget=budget)
    return draft.record(
        paths,
        task=FINDINGS,
        rule=f"Three readers in train, their consensus in test: {readers.said(rules['readers'])}.",
        no_finding=NO_FINDING,
        in_headers=("age", "sex"),
    )


READER = Reader(
    "VinDr-CXR",
    _finds,
    _reads,
    "Nguyen et al., VinDr-CXR, Scientific Data 2022; VinBigData.",
    choices={**readers.READERS, **MISSING},
    overlaps={"VinBigData": "the images of VinBigData are those of VinDr-CXR's train"},
)
