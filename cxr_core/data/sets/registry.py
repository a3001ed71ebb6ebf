"""Public chest X-ray sets as they are downloaded: which one a folder or a table is, and what it holds.

    reader = recognise(root)                          # None where it is none of them
    reader = reader_of(look(root))                    # the same of a place that was looked at before
    record = read(root, rules={"views": "all"})       # cxr_core.data.sets.record.Record
    overlap("NIH ChestX-ray14", "COVIDx")             # what the two share, "" where nothing is known

A set is recognised by columns or folders that only it has, never by the name of a file; no image is opened.
"""

from pathlib import Path

from cxr_core.data.budget import Budget
from cxr_core.data.listing import relative
from cxr_core.data.sets import (
    bimcv,
    chexpert,
    chexpert_plus,
    covid_chestxray,
    covidx,
    kermany,
    mimic,
    nih,
    nih_2019,
    padchest,
    radiography,
    rsna,
    shenzhen_montgomery,
    siim_acr,
    siim_covid,
    tables,
    tbx11k,
    vinbigdata,
    vindr,
)
from cxr_core.data.sets.place import Place, look
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.paths import shown

READERS: tuple[Reader, ...] = tuple(
    module.READER
    for module in (
        nih,
        nih_2019,
        chexpert,
        chexpert_plus,
        mimic,
        padchest,
        vindr,
        vinbigdata,
        rsna,
        covidx,
        covid_chestxray,
        radiography,
        bimcv,
        siim_covid,
        kermany,
        shenzhen_montgomery,
        tbx11k,
        siim_acr,
    )
)


def recognise(root: Path, budget: Budget | None = None) -> Reader | None:
    """The reader of the set in a folder, or of one table; None where it is none of the known sets.

    Raises DatasetError where two sets lie in one folder.
    """
    return reader_of(look(root, budget))


def read(root: Path, rules: Rules | None = None, budget: Budget | None = None) -> Record:
    """The set in a folder, or of one table. Raises DatasetError where it is none of the known sets, or is damaged."""
    place = look(root, budget)
    reader = reader_of(place)
    if reader is None:
        for path, names in place.tables.items():
            if not names and (trouble := tables.trouble(path)):
                raise DatasetError(f"{shown(root)}: none of the known public sets. {trouble}")
        raise DatasetError(
            f"{shown(root)}: none of the {len(READERS)} public sets that are known. Expected the tables and folders as "
            f"one of these has them: {', '.join(reader.name for reader in READERS)}."
        )
    return reader.read(place, rules, budget)


def overlap(one: str, other: str) -> str:
    """What two sets share, by their names; "" where nothing is known."""
    for first, second in ((one, other), (other, one)):
        for reader in READERS:
            if reader.name == first and second in reader.overlaps:
                return reader.overlaps[second]
    return ""


def reader_of(place: Place) -> Reader | None:
    """As :func:`recognise`."""
    found = {reader.name: paths for reader in READERS if (paths := reader.finds(place))}
    if len(found) > 1:
        listed = "; ".join(f"{name} ({relative(place.root, paths[0])})" for name, paths in found.items())
        raise DatasetError(
            f"{shown(place.root)}: {len(found)} sets lie in one folder: {listed}. Choose one by the path of its table, "
            "or put each into a folder of its own."
        )
    return next((reader for reader in READERS if reader.name in found), None)
