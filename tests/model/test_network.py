"""Prefix and suffix of a run: frozen means frozen, and an image gives the same bits in any company."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from cxr_core.config import TrainConfig
from cxr_core.errors import ConfigError, WeightsError
from cxr_core.model.backbones import BACKBONES
from cxr_core.model.features import FeatureStore
from cxr_core.model.heads import build_head
from cxr_core.model.network import (
    HALF_MAX,
    IMAGENET_MEAN,
    IMAGENET_STD,
    INFERENCE_BATCH,
    frozen_features,
    in_batches,
    infer,
    initial_suffix,
    load_prefix,
    logits_of,
    pick_device,
    read_prefix,
    read_suffix,
    save_weights,
    space_of,
    suffix_input,
    to_input,
)
from cxr_core.model.pooling import Standard, standardise
from tests.model.conftest import SIDE, images

CPU = torch.device("cpu")
Networks = Callable[[str], nn.Module]


@pytest.fixture
def several_threads() -> Iterator[Callable[[int], None]]:
    """Sets torch's number of threads for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def config(backbone: str = "small-cnn", trainable: str = "last-block", **given: object) -> TrainConfig:
    return TrainConfig.create(
        backbone=backbone, trainable=trainable, weights="none", image_size=SIDE, hidden="16", **given
    )


def named(settings: TrainConfig) -> str:
    return f"{settings.backbone}-{settings.features}"


def pooled(backbone: str, **given: object) -> TrainConfig:
    return config(backbone, "head", features="stages", **given)


def halves(settings: TrainConfig, net: nn.Module, folder: Path) -> tuple[nn.Sequential, nn.Sequential]:
    """Prefix and suffix with the weights of ``net``, written and read as a run does."""
    if settings.features == "stages":
        return halves_of_stages(settings, net, folder)
    entry = BACKBONES[settings.backbone]
    stages = entry.stages(net)
    cut = entry.cut(settings.trainable, stages)
    with torch.no_grad():
        width = nn.Sequential(OrderedDict(stages)).eval()(to_input(images(1))).shape[1]
    torch.manual_seed(0)
    head = ("head", build_head(width, settings.hidden, 0.5, 3))
    save_weights(nn.Sequential(OrderedDict(stages[:cut])), folder / "prefix.safetensors")
    save_weights(nn.Sequential(OrderedDict([*stages[cut:], head])), folder / "suffix.safetensors")
    return read_prefix(settings, folder / "prefix.safetensors"), read_suffix(settings, 3, folder / "suffix.safetensors")


def halves_of_stages(settings: TrainConfig, net: nn.Module, folder: Path) -> tuple[nn.Sequential, nn.Sequential]:
    entry = BACKBONES[settings.backbone]
    stages = entry.stages(net)
    save_weights(
        nn.Sequential(OrderedDict(stages[: entry.cut("head", stages, "stages")])), folder / "prefix.safetensors"
    )
    prefix = read_prefix(settings, folder / "prefix.safetensors")
    rows = frozen_features(prefix, images(8, seed=5).numpy(), CPU)
    top = [("standard", Standard(rows.shape[1])), ("head", build_head(rows.shape[1], settings.hidden, 0.5, 3))]
    suffix = nn.Sequential(OrderedDict(top))
    standardise(suffix, lambda: [rows])
    save_weights(suffix, folder / "suffix.safetensors")
    return prefix, read_suffix(settings, 3, folder / "suffix.safetensors")


def test_devices() -> None:
    assert pick_device("cpu") == CPU
    assert pick_device("auto").type in ("cpu", "cuda", "mps")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="device: cuda is not available on this machine; choose auto or cpu"):
            pick_device("cuda")


def test_input_is_what_imagenet_networks_expect() -> None:
    decoded = images(3)
    batch = to_input(decoded)
    assert batch.shape == (3, 3, SIDE, SIDE)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    reference = v2.Normalize(IMAGENET_MEAN, IMAGENET_STD)(decoded[:, None].repeat(1, 3, 1, 1) / 255)
    torch.testing.assert_close(batch, reference)
    kept = decoded.numpy()
    torch.testing.assert_close(suffix_input(kept, CPU), batch, rtol=0, atol=0)


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("trainable", ["head", "last-block", "all"])
def test_a_space_is_named_without_weights(name: str, trainable: str) -> None:
    settings = config(name, trainable)
    space = space_of(settings)
    assert space == space_of(config(name, trainable, lr=0.5, epochs=3, gamma=0))  # nothing is computed anew
    if trainable == "all":
        assert (space.shape, space.dtype, space.backbone) == ((SIDE, SIDE), "uint8", "images")
        return
    assert space.dtype == "float16"
    assert len(space.shape) == {"head": 1, "last-block": 3}[trainable]
    assert space.key != space_of(config(name, trainable, seed=1)).key  # other random weights
    assert space.key != space_of(TrainConfig.create(**{**settings.model_dump(), "image_size": 96})).key
    assert space_of(TrainConfig.create(**{**settings.model_dump(), "image_size": 32})).shape  # the smallest allowed


