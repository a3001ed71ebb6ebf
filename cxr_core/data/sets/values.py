"""Values as the sets' tables write them -> ours: sex, age, view, labels. Whole columns at once.

sex(pd.Series(["Male", "F", "O"]))                   # "M", "F", ""
ages(pd.Series(["058Y", "411", ""]))                 # 58.0, NaN, NaN
views(pd.Series(["POSTEROANTERIOR", "LL", "AP_horizontal"]))    # "PA", "lateral", "AP supine"
marks(frame, path)                                   # 1, 0, -1, NaN as float32; DatasetError for anything else
tokens(pd.Series(["Mass|Nodule", "No Finding"]))     # one column a whole token, 1 or 0
"""

from pathlib import Path

import numpy as np
import pandas as pd

from cxr_core.errors import DatasetError
from cxr_core.figures import of
from cxr_core.images.ages import is_wrong, years

_SEX = {"m": "M", "male": "M", "f": "F", "female": "F", "w": "F", "woman": "F", "man": "M"}
_VIEWS = {
    "pa": "PA",
    "posteroanterior": "PA",
    "postero-anterior": "PA",
    "ap": "AP",
    "anteroposterior": "AP",
    "antero-posterior": "AP",
    "ap supine": "AP supine",
    "ap_horizontal": "AP supine",
    "ap erect": "AP erect",
    "frontal": "frontal",
    "l": "lateral",
    "ll": "lateral",
    "rl": "lateral",
    "lateral": "lateral",
    "left lateral": "lateral",
    "right lateral": "lateral",
    "costal": "costal",
    "axial": "axial",
    "coronal": "coronal",
    "xtable lateral": "lateral",
    "ap axial": "AP axial",
    "ap lld": "decubitus",
    "ap rld": "decubitus",
    "pa lld": "decubitus",
    "pa rld": "decubitus",
    "swimmers": "swimmer's",
    "lao": "oblique",
    "rao": "oblique",
    "lpo": "oblique",
    "rpo": "oblique",
}
# A view that nobody wrote down may be one of these.
FRONTAL = ("PA", "AP", "AP supine", "AP erect", "frontal", "")
_MARKS = {
    "1": 1.0,
    "1.0": 1.0,
    "0": 0.0,
    "0.0": 0.0,
    "-1": -1.0,
    "-1.0": -1.0,
    "": np.nan,
    "nan": np.nan,
}


def sex(column: pd.Series) -> pd.Series:
    """ "F", "M" or ""."""
    return column.str.lower().map(_SEX).fillna("").astype("str")


def ages(column: pd.Series) -> pd.Series:
    """Years; NaN where there is none, or a number that is no age (0 to 120)."""
    known = {text: years(text) for text in column.unique()}
    return column.map(known).astype(float)


def wrong_ages(column: pd.Series) -> pd.Series:
    """What is neither an age nor a way to say that it is not known; "" elsewhere."""
    wrong = {text: text if is_wrong(text) else "" for text in column.unique()}
    return column.map(wrong).astype("str")


def views(column: pd.Series) -> pd.Series:
    """Our word for a projection; "" where it is blank or a word that we do not know."""
    return column.str.lower().map(_VIEWS).fillna("").astype("str")


def marks(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Columns of 1, 0, -1 and blank as float32. Raises DatasetError for another value, with its row."""
    found = {}
    for name, column in frame.items():
        lower = column.str.lower()
        values = lower.map(_MARKS).astype("float32")
        strange = values.isna() & ~lower.isin(["", "nan"])
        if strange.any():
            row = int(strange.to_numpy().argmax())
            raise DatasetError(
                f"{path.name}, row {row + 2:,}, column {name}: expected 1, 0, -1 or nothing, got "
                f"{column.iloc[row][:60]!r} ({of(int(strange.sum()), len(column))} rows). Correct the table."
            )
        found[str(name)] = values
    return pd.DataFrame(found, index=frame.index)


def tokens(column: pd.Series, separator: str = "|") -> pd.DataFrame:
    """One column for each token between separators, 1 where it stands and 0 elsewhere; blanks around it stripped."""
    parts = column.str.split(separator).explode().str.strip()
    parts = parts[parts.notna() & (parts != "")]
    return table_of(parts, column.index)


def table_of(parts: pd.Series, index: pd.Index) -> pd.DataFrame:
    """Tokens under the labels of their rows (some rows many, some none) -> one column a token, 1 or 0, sorted."""
    found, names = pd.factorize(parts, sort=True)
    cells = np.zeros((len(index), len(names)), np.float32)
    cells[index.get_indexer(parts.index), found] = 1
    return pd.DataFrame(cells, index=index, columns=[str(name) for name in names])


def met(labels: pd.DataFrame) -> pd.DataFrame:
    """The columns that say yes somewhere: of labels without a list of their own, those that the images have."""
    return labels.loc[:, (labels == 1).any()]


def check_tokens(found: pd.DataFrame, known: tuple[str, ...], path: Path) -> pd.DataFrame:
    """All columns of ``known`` and no other. Raises DatasetError for a token that the set does not have."""
    strange = [name for name in found.columns if name not in known]
    if strange:
        rows = int((found[strange] == 1).any(axis=1).sum())
        raise DatasetError(
            f"{path.name}: {', '.join(repr(name[:60]) for name in strange[:4])} in {of(rows, len(found))} rows is "
            f"no label of this set. Expected {', '.join(known)}: correct the table, or describe it yourself."
        )
    return found.reindex(columns=list(known), fill_value=np.float32(0))
