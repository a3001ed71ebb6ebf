"""CheXpert: 14 columns with 1, 0, -1 (uncertain) and blank (not mentioned), also of -small and of CheXlocalize."""

from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, values
from cxr_core.data.sets.draft import MISSING, VIEWS, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.findings import FINDINGS

NO_FINDING, DEVICES = "No Finding", ("Support Devices",)
NAMES = (
    NO_FINDING,
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    *DEVICES,
)
RULE = "1, 0, -1 (uncertain) and blank (not mentioned) as the labeller of the reports wrote them, 14 columns."
_SPLITS = {"train": "train", "valid": "val", "val": "val", "test": "test"}
_PERSON, _STUDY, _FOLDER = r"(patient\d+)", r"(study\d+)", r"(?:^|/)(train|valid|val|test)/"


def contradictions(draft: Draft) -> None:
    """Say where No Finding stands beside a finding."""
    others = draft.labels.drop(columns=[NO_FINDING, *DEVICES], errors="ignore")
    beside = ((others == 1) | (others == -1)).any(axis=1)
    draft.problem((draft.labels[NO_FINDING] == 1) & beside, "images have No Finding and a finding beside it.")


def view_of(side: pd.Series, direction: pd.Series) -> pd.Series:
    """The side decides; of a frontal image the direction tells PA or AP (17 frontal ones are called LL or RL)."""
    directed = direction.isin(["PA", "AP"]) & (side != "lateral")
    return side.where((side != "") & ~directed, direction)


def _finds(place: Place) -> list[Path]:
    return place.having("path", "enlarged cardiomediastinum", "support devices")


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    paths = _finds(place)
    about = ("Sex", "Age", "Frontal/Lateral", "AP/PA")
    parts = [tables.read(path, ("Path", *NAMES), about) for path in paths]
    labels = [values.marks(part[list(NAMES)], path) for part, path in zip(parts, paths, strict=True)]
    named = [_split_of(path) for path in paths]
    table = pd.concat(
        [part.drop(columns=list(NAMES)).assign(table=name) for part, name in zip(parts, named, strict=True)]
    )
    table = table.reset_index(drop=True)
    twice = table["Path"].duplicated()
    if twice.any():
        raise DatasetError(
            f"{', '.join(path.name for path in paths)}: the image {table['Path'][twice].iloc[0]} stands in two rows. "
            "Remove one of the tables, or choose one by its path."
        )
    images = _images(table)
    draft = Draft(place, rules, images, pd.concat(labels, ignore_index=True))
    draft.problem(images["patient"] == "", "paths do not tell the patient.")
    contradictions(draft)
    draft.views()
    draft.found(table["Path"], depth=3, budget=budget)
    return draft.record(paths, task=FINDINGS, rule=RULE, no_finding=NO_FINDING, devices=DEVICES)


def _split_of(path: Path) -> str:
    return next((split for word, split in _SPLITS.items() if path.name.lower().startswith(word)), "")


def _images(table: pd.DataFrame) -> pd.DataFrame:
    path = table["Path"].str.replace("\\", "/", regex=False)
    patient = path.str.extract(_PERSON, expand=False).fillna("")
    side = values.views(table["Frontal/Lateral"])
    # AP/PA says LL or blank where the image is lateral; of the test labels the name alone tells.
    named = path.str.extract(r"_(frontal|lateral)\b", expand=False).fillna("").astype("str")
    side = side.where(side != "", named)
    direction = values.views(table["AP/PA"])
    folder = path.str.extract(_FOLDER, expand=False).map(_SPLITS).fillna("")
    return pd.DataFrame(
        {
            "patient": patient,
            "study": patient + "/" + path.str.extract(_STUDY, expand=False).fillna(""),
            # 0 stands for unknown: no patient of the set is a newborn.
            "age": values.ages(table["Age"]).replace(0.0, float("nan")),
            "sex": values.sex(table["Sex"]),
            "view": view_of(side, direction),
            "split": table["table"].where(table["table"] != "", folder),
        }
    )


READER = Reader(
    "CheXpert",
    _finds,
    _reads,
    "Irvin et al., CheXpert, AAAI 2019; Stanford ML Group.",
    choices={**VIEWS, **MISSING},
    overlaps={"CheXpert Plus": "the same images"},
)
