"""Hashes that stand in a run for the names of files, patients and the data set, where a training is asked for them.

    names = Pseudonyms.here()                # the key of this account, made the first time
    names.file("train/NORMAL/DOE_JANE.png")  # "f-0b1c...png": the same in every run
    names.patient("DOE^JANE")                # "p-93ab..."
    find(key_id, data, "f-0b1c...png")       # where that image lies, found by hashing the names that are there now

HMAC-SHA256 (RFC 2104) with a key that lies in ``data_dir()/pseudonyms.json`` and in no run: without the key nobody can
try names, with it the owner can. No table leads from a hash to a name. Beside the key stand the folders of the data
sets, which a run has to find again.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from cxr_core.data.dataset import Dataset
from cxr_core.data.folder import IMAGE_SUFFIXES
from cxr_core.data.layout import listing
from cxr_core.errors import CxrError, DatasetError, ImageError
from cxr_core.private import make_folder, private_lock
from cxr_core.settings import data_dir, write_atomic

FILE = "pseudonyms.json"


@dataclass(frozen=True)
class Pseudonyms:
    """The key, and what is made with it."""

    key: bytes

    @classmethod
    def here(cls) -> "Pseudonyms":
        """Those of this account. Raises DatasetError where their file is damaged or cannot be written."""
        kept = _read()
        if kept is None:
            kept = _change({})
        return cls(bytes.fromhex(kept["key"]))

    @property
    def id(self) -> str:
        """Which key it is, for a run to say; it does not tell the key."""
        return self._hash("key", "", 8)

    def file(self, name: str) -> str:
        suffix = PurePosixPath(name).suffix.lower()
        return f"f-{self._hash('file', name, 20)}{suffix if suffix in IMAGE_SUFFIXES else ''}"

    def patient(self, name: str) -> str:
        """ "" stays, for a patient that is not known."""
        return f"p-{self._hash('patient', name, 16)}" if name else ""

    def study(self, name: str) -> str:
        """ "" stays, for a study that is not known."""
        return f"s-{self._hash('study', name, 16)}" if name else ""

    def dataset(self, dataset: Dataset) -> str:
        """A name for the data set; where it lies is kept beside the key."""
        name = f"data-{self._hash('data', str(dataset.root), 8)}"
        place = {"data": str(dataset.root), "folder": str(dataset.path(""))}
        kept = _read()
        if kept is None or kept["folders"].get(name) != place:
            _change({name: place})
        return name

    def samples(self, samples: pd.DataFrame) -> pd.DataFrame:
        """Without names. Sorted by the hashes: in the order of the names, a list of the names would tell which is
        which.
        """
        hidden = samples.copy()
        hidden["file"] = [self.file(name) for name in samples["file"]]
        hidden["patient"] = [self.patient(name) for name in samples["patient"]]
        if "study" in samples:
            # It often begins with the patient's name.
            hidden["study"] = [self.study(name) for name in samples["study"]]
        return hidden.sort_values("file", ignore_index=True)

    def audit(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """What ``Audit.as_json`` gave, without names."""

        def files(names: Any) -> list[str]:
            return [self.file(name) for name in names]

        return {
            **found,
            "unreadable": [
                {**row, "file": self.file(row["file"]), "reason": row["reason"].replace(_base(row["file"]), "the file")}
                for row in found["unreadable"]
            ],
            "duplicates": [{**row, "a": self.file(row["a"]), "b": self.file(row["b"])} for row in found["duplicates"]],
            "patients_in_two_splits": sorted(map(self.patient, found["patients_in_two_splits"])),
            "findings": [
                {**row, "files": files(row["files"]), "groups": [files(group) for group in row["groups"]]}
                for row in found["findings"]
            ],
        }

    def _hash(self, kind: str, name: str, digits: int) -> str:
        content = f"{kind}\0{name}".encode("utf-8", "surrogatepass")
        return hmac.new(self.key, content, hashlib.sha256).hexdigest()[:digits]


def hidden(dataset: Dataset, names: Pseudonyms) -> Dataset:
    """The data set under hashes; ``path`` finds its files all the same."""
    named = {names.file(name): name for name in dataset.samples["file"]}
    return replace(dataset, samples=names.samples(dataset.samples), named=named)


def place(name: str) -> tuple[Path, Path] | None:
    """Where the data set of this name lies, and the folder that its files' names begin at; None where nobody knows."""
    kept = _read()
    folders = kept["folders"].get(name) if kept else None
    return (Path(folders["data"]), Path(folders["folder"])) if folders else None


def find(key_id: str, name: str, file: str) -> Path:
    """Where the image ``file`` of the data set ``name`` lies.

    Raises ImageError where the key is another one, or where the data set or the file is not there any more.
    """
    there = place(name)
    if there is None or Pseudonyms.here().id != key_id:
        raise ImageError(
            f"{file}: this run's names are hashes made with a key that is not here, so its images cannot be found. "
            f"Put back the file {FILE} of the account that trained it, into {data_dir()}."
        )
    found = find_all(key_id, name, [file])
    if file not in found:
        raise ImageError(
            f"{file}: no file of the data set {name} has a name with this hash any more: renamed, moved or deleted."
        )
    return found[file]


def find_all(key_id: str, name: str, files: Iterable[str]) -> dict[str, Path]:
    """The same for those of ``files`` that are there; nothing where the key is another one or the data set is gone."""
    there = place(name)
    names = Pseudonyms.here() if there else None
    if there is None or names is None or names.id != key_id:
        return {}
    found: dict[str, Path] = {}
    try:
        found = _names_at(*there, names)
        if not set(files) <= found.keys():
            # Files may have come since the names were listed.
            _names_at.cache_clear()
            found = _names_at(*there, names)
    except CxrError:
        _names_at.cache_clear()
    return found


def hide(text: str, name: str, key_id: str) -> str:
    """``text`` without the data set's place and the names of its files, for the log and the state of a run."""
    there = place(name)
    if there is None:
        return text
    for pseudonym, path in find_all(key_id, name, ()).items():
        if path.name in text:
            inside = path.relative_to(there[1]).as_posix() if path.is_relative_to(there[1]) else path.name
            for said in (str(path), inside, path.name):
                text = text.replace(said, pseudonym)
    for folder in there:
        text = text.replace(str(folder), name)
    return text


@lru_cache(maxsize=8)
def _names_at(data: Path, folder: Path, names: Pseudonyms) -> dict[str, Path]:
    return {names.file(item.file): folder / item.file for item in listing(data).items}


def _base(file: str) -> str:
    return file.rpartition("/")[2]


def _read() -> dict[str, Any] | None:
    path = data_dir() / FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if not (len(bytes.fromhex(kept["key"])) == 32 and isinstance(kept["folders"], dict)):
            raise ValueError
        return {"key": kept["key"], "folders": {str(name): dict(where) for name, where in kept["folders"].items()}}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise DatasetError(
            f"{path} is damaged: expected the key of the pseudonyms. Restore it; where it is deleted, runs that were "
            "trained with it do not find their images any more."
        ) from None


def _change(folders: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Add folders, and make the key where there is none."""
    path = data_dir() / FILE
    try:
        make_folder(path.parent)
        with private_lock(path.with_name(f".{FILE}.lock"), timeout=10):
            kept = _read() or {"key": secrets.token_hex(32), "folders": {}}
            kept["folders"] |= folders
            write_atomic(path, json.dumps(kept, indent=1))
    except OSError as error:
        raise DatasetError(f"{path} cannot be written ({error.strerror}). Fix its permissions.") from None
    return kept
