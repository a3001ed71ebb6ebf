"""Heat maps: those of the whole network with hooks, wherever the training cut it, from any number of threads; and on
the part of the picture that the network saw.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxr_core.errors import RunError
from cxr_core.hierarchy import Coherent
from cxr_core.inference import explain
from cxr_core.inference.explain import heat_map
from cxr_core.inference.trained import Trained
from cxr_core.model.backbones import BACKBONES
from cxr_core.model.network import to_input
from cxr_core.model.pooling import Standard
from cxr_core.model.xray_networks import as_map
from tests.inference.networks import HIDDEN, SIDE, Whole, images, spreads, untrained, whole
from tests.runs_support import new_run

Cut = Callable[..., Trained]


@pytest.fixture
def cut(tiny_dataset: Path, tmp_path: Path) -> Cut:
    """``cut(backbone, trainable)``: the network of ``whole(backbone)``, cut there, in a run of its own."""

    def make(backbone: str, trainable: str, **other: str) -> Trained:
        config = {"backbone": backbone, "weights": "none", "trainable": trainable, "hidden": HIDDEN, **other}
        return untrained(new_run(tiny_dataset, tmp_path / "runs", image_size=SIDE, **config), whole(backbone))

    return make


def log_odds(logits: Tensor) -> Tensor:
    """Of what is shown of COVID19, NORMAL and PNEUMONIA, in double precision."""
    covid, _, pneumonia = torch.sigmoid(logits.double())
    shown = torch.stack([covid * pneumonia, 1 - pneumonia, pneumonia])
    return torch.log(shown) - torch.log1p(-shown)


def by_hooks(network: Whole, image: Tensor, label: int, coherent: bool = True) -> NDArray[np.float32]:
    """Grad-CAM of the whole network: a forward hook keeps the last block's output, a tensor hook its gradient."""
    kept: dict[str, Tensor] = {}

    def keep(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        kept["activation"] = output.detach().clone()
        output.register_hook(lambda gradient: kept.update(gradient=gradient))

    net = network.net
    if network.name in ("densenet121", "xrv_densenet121"):
        # Its forward applies the last ReLU itself, in place; written out, it is a module that a hook can be put on.
        relu = nn.ReLU()
        first = [net.get_submodule("scale")] if network.name == "xrv_densenet121" else []
        net = nn.Sequential(*first, net.get_submodule("features"), relu, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        last: nn.Module = relu
    elif network.name == "efficientnet_lite0":
        # Its last ReLU stands in no module of its own.
        stages = dict(BACKBONES[network.name].stages(net))
        net, last = nn.Sequential(*stages.values()), stages["last"]
    else:
        named = {"vgg16": "features.30", "resnet18": "layer4", "small-cnn": "block3"}
        # Behind the last layer the token of the whole image depends on no place: the map is of the one before.
        named |= dict.fromkeys(("rad_dino", "rad_dino_patches"), "encoder.layer.10")
        found = named.get(network.name, "features")
        last = net.get_submodule(found)
    handle = last.register_forward_hook(keep)
    try:
        logits = network.head(net(to_input(image[None]).requires_grad_(True)))
        score = log_odds(logits[0])[label] if coherent else logits[0, label]
        torch.autograd.grad(score, [*network.head.parameters(), *net.parameters()], allow_unused=True)
    finally:
        handle.remove()
    weights = kept["gradient"].mean(dim=(2, 3))[0]
    heat = torch.einsum("c,chw->hw", weights, kept["activation"][0]).clamp(min=0)
    large = nn.functional.interpolate(as_map(heat[None, None]), size=image.shape, mode="bilinear", align_corners=False)[
        0, 0
    ]
    return (large / large.max()).numpy() if large.max() > 0 else large.numpy()


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_maps_are_those_of_the_whole_network_wherever_it_was_cut(backbone: str, cut: Cut) -> None:
    image = images(1)[0]
    expected = [by_hooks(whole(backbone), image, k) for k in range(3)]
    assert max(heat.std() for heat in expected) > 0.05, "flat maps prove nothing"
    for trainable in ("head", "last-block", "all"):
        trained = cut(backbone, trainable)
        for k, label in enumerate(trained.classes):
            heat = heat_map(trained, image.numpy(), label)
            assert (heat.shape, heat.dtype) == ((SIDE, SIDE), np.float32)
            np.testing.assert_allclose(heat, expected[k], atol=2e-4, err_msg=f"{trainable} {label}")


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_maps_of_pooled_stages_are_those_of_the_last_one_in_the_whole_network(backbone: str, cut: Cut) -> None:
    trained, image = cut(backbone, "head", features="stages"), images(1)[0]
    entry = BACKBONES[backbone]
    row, activation = spreads(dict(entry.stages(whole(backbone).net)), entry.middle, to_input(image[None]))
    assert trained.space.shape == row.shape[1:]
    standard, head = trained.suffix
    assert isinstance(standard, Standard)
    odds = log_odds(head((row - standard.mean) / standard.std)[0])
    for k, label in enumerate(trained.classes):
        (gradient,) = torch.autograd.grad(odds[k], activation, retain_graph=True)
        heat = (gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1, keepdim=True).clamp(min=0).detach()
        large = nn.functional.interpolate(as_map(heat), size=image.shape, mode="bilinear", align_corners=False)[0, 0]
        expected = large / large.max() if large.max() > 0 else large
        np.testing.assert_allclose(heat_map(trained, image.numpy(), label), expected.numpy(), atol=2e-3, err_msg=label)


@pytest.mark.parametrize("other", [{"labels": "single"}, {"hierarchy": "flat"}], ids=["single", "flat"])
def test_maps_of_other_labels_are_those_of_the_logit(other: dict[str, str], cut: Cut) -> None:
    trained, image = cut("resnet18", "head", **other), images(1)[0]
    for k, label in enumerate(trained.classes):
        expected = by_hooks(whole("resnet18"), image, k, coherent=False)
        np.testing.assert_allclose(heat_map(trained, image.numpy(), label), expected, atol=2e-4)


@pytest.mark.parametrize("size", [1.0, 30.0, 300.0])
def test_a_map_of_coherent_labels_does_not_vanish_where_the_network_is_sure(size: float) -> None:
    implied = Coherent(["COVID19", "NORMAL", "PNEUMONIA"], {"COVID19": ("PNEUMONIA",)})
    logits = (size * torch.tensor([1.0, 0.0, 1.1])).requires_grad_(True)
    (gradient,) = torch.autograd.grad(explain._score(logits, 0, implied), logits)
    assert gradient[1] == 0
    assert gradient.sum() == pytest.approx(1)
    # The surer of the two moves the product less.
    assert gradient[0] > gradient[2]


def test_another_size_of_image(cut: Cut) -> None:
    trained = cut("resnet18", "head")
    image = images(1, side=96)[0]
    np.testing.assert_allclose(
        heat_map(trained, image.numpy(), trained.classes[1]), by_hooks(whole("resnet18"), image, 1), atol=2e-4
    )


def test_maps_lie_between_0_and_1_and_reach_1_unless_nothing_speaks_for_the_label(cut: Cut) -> None:
    trained = cut("resnet18", "last-block")
    highest = set()
    for seed in range(4):
        for label in trained.classes:
            heat = heat_map(trained, images(1, seed=seed)[0].numpy(), label)
            assert heat.min() >= 0
            highest.add(round(float(heat.max()), 5))
    assert highest <= {0.0, 1.0}
    assert 1.0 in highest


@pytest.mark.parametrize(("backbone", "trainable"), [("vgg16", "head"), ("resnet18", "all"), ("densenet121", "head")])
def test_threads_share_a_model_and_leave_no_gradients(backbone: str, trainable: str, cut: Cut) -> None:
    trained = cut(backbone, trainable)
    jobs = [(images(1, seed=seed)[0].numpy(), label) for seed in range(4) for label in trained.classes]
    alone = [heat_map(trained, *job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: heat_map(trained, *job), jobs * 2))
    for one, other in zip(alone * 2, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert all(weight.grad is None for part in (trained.prefix, trained.suffix) for weight in part.parameters())


def test_a_map_leaves_the_probabilities_as_they_were(cut: Cut) -> None:
    trained = cut("resnet18", "head")
    rows = trained.features(images(3).numpy())
    before = trained.probabilities([rows])
    heat_map(trained, images(1)[0].numpy(), trained.classes[0])
    assert np.array_equal(before, trained.probabilities([rows]))


def test_a_label_that_the_run_does_not_know(cut: Cut) -> None:
    trained = cut("small-cnn", "all")
    with pytest.raises(RunError, match=r"knows COVID19, NORMAL, PNEUMONIA; got 'FLU'"):
        heat_map(trained, images(1)[0].numpy(), "FLU")