@pytest.mark.parametrize("name", BACKBONES)
def test_features_of_stages_have_a_space_of_their_own(name: str) -> None:
    # At the smallest size that is allowed.
    space = space_of(TrainConfig.create(**{**pooled(name).model_dump(), "image_size": 32}))
    assert space.features == ",".join(BACKBONES[name].middle)
    assert (space.dtype, len(space.shape)) == ("float16", 1)
    assert space.key != replace(space, features="last").key


def test_the_space_of_stages_is_known_by_what_is_computed_alone() -> None:
    name = "efficientnet_lite0"
    space, last = space_of(pooled(name)), space_of(config(name, "head"))
    assert last.features == "last"
    assert space.key != last.key
    assert space == space_of(pooled(name, lr=0.5))
    assert space.key != space_of(pooled(name, mask_border=True)).key


@pytest.mark.parametrize("settings", [*map(config, BACKBONES), *map(pooled, BACKBONES)], ids=named)
def test_an_image_has_the_same_bits_in_any_company(settings: TrainConfig, network: Networks, tmp_path: Path) -> None:
    prefix, suffix = halves(settings, network(settings.backbone), tmp_path)
    pixels = images(INFERENCE_BATCH).numpy()
    rows = frozen_features(prefix, pixels, CPU)
    assert rows.dtype == np.float16
    assert np.abs(rows).max() > 1e-3
    logits = logits_of(suffix, rows, CPU)
    for size in (1, 2, 7):
        starts = range(0, 2 * size, size)
        again = np.concatenate([frozen_features(prefix, pixels[i : i + size], CPU) for i in starts])
        np.testing.assert_array_equal(again, rows[: 2 * size])
        parts = [logits_of(suffix, rows[i : i + size], CPU) for i in starts]
        assert torch.equal(torch.cat(parts), logits[: 2 * size])


@pytest.mark.parametrize(
    "settings",
    [
        *map(config, ("efficientnet_b0", "efficientnet_lite0", "mobilenet_v3_small", "small-cnn")),
        *map(pooled, ("efficientnet_lite0", "mobilenet_v3_small")),
    ],
    ids=named,
)
@pytest.mark.parametrize("threads", [1, 3])
def test_bits_do_not_depend_on_place_or_company_with_other_threads(
    settings: TrainConfig, threads: int, network: Networks, tmp_path: Path, several_threads: Callable[[int], None]
) -> None:
    """torch rounds exponentials otherwise at the ends of a thread's share; one thread takes other kernels by height."""
    prefix, suffix = halves(settings, network(settings.backbone), tmp_path)
    several_threads(threads)
    pixels = images(INFERENCE_BATCH).numpy()
    rows = frozen_features(prefix, pixels, CPU)
    logits = logits_of(suffix, rows, CPU)
    for shift in (1, 5, 11):
        moved = frozen_features(prefix, np.roll(pixels, shift, axis=0), CPU)
        np.testing.assert_array_equal(np.roll(moved, -shift, axis=0), rows)
        assert torch.equal(logits_of(suffix, moved, CPU).roll(-shift, 0), logits)
        np.testing.assert_array_equal(frozen_features(prefix, pixels[:shift], CPU), rows[:shift])


@pytest.mark.parametrize("trainable", ["head", "last-block", "all"])
@pytest.mark.parametrize("name", ["small-cnn", "resnet18"])
def test_every_cut_gives_the_same_network(name: str, trainable: str, network: Networks, tmp_path: Path) -> None:
    net = network(name)
    prefix, suffix = halves(config(name, trainable), net, tmp_path)
    pixels = images(5).numpy()
    rows = frozen_features(prefix, pixels, CPU)
    with torch.inference_mode():
        whole = suffix.head(net(to_input(torch.from_numpy(pixels))))  # type: ignore[operator]
    # Kept rows are rounded to half precision.
    torch.testing.assert_close(logits_of(suffix, rows, CPU), whole, rtol=2e-2, atol=2e-2)


def test_the_prefix_is_really_frozen() -> None:
    """The notebook's first defect: a typo left the convolutions unfrozen, and every epoch moved them."""
    settings = config()
    store = FeatureStore(space_of(settings))
    prefix, suffix = load_prefix(settings, store), initial_suffix(settings, 3)
    assert len(list(prefix.parameters())) > 0
    assert not any(value.requires_grad for value in prefix.parameters())
    assert not any(module.training for module in prefix.modules())
    assert all(value.requires_grad for value in suffix.parameters())
    before = {name: value.clone() for name, value in prefix.state_dict().items()}
    start = {name: value.clone() for name, value in suffix.state_dict().items()}
    pixels, truth = images(8).numpy(), torch.arange(8) % 3
    first = frozen_features(prefix, pixels, CPU)
    optimiser = torch.optim.SGD(suffix.parameters(), lr=0.1, momentum=0.9)
    suffix.train()
    for _ in range(5):
        optimiser.zero_grad()
        rows = suffix_input(frozen_features(prefix, pixels, CPU), CPU)
        nn.functional.cross_entropy(suffix(rows), truth).backward()
        optimiser.step()
    assert all(torch.equal(value, before[name]) for name, value in prefix.state_dict().items())
    assert all(value.grad is None for value in prefix.parameters())
    assert all(not torch.equal(value, start[name]) for name, value in suffix.named_parameters())
    np.testing.assert_array_equal(frozen_features(prefix, pixels, CPU), first)


