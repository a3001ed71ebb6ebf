"""A record of a public set, or of a described table -> the listing of its images.

found = recorded(reader.read(place, rules, budget), root)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.folder import Folder
from cxr_core.data.listing import Item, Listing
from cxr_core.data.origin import Origin
from cxr_core.data.sets.record import Record
from cxr_core.findings import EXCLUSIVE, column, texts

CLASS_FOLDERS, SPLIT_FOLDERS, TABLE = "class folders", "split folders", "table"


def recorded(
    record: Record, root: Path, budget: Budget | None = None, description: Mapping[str, Any] | None = None
) -> Listing:
    """The images of a record. ``root``: the data set's folder or table; ``description``: how its table was read."""
    images = record.images
    if record.task == EXCLUSIVE:
        labels, values = images["label"].tolist(), pd.DataFrame(index=images.index)
    else:
        names = [str(name) for name in record.labels.columns]
        labels = texts(record.labels.to_numpy(dtype="float32"), names)
        values = record.labels.astype("float32").set_axis([column(name) for name in names], axis=1)
    given = zip(images["wrong_age"], images["age"], strict=True)
    ages = [wrong or ("" if age != age else repr(age)) for wrong, age in given]
    found = Listing(root, _layout(record), below=record.root)
    folder = Folder(record.root, budget=budget)
    rows = zip(images["file"], labels, images["split"], images["patient"], images["source"], ages, strict=True)
    start = str(record.root)
    for file, label, split, patient, source, age in rows:
        entry = folder.entry(Path(start, file))
        if entry is not None:
            found.items.append(Item(file, entry, label, split, patient, source, age))
    found.unreadable = [
        (path.relative_to(record.root).as_posix(), f"{reason}; the table names it") for path, reason in folder.troubles
    ]
    found.about = pd.concat([images[["study", "sex", "view"]], values], axis=1).set_axis(images["file"], axis=0)
    found.in_headers = record.in_headers
    found.origin = Origin(
        set=record.set,
        rule=record.rule,
        rules=dict(record.rules),
        choices=dict(record.choices),
        left_out=tuple(record.left_out),
        problems=tuple(record.problems),
        attribution=record.attribution,
        tables=record.tables,
        description=description,
        agreement=record.agreement is not None,
        readers=_readers(record),
    )
    return found


def _layout(record: Record) -> str:
    if record.tables:
        return TABLE
    return SPLIT_FOLDERS if (record.images["split"] != "").any() else CLASS_FOLDERS


def _readers(record: Record) -> dict[str, tuple[int, int]]:
    if record.agreement is None:
        return {}
    shares = record.agreement
    return {str(name): (int((shares[name] > 0).sum()), int((shares[name] == 1).sum())) for name in shares.columns}
