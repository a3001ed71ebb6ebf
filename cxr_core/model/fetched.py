"""The weights of published networks on this machine: downloaded, or brought as a file, and kept as safetensors.

    ready(PUBLISHED["rad-dino"], progress=print)              # the file; downloaded where it is not there
    ready(PUBLISHED["densenet121-res224-all"], agreed=True)   # a pickled one: opened only where a person agreed
    brought(Path("nih-densenet121-...-best.pt"), agreed=True) # a file that a person has

Both return ``Fetched``: which network, where its tensors lie, the SHA-256 of the published file. A published file whose
checksum nobody knows is not downloaded. Nothing falls back to random weights: what is missing is a WeightsError.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cxr_core.config import weights_file
from cxr_core.disk import full, why_full
from cxr_core.errors import WeightsError
from cxr_core.model.downloads import Progress, first_line, kept, mirrored, sha256_of, watching
from cxr_core.model.sealed import is_pickled, unsealed
from cxr_core.published import AGREE, PUBLISHED, Published, named, of_checksum
from cxr_core.settings import replacing


@dataclass(frozen=True)
class Fetched:
    """``file``: safetensors. ``sha256``: of the file as it was published. ``protection``: how a pickled one was opened,
    in words; nothing where it was opened before, or is none.
    """

    network: Published
    file: Path
    sha256: str
    protection: tuple[str, ...] = ()

    @property
    def is_published(self) -> bool:
        """Whether the file is known to be the published one."""
        return bool(self.network.sha256) and self.sha256 == self.network.sha256


def tensors_file(network: Published) -> Path:
    """Where the tensors of a published network are kept."""
    return kept(f"{network.name}.safetensors")


def known(network: Published) -> Fetched | None:
    """What is here already; None where nothing is."""
    file = tensors_file(network)
    if not file.is_file():
        return None
    if not network.pickled:
        return Fetched(network, file, network.sha256)
    try:
        with safe_open(file, framework="pt") as content:
            about: Mapping[str, str] = content.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{file} is damaged ({first_line(error)}). Delete it, and fetch the network again."
        ) from None
    return Fetched(network, file, str(about.get("sha256", "")))


def ready(network: Published, agreed: bool = False, progress: Progress | None = None) -> Fetched:
    """The weights of a published network, downloaded where they are not here yet, in bytes as ``progress`` is told.

    Raises WeightsError where they cannot be had, or where a pickled file waits for a person's consent.
    """
    here = known(network)
    if here is not None:
        if not network.pickled and sha256_of(here.file) != network.sha256:
            raise WeightsError(f"{here.file} is not the published file (its SHA-256 differs). Delete it, start again.")
        return here
    if not network.address:
        raise WeightsError(
            f"The weights of {network.title} are not here, and are not downloaded: no checksum of {network.file} is "
            f"known to check it by. Get that file yourself and bring it: python -m cxr_core import-model FILE."
        )
    if network.pickled and not agreed:
        raise WeightsError(
            f"The weights of {network.title} are not here yet. {network.file} would be downloaded, and {AGREE}. Say "
            f"so: python -m cxr_core import-model {network.name} --trust-pickle, or tick the box on the Train page."
        )
    published = kept(network.file)
    if not published.is_file():
        _download(network, published, progress)
    found = sha256_of(published)
    if found != network.sha256:
        raise WeightsError(
            f"{published} is not the published file: SHA-256 {found}, expected {network.sha256}. Delete it, and start "
            "again."
        )
    if not network.pickled:
        return Fetched(network, published, found)
    return _opened(network, published, found, agreed)


def brought(file: Path, network: Published | None = None, agreed: bool = False) -> Fetched:
    """The weights in a file that a person has. ``network``: which one it is, where neither its SHA-256 nor its name
    says so. Raises WeightsError where nothing does, or where they do not agree.
    """
    found = sha256_of(file)
    told = of_checksum(found) or network or named(file.name)
    if told and not network and file.name == told.file and told.sha256 not in ("", found):
        raise WeightsError(
            f"{file.name} is called as {told.title} is published, but is another file: SHA-256 {found}, expected "
            f"{told.sha256}. Download it again; or say --as {told.name} if you know that it is a copy of it."
        )
    if told is None:
        raise WeightsError(
            f"{file.name} (SHA-256 {found}) is none of the published files by its checksum or name. Say which network "
            f"it is, with --as: {', '.join(PUBLISHED)}."
        )
    called = named(file.name)
    for other in (told, called or told):
        if network is not None and network != other:
            raise WeightsError(f"{file.name} is {other.title} by its checksum or name, not {network.title}.")
    if is_pickled(file):
        return _opened(told, file, found, agreed)
    return Fetched(told, file, found)


def opened(weights: str, progress: Progress | None = None) -> str:
    """What a training can start from where a person agreed to open a pickled network: the name of a published one, or
    the file with the tensors of one that she has.
    """
    if weights in PUBLISHED:
        return ready(PUBLISHED[weights], agreed=True, progress=progress).network.name
    return str(brought(weights_file(weights), agreed=True).file)


def _opened(network: Published, file: Path, sha256: str, agreed: bool) -> Fetched:
    """Take the tensors out of a pickled file, and keep them."""
    taken = unsealed(file, agreed)
    target = tensors_file(network)
    _keep(
        taken.tensors, target, {"sha256": sha256, "network": network.name, "protection": json.dumps(taken.protection)}
    )
    return Fetched(network, target, sha256, taken.protection)


def _keep(tensors: dict[str, Tensor], target: Path, about: dict[str, str]) -> None:
    needed = sum(value.numel() * value.element_size() for value in tensors.values())
    try:
        with replacing(target, needed=needed) as temporary:
            save_file({name: value.contiguous() for name, value in tensors.items()}, temporary, metadata=about)
    except OSError as error:
        raise WeightsError(
            f"{target} cannot be written ({error.strerror}). Set TORCH_HOME to another folder."
        ) from None


def _download(network: Published, target: Path, progress: Progress | None) -> None:
    url = mirrored(network.address, network.file)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with watching(target, network.bytes, progress):
            torch.hub.download_url_to_file(url, str(target), network.sha256, progress=False)
    except (OSError, HTTPException) as error:  # no network, no such file, no answer, no room on the disk
        if full_reason := why_full(error):
            raise full(full_reason, target, network.bytes, "Or set TORCH_HOME to a folder on another disk.") from None
        reason = error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error
        raise WeightsError(
            f"The weights of {network.title} could not be downloaded ({first_line(reason)}). Go on in one of these "
            f"ways: connect to the network and start again; copy it as {network.file} into {target.parent}; give it; "
            "or point CXR_WEIGHTS_MIRROR at a server that has it."
        ) from None
    except RuntimeError as error:  # the checksum
        raise WeightsError(
            f"The weights of {network.title} from {url} are damaged or not theirs ({first_line(error)}). Start again."
        ) from None
