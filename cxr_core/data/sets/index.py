"""The images below a folder by name, built once: a table's file name -> where that image lies.

    index = Index(root, budget)
    index.find(table["Path"], depth=3)    # "" where there is none; relative to root, with slashes

A name is met with or without its ending, in any case and however its accents are stored; a foreign prefix does not
matter. ``depth``: how many parts at
the end of a path must agree (1: the name alone; 3 where the folders say which patient it is). Masks are no images.
"""

import os
import re
from pathlib import Path, PurePosixPath

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.folder import Folder
from cxr_core.errors import DatasetError

ENDINGS = ("png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp", "dcm", "dicom")
_ENDING = r"\.(?:png|jpe?g|tiff?|bmp|webp|dcm|dicom)$"
_NO_IMAGE = re.compile(r"\.(csv|tsv|txt|json|jsonl|gz|zip|md|pdf|html?|xml|xlsx?|py|ipynb|nii|npy|yaml|yml)$", re.I)
_MASK = re.compile(r"(^|/)(masks?|lung[ _-]?masks?|manualmask|leftmask|rightmask)/", re.IGNORECASE)


def is_mask(file: str) -> bool:
    """Whether a path lies in a folder of masks."""
    return _MASK.search(file) is not None


class Index:
    """All images below ``root``. ``files``: their paths relative to it; ``masks``: those in folders of masks."""

    def __init__(self, root: Path, budget: Budget | None = None) -> None:
        self.root = root
        self.folder = Folder(root, budget=budget)
        # A quarter of a million of them: as text, not as paths.
        start = os.path.join(root, "")
        walked = (os.fspath(entry.path) for entry in self.folder.walk(root))
        found = [path.removeprefix(start).replace(os.sep, "/") for path in walked if not _NO_IMAGE.search(path)]
        self.masks = sorted(file for file in found if is_mask(file))
        self.files = pd.Series(sorted(file for file in found if not is_mask(file)), dtype="str")
        self._plain = _plain(self.files)

    def images(self) -> list[str]:
        """Files whose ending is one of an image."""
        return [file for file in self.files if re.search(_ENDING, file, re.IGNORECASE)]

    def find(self, wanted: pd.Series, depth: int = 1) -> pd.Series:
        """For each path of a table the image that it names, "" where there is none.

        Raises DatasetError with both paths where two files fit equally well, or two names are the same file.
        """
        plain = _plain(wanted)
        keys, ours = _ends(plain, depth), _ends(self._plain, depth)
        once = ~ours.duplicated(keep=False)
        single = pd.Series(self.files[once].to_numpy(), index=ours[once].to_numpy(), dtype="str")
        found = single.reindex(keys.to_numpy(), fill_value="").set_axis(keys.index)
        several = keys.isin(set(ours[~once]))
        if several.any():
            groups = self.files[~once].groupby(ours[~once]).agg(list).to_dict()
            found[several] = [
                _nearest(text, groups[key])
                for text, key in zip(wanted[several].str.replace("\\", "/"), keys[several], strict=True)
            ]
        return found


def depth_of(paths: pd.Series) -> int:
    """How many parts at the end of a table's paths tell them apart: 1 where each name occurs once."""
    plain = _plain(paths)
    deepest = int(plain.str.count("/").max()) + 1 if len(plain) else 1
    return next((depth for depth in range(1, deepest + 1) if not _ends(plain, depth).duplicated().any()), 1)


def _plain(paths: pd.Series) -> pd.Series:
    """Paths without what people write now so, now so: backslashes, case, the image's ending, a slash before."""
    text = paths.str.replace("\\", "/", regex=False).str.normalize("NFC").str.lower().str.strip("/ ")
    return text.str.replace(_ENDING, "", regex=True)


def _ends(paths: pd.Series, depth: int) -> pd.Series:
    """The last ``depth`` parts of each path."""
    ends = ["/".join(path.rsplit("/", depth)[-depth:]) for path in paths]
    return pd.Series(ends, index=paths.index, dtype="str")


def _nearest(wanted: str, files: list[str]) -> str:
    """Of files of one name the one whose folders, or ending, agree best with the path in the table."""
    scores = {file: _agreement(wanted.lower(), file.lower()) for file in files}
    best = max(scores.values())
    nearest = [file for file, score in scores.items() if score == best]
    if len(nearest) > 1:
        raise DatasetError(
            f"Two images have the name that the table calls {PurePosixPath(wanted).name[:100]}: {nearest[0]} and "
            f"{nearest[1]}. Remove one, or choose the folder that holds one of them."
        )
    return nearest[0]


def _agreement(wanted: str, file: str) -> tuple[int, bool]:
    """How many folders agree, from the last; and whether the name does to its ending."""
    left, right = wanted.split("/"), file.split("/")
    same = 0
    for a, b in zip(reversed(left[:-1]), reversed(right[:-1]), strict=False):
        if a != b:
            break
        same += 1
    return same, left[-1] == right[-1]
