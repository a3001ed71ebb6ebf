"""The forms of the published networks: names, sizes, what they make of grey, and a transformer written twice."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cxr_core.model.network import to_input
from cxr_core.model.xray_networks import OwnScale, RadDino, Size, XrayDenseNet, as_map
from tests.model.conftest import images

TINY = Size(width=12, depth=2, heads=3, patch=14, grid=4)


def test_names_and_sizes_are_those_of_the_published_files() -> None:
    with torch.device("meta"):
        rad, xrv = RadDino(size=Size()).state_dict(), XrayDenseNet().state_dict()
    shapes = {
        "embeddings.cls_token": (1, 1, 768),
        "embeddings.position_embeddings": (1, 1370, 768),
        "embeddings.patch_embeddings.projection.weight": (768, 3, 14, 14),
        "encoder.layer.0.norm1.weight": (768,),
        "encoder.layer.11.attention.attention.query.weight": (768, 768),
        "encoder.layer.11.attention.output.dense.bias": (768,),
        "encoder.layer.11.layer_scale1.lambda1": (768,),
        "encoder.layer.11.mlp.fc1.weight": (3072, 768),
        "encoder.layer.11.mlp.fc2.weight": (768, 3072),
        "layernorm.bias": (768,),
    }
    assert {name: tuple(rad[name].shape) for name in shapes} == shapes
    # 18 a layer, 4 before them, 2 behind; what hides patches in their training is not needed.
    assert len(rad) == 12 * 18 + 4 + 2
    assert tuple(xrv["features.conv0.weight"].shape) == (64, 1, 7, 7)
    assert tuple(xrv["classifier.weight"].shape) == (18, 1024)
    assert "features.denseblock1.denselayer1.norm1.weight" in xrv


@pytest.mark.parametrize(("mean", "std", "channels"), [(0.5, 1 / 2048, 1), (0.5307, 0.2583, 3)])
def test_every_grey_is_found_again_to_the_bit(mean: float, std: float, channels: int) -> None:
    greys = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    scaled = OwnScale(mean, std, channels)(to_input(greys))
    assert scaled.shape == (1, channels, 16, 16)
    assert torch.equal(scaled[0, 0], (greys[0].float() / 255 - mean) / std)
    if channels == 1:
        assert (float(scaled.min()), float(scaled.max())) == (-1024, 1024)


def reference(net: RadDino, grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """The tokens behind the last layer, (T, C), in numpy and float64, written from the definition."""
    state = {name: value.double().numpy() for name, value in net.state_dict().items()}
    side = grey.shape[0] // 14
    patches = [
        grey[14 * row : 14 * row + 14, 14 * column : 14 * column + 14] for row in range(side) for column in range(side)
    ]
    kernel = state["embeddings.patch_embeddings.projection.weight"].sum(axis=1)
    tokens = np.stack([(kernel * patch).sum(axis=(1, 2)) for patch in patches])
    tokens = tokens + state["embeddings.patch_embeddings.projection.bias"]
    x = np.concatenate([state["embeddings.cls_token"][0], tokens]) + state["embeddings.position_embeddings"][0]

    def norm(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        centred = values - values.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-6)
        return np.asarray(scaled * state[f"{name}.weight"] + state[f"{name}.bias"])

    def linear(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        return np.asarray(values @ state[f"{name}.weight"].T + state[f"{name}.bias"])

    for layer in range(TINY.depth):
        own = f"encoder.layer.{layer}"
        seen, width = norm(x, f"{own}.norm1"), TINY.width // TINY.heads
        query, key, value = (linear(seen, f"{own}.attention.attention.{part}") for part in ("query", "key", "value"))
        heads = []
        for head in range(TINY.heads):
            part = slice(head * width, (head + 1) * width)
            scores = np.exp(query[:, part] @ key[:, part].T / np.sqrt(width))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, part])
        mixed = linear(np.concatenate(heads, axis=1), f"{own}.attention.output.dense")
        x = x + state[f"{own}.layer_scale1.lambda1"] * mixed
        wide = linear(norm(x, f"{own}.norm2"), f"{own}.mlp.fc1")
        gelu = wide * 0.5 * (1 + torch.erf(torch.from_numpy(wide) / 2**0.5).numpy())
        x = x + state[f"{own}.layer_scale2.lambda1"] * linear(gelu, f"{own}.mlp.fc2")
    return norm(x, "layernorm")


@pytest.mark.parametrize("patches", [False, True])
def test_the_transformer_is_its_definition_in_double_precision(patches: bool) -> None:
    torch.manual_seed(0)
    net = RadDino(patches, TINY).eval()
    with torch.no_grad():
        for value in net.parameters():
            value.normal_(0, 0.3)
    decoded = images(1, 56)
    tokens = reference(net, (decoded[0].double().numpy() / 255 - 0.5307) / 0.2583)
    expected = tokens[1:].mean(axis=0) if patches else tokens[0]
    with torch.inference_mode():
        found = net(to_input(decoded))[0].double().numpy()
    np.testing.assert_allclose(found, expected, atol=2e-4, rtol=1e-3)


def test_positions_between_those_of_the_training() -> None:
    net = RadDino(size=TINY).eval()
    embeddings = net.embeddings
    assert embeddings._positions(4, 4) is embeddings.position_embeddings
    between = embeddings._positions(7, 7)
    assert between.shape == (1, 50, 12)
    assert torch.equal(between[:, 0], embeddings.position_embeddings[:, 0])


def test_tokens_as_a_map() -> None:
    tokens = torch.arange(10.0).view(1, 1, 1, 10)
    assert as_map(tokens)[0, 0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    for other in (torch.zeros(1, 2, 7, 7), torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 9)):
        assert as_map(other) is other
