"""Runs with a network of random weights that nobody trained, cut where asked, and the same network whole.

trained = untrained(run, whole)     # writes the run's weights, then Trained.load
whole.net, whole.head               # torchvision's own module without its classifier, and the head
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache

import torch
from torch import Tensor, nn

from cxr_core.inference.trained import Trained
from cxr_core.model.backbones import BACKBONES
from cxr_core.model.heads import build_head
from cxr_core.model.network import save_weights, space_of, to_input
from cxr_core.model.pooling import Standard, standardise
from cxr_core.runs.run import Run
from cxr_core.settings import write_atomic
from tests.networks_support import without_classifier

SIDE = 64
CLASSES = 3
HIDDEN = (16,)


def images(count: int, side: int = SIDE, seed: int = 0) -> Tensor:
    """Decoded noise (N, S, S), uint8, brighter on one side, so that no map is flat."""
    noise = torch.randint(160, (count, side, side), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    return noise + torch.linspace(0, 90, side).to(torch.uint8)


@dataclass(frozen=True)
class Whole:
    """A backbone in eval mode whose classifier is replaced by the identity, and a head behind it."""

    name: str
    net: nn.Module
    head: nn.Sequential


@cache
def whole(name: str) -> Whole:
    """The network of a backbone."""
    net = without_classifier(name, images(4, seed=9))
    torch.manual_seed(2)
    with torch.no_grad():
        width = net(to_input(images(2))).shape[1]
    return Whole(name, net, build_head(width, HIDDEN, 0.5, CLASSES).eval())


def untrained(run: Run, network: Whole) -> Trained:
    """``run`` as if its training had ended with the weights of ``network``."""
    entry = BACKBONES[network.name]
    stages = entry.stages(network.net)
    cut = entry.cut(run.config.trainable, stages, run.config.features)
    if cut:
        save_weights(nn.Sequential(OrderedDict(stages[:cut])), run.prefix_file)
    rest = [*stages[cut:], ("head", network.head)]
    if run.config.features == "stages":
        rest = _on_stages(run, entry.middle, dict(stages))
    save_weights(nn.Sequential(OrderedDict(rest)), run.weights_file)
    decision = {"thresholds": dict.fromkeys(run.classes, 0.5), "temperature": 1.0, "epoch": 1, "monitor": "macro_f1"}
    write_atomic(run.path / "decision.json", json.dumps(decision))
    write_atomic(run.path / "found.json", json.dumps({"space": asdict(space_of(run.config))}))
    return Trained.load(run)


def spreads(stages: dict[str, nn.Module], names: Sequence[str], batch: Tensor) -> tuple[Tensor, Tensor]:
    """Means and spreads of the named stages' maps side by side, caught by hooks in the whole network; the last map."""
    caught: list[Tensor] = []
    handles = [stages[name].register_forward_hook(lambda *given: caught.append(given[2])) for name in names]
    try:
        value = batch
        for stage in stages.values():
            value = stage(value)
    finally:
        for handle in handles:
            handle.remove()
    parts = [part for maps in caught for part in (maps.mean(dim=(2, 3)), maps.std(dim=(2, 3), correction=0))]
    return torch.cat(parts, dim=1), caught[-1]


def _on_stages(run: Run, names: Sequence[str], stages: dict[str, nn.Module]) -> list[tuple[str, nn.Module]]:
    """The standardisation of those stages' features over a few images, and a head on them."""
    with torch.no_grad():
        rows, _ = spreads(stages, names, to_input(images(8, seed=4)))
    torch.manual_seed(3)
    suffix = nn.Sequential(
        OrderedDict([("standard", Standard(rows.shape[1])), ("head", build_head(rows.shape[1], HIDDEN, 0.5, CLASSES))])
    )
    standardise(suffix, lambda: [rows.numpy()])
    return list(suffix.eval().named_children())
