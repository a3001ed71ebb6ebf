"""The starter model: a run that comes with the software, trained on public X-rays, without any of their images.

    installed(runs_dir())      # the run, copied to the runs folder where it is not there yet; None where it is hidden

It is a completed run like any other, called ``starter``: it predicts, and is evaluated on a person's own folder. It was
made by ``python -m benchmarks.starter`` and lies in the package; ``run.imported`` says what it is made of. The copy
takes what is kept with a run: figures on other data sets, a threshold that a person chose. A later version of the
software replaces it whole, for these belong to the weights that they were measured with. ``CXR_STARTER=no`` hides it.
"""

import hashlib
import secrets
import shutil
from functools import cache
from pathlib import Path

from cxr_core.errors import RunError
from cxr_core.private import file_mode, make_folder
from cxr_core.runs import files
from cxr_core.runs.run import STARTER, Run
from cxr_core.settings import starter_offered

SHIPPED = Path(__file__).parent.parent / "shipped" / STARTER
# Which version of the shipped run a copy is of: the digest of all its files.
VERSION = "shipped.txt"


def installed(runs_dir: Path) -> Run | None:
    """The starter model in ``runs_dir``, copied there where it is missing or of an earlier version; None where it is
    not offered. Raises RunError where the folder cannot be written to.
    """
    if not starter_offered():
        return None
    run, version = Run(runs_dir / STARTER), shipped_version()
    try:
        if (run.path / VERSION).read_text(encoding="utf-8").strip() == version:
            return run
    except (OSError, UnicodeDecodeError):
        # Not there yet, or half of it.
        pass
    _copy(run, version)
    return run


@cache
def shipped_version() -> str:
    """A digest of the files that are shipped."""
    found = hashlib.blake2b(digest_size=16)
    for file in sorted(SHIPPED.iterdir()):
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def _copy(run: Run, version: str) -> None:
    """Put the shipped run in the place of what is there, whole or not at all."""
    building = run.path.with_name(f".new-{STARTER}-{secrets.token_hex(4)}")
    try:
        make_folder(building)
        for file in SHIPPED.iterdir():
            shutil.copyfile(file, building / file.name)
            (building / file.name).chmod(file_mode())
        (building / VERSION).write_text(f"{version}\n", encoding="utf-8")
        if run.path.exists():
            old = run.path.with_name(f".old-{STARTER}-{secrets.token_hex(4)}")
            run.path.rename(old)
            building.rename(run.path)
            shutil.rmtree(old)
        else:
            building.rename(run.path)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        if (run.path / files.RUN).exists() and (run.path / VERSION).exists():
            # Somebody else was faster.
            return
        raise RunError(
            f"The starter model cannot be copied to {run.path.parent} ({error.strerror}). Choose another folder of "
            "runs (CXR_RUNS), free some space, or go without it (CXR_STARTER=no)."
        ) from None
