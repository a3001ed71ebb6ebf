"""COVIDx 1 to 9: lists without a header, ``patient file label [source]`` between spaces, read from the right."""

import itertools
import re
from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables
from cxr_core.data.sets.draft import MISSING, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.figures import of
from cxr_core.findings import EXCLUSIVE

EDITIONS = {
    "A": ("normal", "pneumonia", "COVID-19"),
    "B": ("negative", "positive"),
    "severity": ("level1", "level2"),
}
_LABELS = {label: edition for edition, labels in EDITIONS.items() for label in labels}
_SLIPS = {"rnsa": "rsna"}
_IMAGE = re.compile(r"\.(png|jpe?g)$", re.IGNORECASE)
_HEAD = 20


def _finds(place: Place) -> list[Path]:
    return [path for path in place.texts if place.chosen in (None, path) and _is_list(path)]


def _is_list(path: Path) -> bool:
    """Whether most of the first lines are a patient, an image, a label that COVIDx has."""
    if path.suffix.lower() != ".txt":
        return False
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = [line.split() for line in itertools.islice(file, _HEAD) if line.strip()]
    except (OSError, UnicodeDecodeError):
        return False
    return 2 * sum(_parsed(fields) is not None for fields in head) > len(head)


def _parsed(fields: list[str]) -> tuple[str, str, str, str] | None:
    """(patient, file, label, source) of a line's fields, None where it is none."""
    source = ""
    if fields and fields[-1] not in _LABELS:
        *fields, source = fields
    if len(fields) < 3 or fields[-1] not in _LABELS or not _IMAGE.search(fields[-2]):
        return None
    return " ".join(fields[:-2]), fields[-2], fields[-1], _SLIPS.get(source, source)


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    lists = {path: _rows(path) for path in _finds(place)}
    wanted = rules["edition"]
    kept = {path: rows for path, rows in lists.items() if wanted in ("as it came", _edition(rows))}
    editions = {_edition(rows) for rows in kept.values()}
    splits = [_split_of(path) for path in kept]
    if len(editions) != 1 or len(set(splits)) < len(splits):
        listed = ", ".join(path.name for path in lists)
        raise DatasetError(
            f"{place.root}: {listed} are lists of several editions of COVIDx. Expected one list for train and one for "
            "test: choose one by its path, or the edition A, B or severity."
        )
    rows = [(*row, split) for (_, rows), split in zip(kept.items(), splits, strict=True) for row in rows]
    table = pd.DataFrame(rows, columns=["patient", "name", "label", "source", "split"], dtype="str")
    draft = Draft(place, rules, table.drop(columns="name"))
    slips = sum(line.split()[-1] in _SLIPS for path in kept for line in tables.lines(path))
    if slips:
        draft.problems.append(f"{of(slips, len(table))} rows write rnsa for the source rsna.")
    draft.found(table["split"].where(table["split"] == "", table["split"] + "/") + table["name"], budget=budget)
    return draft.record(
        list(kept),
        task=EXCLUSIVE,
        rule=f"The third field of the list, one of {', '.join(EDITIONS[editions.pop()])}.",
    )


def _edition(rows: list[tuple[str, str, str, str]]) -> str:
    return _LABELS[rows[0][2]]


def _split_of(path: Path) -> str:
    return next((split for split in ("train", "test", "val") if path.name.lower().startswith(split)), "")


def _rows(path: Path) -> list[tuple[str, str, str, str]]:
    rows = []
    for number, line in enumerate(tables.lines(path), 1):
        row = _parsed(line.split())
        if row is None:
            raise DatasetError(
                f"{path.name}, line {number:,}: expected a patient, an image, a label ({', '.join(_LABELS)}) and "
                f"perhaps a source, got {line[:80]!r}. The list was cut: download it again."
            )
        rows.append(row)
    return rows


READER = Reader(
    "COVIDx",
    _finds,
    _reads,
    "Wang, Lin and Wong, COVID-Net, Scientific Reports 2020, and the eight sets that it is made of.",
    choices={"edition": ("as it came", *EDITIONS), **MISSING},
    overlaps={
        "covid-chestxray-dataset": "COVIDx takes its images (cohen)",
        "RSNA Pneumonia 2018": "COVIDx takes its images (rsna)",
        "NIH ChestX-ray14": "the images of RSNA, and so of COVIDx, are NIH images",
        "BIMCV-COVID19": "COVIDx takes its images (bimcv)",
        "SIIM-FISABIO-RSNA COVID-19": "images of both come from BIMCV and RICORD",
        "COVID-19 Radiography Database": "both take images of SIRM, cohen and RSNA",
    },
)
