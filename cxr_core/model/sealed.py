"""Weights inside a pickled network: taken out in a process of its own, which hands back tensors alone.

    taken = unsealed(Path("nih-pc-...-best.pt"), agreed=True)
    taken.tensors                # name -> tensor, read here from safetensors
    taken.protection             # what the process gave up before it opened the file, in words

What it is worth, system by system: docs/xray-networks.md. The process runs :mod:`cxr_core.model.unsealing`, without
this one's environment, in a folder that is thrown away, and is ended where it takes too long.
"""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from cxr_core.errors import WeightsError
from cxr_core.published import AGREE
from cxr_core.settings import from_json

SECONDS = 180.0
MOST_BYTES = 4 << 30
_PROGRAM = Path(__file__).with_name("unsealing.py")


@dataclass(frozen=True)
class Taken:
    """``protection``: what the process that opened the file had given up."""

    tensors: dict[str, Tensor]
    protection: tuple[str, ...]


def is_pickled(path: Path) -> bool:
    """Whether a file is one that ``torch.save`` wrote, by its beginning: it may be a state dict or a whole network."""
    with path.open("rb") as file:
        start = file.read(4)
    return start == b"PK\x03\x04" or (start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"))


def unsealed(path: Path, agreed: bool, seconds: float = SECONDS) -> Taken:
    """The tensors in a pickled network. ``agreed``: a person was told what that means, and said yes.

    Raises WeightsError without that, and where the file holds none, is damaged, or asks for more than it should.
    """
    if not agreed:
        raise WeightsError(f"{path.name} is not opened: {AGREE}. Say so with --trust-pickle, or tick the box.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise WeightsError(f"{path.name} has {size / 1e9:.1f} GB; a pickled network of up to 4 GB is opened.")
    with tempfile.TemporaryDirectory(prefix="cxr-unsealing-") as folder:
        target = Path(folder) / "tensors.safetensors"
        said = _asked(path.resolve(), target, 2 * size + (64 << 20), seconds)
        if "error" in said:
            raise WeightsError(f"{path.name} cannot be read as a pickled network: {said['error']}.")
        try:
            tensors = load_file(target)
        except (OSError, SafetensorError, ValueError) as error:
            raise WeightsError(f"{path.name} cannot be read as a pickled network ({error}).") from None
        return Taken({name: value.clone() for name, value in tensors.items()}, tuple(map(str, said["took"])))


def _asked(path: Path, target: Path, limit: int, seconds: float) -> dict[str, Any]:
    """What the process says. It is ended, with all that it may have started, when its time is over."""
    process = subprocess.Popen(
        [sys.executable, "-I", str(_PROGRAM), str(path), str(target), str(limit)],
        cwd=target.parent,
        env=_bare(target.parent),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise WeightsError(f"{path.name} was not read within {seconds:.0f} seconds, and was given up.") from None
    except BaseException:
        _end(process)
        raise
    try:
        said = from_json(output)
        if isinstance(said, dict) and ("error" in said or isinstance(said.get("took"), list)):
            return said
    except ValueError:
        pass
    raise WeightsError(
        f"{path.name} cannot be read as a pickled network: the process that looked at it ended without an answer "
        f"(status {process.returncode}), as when it asks for more memory or time than its size allows."
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate()


def _bare(folder: Path) -> dict[str, str]:
    """An environment with nothing of this one's but what Windows cannot do without."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    here = str(folder)
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**kept, **threads, "HOME": here, "TMPDIR": here, "TEMP": here, "TMP": here}
