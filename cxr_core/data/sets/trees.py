"""Sets whose folders are the labels: their images with the folders above each.

files, index = images(place, budget)      # DataFrame: file, name, folder (the nearest), above (the next one)
"""

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets.draft import Draft
from cxr_core.data.sets.index import Index
from cxr_core.data.sets.place import Place
from cxr_core.errors import DatasetError
from cxr_core.paths import shown


def images(place: Place, budget: Budget | None) -> tuple[pd.DataFrame, Index]:
    """All images below the place, masks left out. Raises DatasetError where there are none."""
    index = Index(place.root, budget)
    files = pd.Series(index.images(), dtype="str")
    if not len(files):
        raise DatasetError(f"{shown(place.root)}: no images found below it. Put them where the set has them.")
    parts = files.str.rsplit("/", n=2)
    return (
        pd.DataFrame(
            {
                "file": files,
                "name": parts.str[-1].astype("str"),
                "folder": parts.str[-2].fillna("").astype("str"),
                "above": files.str.rsplit("/", n=3).str[-3].fillna("").astype("str"),
            }
        ),
        index,
    )


def outside(draft: Draft, which: pd.Series, what: str) -> None:
    """Leave out images that lie where none of the set's do, and say so."""
    draft.problem(which, what)
    if which.any():
        draft.leave_out("other folders", which)
