"""What of a data set a pretrained network may have seen: a test on pictures that it learnt from flatters it.

    may_have_seen(PUBLISHED["rad-dino"], "RSNA Pneumonia 2018")      # one sentence, never nothing
    exposure(config, dataset.origin.set)                             # "" where the network never saw an X-ray

Sets are known by the names of :mod:`cxr_core.data.sets.registry`, and what they share by its ``overlap``.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

from cxr_core.config import NAMED_WEIGHTS, TrainConfig
from cxr_core.data.sets.registry import overlap
from cxr_core.errors import CxrError
from cxr_core.paths import given
from cxr_core.published import Published, named, of_backbone, of_checksum
from cxr_core.settings import Stamp, stamp


def known_overlap(network: Published, data: str | None) -> str:
    """What is known that a network has seen of the set called ``data``: one sentence, "" where nothing is."""
    learnt = f"{network.title} was trained on {network.trained_on}"
    if data in network.sets:
        return (
            f"{learnt}: this is one of these sets. The network may have seen the very images that it is tested on, so "
            "its score here is too good for new ones."
        )
    shared = [(name, what) for name in network.sets if data and (what := overlap(data, name))]
    if not shared:
        return ""
    listed = "; ".join(f"{name} ({what})" for name, what in shared)
    return (
        f"{learnt}. {data} shares images with {listed}: the network may have seen images that it is tested on, so "
        "its score here is too good for new ones."
    )


def may_have_seen(network: Published, data: str | None) -> str:
    """What a network may have seen of the set called ``data``; None where it is none of the known sets."""
    if known := known_overlap(network, data):
        return known
    learnt = f"{network.title} was trained on {network.trained_on}"
    if data:
        return f"{learnt}. Nothing is known that {data} shares with these."
    return (
        f"{learnt}. Where images of this data set come from one of these, the network may have seen them, and a score "
        "on them is too good."
    )


def network_of(weights: str) -> Published | None:
    """The published network that these weights are: by name, or of a file by its name or its checksum."""
    found = named(weights)
    if found is not None or weights in NAMED_WEIGHTS:
        return found
    try:
        path = given(weights)
        return of_checksum(_sha256(path, stamp(path))) if path.is_file() else None
    except (CxrError, OSError):
        # It is said where the file is read.
        return None


@lru_cache(maxsize=16)
def _sha256(path: Path, changed: Stamp) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def exposure(config: TrainConfig, data: str | None) -> str:
    """The same for what a training starts from: a published network, or a file for a network that has its form."""
    network = network_of(config.weights)
    if network is not None:
        return may_have_seen(network, data)
    if config.weights == "none" or not of_backbone(config.backbone):
        return ""
    return (
        f"The weights file for {config.backbone} does not say on which X-rays it was trained. Where images of this "
        "data set were among them, a score on them is too good."
    )