def test_the_prefix_is_built_once_and_read_afterwards() -> None:
    settings = config()
    store = FeatureStore(space_of(settings))
    first = load_prefix(settings, store).state_dict()
    file = store.folder / "prefix.safetensors"
    written = file.stat().st_mtime_ns
    second = load_prefix(settings, store).state_dict()
    assert file.stat().st_mtime_ns == written
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_nothing_is_frozen_with_all() -> None:
    settings = config(trainable="all")
    prefix = load_prefix(settings, FeatureStore(space_of(settings)))
    assert len(prefix) == 0
    pixels = images(3).numpy()
    assert frozen_features(prefix, pixels, CPU) is pixels


def test_the_suffix_starts_from_the_backbones_weights_and_the_seed(network: Networks) -> None:
    first, again, other = (initial_suffix(config(seed=seed), 3).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    for part in ("block3.0.weight", "head.0.weight"):
        assert not torch.equal(first[part], other[part])
    stages = dict(BACKBONES["small-cnn"].stages(network("small-cnn")))
    assert torch.equal(first["block3.0.weight"], stages["block3"][0].weight)  # type: ignore[index]


@pytest.mark.parametrize("trainable", ["head", "last-block", "all"])
def test_a_suffix_comes_back_from_its_file(trainable: str, tmp_path: Path) -> None:
    settings, file = config(trainable=trainable), tmp_path / "best.safetensors"
    suffix = initial_suffix(settings, 3).eval()
    save_weights(suffix, file)
    again = read_suffix(settings, 3, file)
    assert not again.training
    assert list(again.state_dict()) == list(suffix.state_dict())
    rows = frozen_features(load_prefix(settings, FeatureStore(space_of(settings))), images(4).numpy(), CPU)
    assert torch.equal(logits_of(again, rows, CPU), logits_of(suffix, rows, CPU))
    assert [entry.name for entry in tmp_path.glob("*best*")] == ["best.safetensors"]


def test_weights_that_do_not_fit_are_an_error(tmp_path: Path) -> None:
    settings, file = config(trainable="head"), tmp_path / "best.safetensors"
    with pytest.raises(WeightsError, match=r"There is no weights file .*best\.safetensors"):
        read_suffix(settings, 3, file)
    save_weights(initial_suffix(settings, 4), file)  # of another number of classes
    with pytest.raises(WeightsError, match="does not hold this run's weights"):
        read_suffix(settings, 3, file)
    save_weights(initial_suffix(config(trainable="all"), 3), file)  # of another cut
    with pytest.raises(WeightsError, match="does not hold this run's weights"):
        read_suffix(settings, 3, file)
    save_weights(initial_suffix(settings, 3), file)
    content = file.read_bytes()
    for damage in (content[: len(content) // 2], b"", b"\x00" * 100, b"\xff" * 100):
        file.write_bytes(damage)
        with pytest.raises(WeightsError, match="does not hold this run's weights"):
            read_suffix(settings, 3, file)


def test_features_beyond_half_precision_are_clamped() -> None:
    settings = config(trainable="head")
    prefix = load_prefix(settings, FeatureStore(space_of(settings)))
    with torch.no_grad():
        prefix.get_parameter("block3.0.weight").mul_(1e9)
    rows = frozen_features(prefix, images(3).numpy(), CPU)
    assert np.isfinite(rows).all()
    assert rows.max() == HALF_MAX


def test_infer_goes_through_all_batches() -> None:
    settings = config(trainable="all")
    suffix = initial_suffix(settings, 3).eval()
    pixels = images(2 * INFERENCE_BATCH + 5).numpy()
    told: list[int] = []
    batches = [pixels[part] for part in in_batches(np.arange(len(pixels)), INFERENCE_BATCH)]
    logits = infer(suffix, batches, CPU, told.append)
    assert told == [16, 32, 37]
    assert torch.equal(logits, torch.cat([logits_of(suffix, pixels[i : i + 1], CPU) for i in range(len(pixels))]))


def test_in_batches() -> None:
    assert [part.tolist() for part in in_batches(np.arange(5), 2)] == [[0, 1], [2, 3], [4]]
    assert list(in_batches(np.arange(0), 2)) == []
