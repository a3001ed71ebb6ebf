"""What can be seen of a folder without opening an image: its tables with their headers, and the names of its folders.

    place = look(Path("nih"))             # or the path of one table
    place.having("image index")           # tables whose header holds these names
    place.beside("bbox [x")               # the same, also where one table alone was chosen

Few levels deep, and not into the thousands of folders of patients.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cxr_core import reach
from cxr_core.data.budget import Budget
from cxr_core.data.folder import Folder
from cxr_core.data.sets import tables
from cxr_core.errors import DatasetError
from cxr_core.paths import shown

_DEPTH = 3
# Folders of one folder that are looked into; what has more of them holds patients or studies.
_WIDTH = 40
# Where sets keep their tables: the images lie beside such a folder.
_OF_TABLES = {"labels", "annotations", "json", "derivatives", "ehr", "chexbert_labels", "metadata", "csv"}
_PATIENTS = re.compile(r"^(sub-|ses-|patient ?\d|study ?\d|p\d{2,}|s\d{5,}|images_\d+)", re.IGNORECASE)
_OTHERS = (".txt", ".json", ".jsonl")


@dataclass(frozen=True)
class Place:
    """``root``: the folder below which images are looked for. ``chosen``: the table that was named, or None.
    ``tables``: path -> names of columns, lower case; ``texts``: other small files (.txt, .json); ``folders``: names
    relative to ``root``, with slashes.
    """

    root: Path
    chosen: Path | None
    tables: dict[Path, tuple[str, ...]]
    texts: tuple[Path, ...]
    folders: tuple[str, ...]

    def having(self, *columns: str) -> list[Path]:
        """Tables with all of these columns; of a chosen table only itself."""
        return [path for path in self.beside(*columns) if self.chosen in (None, path)]

    def beside(self, *columns: str) -> list[Path]:
        """Tables with all of these columns, the chosen one or not."""
        return [path for path, names in self.tables.items() if set(columns) <= set(names)]

    def named(self, *names: str) -> list[str]:
        """Folders of one of these names, in any case, at any of the levels seen."""
        wanted = {name.lower() for name in names}
        return [folder for folder in self.folders if folder.rsplit("/", 1)[-1].lower() in wanted]

    def one(self, what: str, paths: list[Path]) -> Path:
        """The only one of ``paths``; raises DatasetError for none or several."""
        if len(paths) == 1:
            return paths[0]
        if not paths:
            raise DatasetError(
                f"{shown(self.root)}: {what} is missing. Put it beside the images, as it was downloaded."
            )
        listed = ", ".join(path.relative_to(self.root).as_posix() for path in paths[:4])
        raise DatasetError(f"{shown(self.root)}: expected one table as {what}, got {listed}. Choose one by its path.")


def look(root: Path, budget: Budget | None = None) -> Place:
    """Raises DatasetError where there is no such folder or table, or it is out of reach."""
    reach.check(root)
    chosen = None
    if root.is_file():
        chosen, root = root, root.parent
        while is_of_tables(root) and reach.reachable(root.parent):
            root = root.parent
    elif not root.is_dir():
        raise DatasetError(f"{shown(root)}: there is no such folder or table. Check the path.")
    folder = Folder(root, budget=budget)
    found: dict[Path, tuple[str, ...]] = {}
    texts: list[Path] = []
    folders: list[str] = []
    for path in _levels(folder, root, folders):
        if tables.is_table(path):
            found[path] = tables.names(path)
        elif path.suffix.lower() in _OTHERS and path.is_file():
            texts.append(path)
    if chosen is not None and chosen not in found and chosen not in texts:
        found[chosen] = tables.names(chosen)
    return Place(root, chosen, found, tuple(texts), tuple(folders))


def is_of_tables(folder: Path) -> bool:
    """Whether sets keep tables in a folder of this name, beside their images."""
    return folder.name.lower() in _OF_TABLES


def _levels(folder: Folder, root: Path, folders: list[str]) -> Iterator[Path]:
    """Files of the first levels; the folders' names are appended to ``folders``."""
    level = [root]
    for _ in range(_DEPTH):
        below: list[Path] = []
        for path in level:
            yield from folder.files(path)
            children = folder.folders(path)[:_WIDTH]
            folders += [child.relative_to(root).as_posix() for child in children]
            below += [child for child in children if not _PATIENTS.match(child.name)]
        level = below
