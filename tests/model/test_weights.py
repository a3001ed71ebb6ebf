"""Where weights come from, and every way in which that can fail: never a silent fall back to random ones."""

import hashlib
import http.server
import pickle
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import Weights, WeightsEnum
from torchvision.transforms._presets import ImageClassification

from cxr_core.errors import WeightsError
from cxr_core.model.backbones import BACKBONES
from cxr_core.model.weights import check_weights, load_backbone, read_weights_file, weights_digest

RESNET_FILE = "resnet18-f37072fd.pth"


def same(net: nn.Module, state: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    """A small-cnn's weights that are no one's random start."""
    return load_backbone("small-cnn", "none", seed=12345).state_dict()


@pytest.fixture
def saved(state: dict[str, Tensor], tmp_path: Path) -> Path:
    torch.save(state, tmp_path / "weights.pth")
    return tmp_path / "weights.pth"


# Random weights


@pytest.mark.parametrize("name", ["small-cnn", "resnet18", "mobilenet_v3_small"])
def test_random_weights_follow_the_seed(name: str) -> None:
    first, again, other = (load_backbone(name, "none", seed) for seed in (3, 3, 4))
    assert same(first, again.state_dict())
    assert not same(first, other.state_dict())
    assert not any(module.training for module in first.modules())
    assert weights_digest(name, "none", 3) == weights_digest(name, "none", 3)
    assert weights_digest(name, "none", 3) != weights_digest(name, "none", 4)


def test_drawing_weights_leaves_the_random_state_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    load_backbone("small-cnn", "none", 0)
    assert torch.equal(torch.rand(3), expected)


# Files


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("old_format", [False, True])
def test_a_checkpoint(
    state: dict[str, Tensor], tmp_path: Path, wrapper: str | None, prefix: str, old_format: bool
) -> None:
    content: dict[str, Any] = {prefix + name: value for name, value in state.items()}
    file = tmp_path / "weights.pth"
    torch.save(
        {wrapper: content, "epoch": 3} if wrapper else content, file, _use_new_zipfile_serialization=not old_format
    )
    net = load_backbone("small-cnn", str(file), seed=0)
    assert same(net, state)
    assert not net.training


@pytest.mark.parametrize("prefix", ["model.", "net.", "module.densenet121.", "encoder.backbone.module."])
def test_what_a_training_tool_puts_before_every_name(state: dict[str, Tensor], tmp_path: Path, prefix: str) -> None:
    """Lightning puts the attribute's name, CheXNet both that and what DataParallel does; a head has its own name."""
    content = {prefix + name: value for name, value in state.items()} | {"head.weight": torch.zeros(2, 2)}
    torch.save({"state_dict": content, "optimizer": {}, "epoch": 3}, tmp_path / "weights.ckpt")
    assert same(load_backbone("small-cnn", str(tmp_path / "weights.ckpt"), 0), state)


def test_two_networks_in_one_file_are_refused(state: dict[str, Tensor], tmp_path: Path) -> None:
    both = {f"{who}.{name}": value for who in ("teacher", "student") for name, value in state.items()}
    torch.save(both, tmp_path / "both.pth")
    with pytest.raises(WeightsError, match=r"hold 2 networks that fit: 'student\.', 'teacher\.'"):
        load_backbone("small-cnn", str(tmp_path / "both.pth"), 0)
    # A copy under another name beside the plain one: the plain one is meant.
    torch.save(state | {f"ema.{name}": value + 1 for name, value in state.items()}, tmp_path / "ema.pth")
    assert same(load_backbone("small-cnn", str(tmp_path / "ema.pth"), 0), state)
    torch.save({"generator": state, "critic": state}, tmp_path / "two.pth")
    with pytest.raises(WeightsError, match="holds 2 state dicts: generator, critic"):
        load_backbone("small-cnn", str(tmp_path / "two.pth"), 0)
    torch.save({"generator": state, "epoch": 1}, tmp_path / "one.pth")
    assert same(load_backbone("small-cnn", str(tmp_path / "one.pth"), 0), state)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(state: dict[str, Tensor], tmp_path: Path, number: float) -> None:
    broken = {name: value.clone() for name, value in state.items()}
    broken["stem.0.weight"].view(-1)[5] = number
    torch.save(broken, tmp_path / "broken.pth")
    with pytest.raises(WeightsError, match=r"not finite, in 1 of \d+ tensors, such as stem\.0\.weight"):
        load_backbone("small-cnn", str(tmp_path / "broken.pth"), 0)
    # In a head that is not used it does not matter.
    torch.save(state | {"fc.weight": torch.full((2, 2), number)}, tmp_path / "head.pth")
    assert same(load_backbone("small-cnn", str(tmp_path / "head.pth"), 0), state)


def test_the_content_says_what_a_weights_file_is(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(state, tmp_path / "really-safetensors.pth")
    torch.save(state, tmp_path / "really-torch.safetensors")
    for file in ("really-safetensors.pth", "really-torch.safetensors"):
        assert same(load_backbone("small-cnn", str(tmp_path / file), 0), state)


def test_an_empty_file_says_that_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.pth").touch()
    for ask in (partial(load_backbone, "small-cnn"), partial(weights_digest, "small-cnn")):
        with pytest.raises(WeightsError, match=r"empty\.pth cannot be read as weights: it is empty \(0 bytes\)"):
            ask(str(tmp_path / "empty.pth"), 0)


def test_weights_are_checked_without_being_kept(saved: Path, tmp_path: Path) -> None:
    check_weights("small-cnn", "none")
    check_weights("small-cnn", str(saved))
    with pytest.raises(WeightsError, match="do not fit resnet18"):
        check_weights("resnet18", str(saved))
    with pytest.raises(WeightsError, match="there is no file"):
        check_weights("resnet18", str(tmp_path / "nowhere.pth"))


def test_safetensors_and_half_precision(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(state, tmp_path / "weights.safetensors")
    assert same(load_backbone("small-cnn", str(tmp_path / "weights.safetensors"), 0), state)
    save_file({name: value.half() for name, value in state.items()}, tmp_path / "half.safetensors")
    net = load_backbone("small-cnn", str(tmp_path / "half.safetensors"), 0)
    assert {value.dtype for value in net.parameters()} == {torch.float32}
    for name, value in net.named_parameters():
        torch.testing.assert_close(value, state[name], rtol=1e-3, atol=1e-3)


def test_what_a_file_need_not_hold(state: dict[str, Tensor], tmp_path: Path) -> None:
    """Files older than 2019 do not count batches; a head of one's own is left out."""
    content = {name: value for name, value in state.items() if "num_batches" not in name}
    torch.save({**content, "head.3.weight": torch.zeros(2, 2)}, tmp_path / "weights.pth")
    net = load_backbone("small-cnn", str(tmp_path / "weights.pth"), 0)
    assert all(torch.equal(net.state_dict()[name], value) for name, value in content.items())


def test_every_part_before_the_classifier_is_filled(tmp_path: Path) -> None:
    """Nothing that a stage uses may stay without numbers; the classifier is never used and may."""
    for name in ("resnet18", "mobilenet_v3_small", "convnext_tiny"):
        file = tmp_path / f"{name}.pth"
        torch.save(BACKBONES[name].build().state_dict(), file)
        stages = BACKBONES[name].stages(load_backbone(name, str(file), 0))
        assert not any(value.is_meta for _, stage in stages for value in stage.state_dict().values())


def test_densenet_files_with_the_names_of_2017(tmp_path: Path) -> None:
    """torchvision's own download still has them: denselayer1.norm.1.weight for denselayer1.norm1.weight."""
    whole = load_backbone("densenet121", "none", seed=2).state_dict()
    renamed = {
        name.replace("norm1.", "norm.1.")
        .replace("norm2.", "norm.2.")
        .replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2."): value
        for name, value in whole.items()
        if "num_batches" not in name
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in renamed
    torch.save(renamed, tmp_path / "densenet121.pth")
    net = load_backbone("densenet121", str(tmp_path / "densenet121.pth"), 0)
    features = {name: value for name, value in net.state_dict().items() if name.startswith("features.")}
    assert all(torch.equal(value, whole[name]) for name, value in features.items() if "num_batches" not in name)


def test_the_digest_is_the_files(state: dict[str, Tensor], saved: Path, tmp_path: Path) -> None:
    digest = weights_digest("small-cnn", str(saved), 0)
    assert digest == weights_digest("small-cnn", str(saved), 1)
    moved = saved.rename(tmp_path / "other name.pth")
    assert digest == weights_digest("small-cnn", str(moved), 0)
    torch.save({**state, "extra": torch.zeros(1)}, moved)
    assert digest != weights_digest("small-cnn", str(moved), 0)


def test_weights_of_another_network(saved: Path) -> None:
    with pytest.raises(WeightsError, match=r"do not fit resnet18: \d+ of \d+ tensors are missing, such as conv1"):
        load_backbone("resnet18", str(saved), 0)


def test_missing_tensors_and_wrong_shapes(state: dict[str, Tensor], saved: Path) -> None:
    torch.save({name: value for name, value in state.items() if not name.startswith("block2")}, saved)
    with pytest.raises(WeightsError, match=r"do not fit small-cnn: \d+ of \d+ tensors are missing, such as block2"):
        load_backbone("small-cnn", str(saved), 0)
    torch.save({**state, "stem.0.weight": torch.zeros(24, 1, 4, 4)}, saved)
    with pytest.raises(WeightsError, match=r"stem\.0\.weight is \(24, 1, 4, 4\), expected \(24, 3, 4, 4\)"):
        load_backbone("small-cnn", str(saved), 0)


def test_a_missing_file(tmp_path: Path) -> None:
    for weights in (str(tmp_path / "nothing.pth"), str(tmp_path)):
        for ask in (partial(load_backbone, "small-cnn"), partial(weights_digest, "small-cnn")):
            with pytest.raises(WeightsError, match="expected imagenet, pip, none or a weights file; there is no file"):
                ask(weights, 0)


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04 no archive", b"\x80\x02}q\x00.", b"\xff" * 100])
def test_a_corrupt_file(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name} (cannot be read as weights|holds no state dict)"):
        load_backbone("small-cnn", str(file), 0)


@pytest.mark.parametrize(
    "content", [{}, [1, 2], {"weight": 3}, {1: torch.zeros(2)}, torch.zeros(3), {"state_dict": {}}, None]
)
def test_a_file_of_something_else(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match="holds no state dict: expected names with tensors, got"):
        load_backbone("small-cnn", str(tmp_path / "weights.pth"), 0)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_the_damage_it_is_an_error_of_the_file(tmp_path: Path, data: st.DataObject) -> None:
    file = tmp_path / data.draw(st.sampled_from(["new.pth", "old.pth", "new.safetensors"]))
    tensors = {"a.weight": torch.ones(3, 4), "b.weight": torch.zeros(3)}
    if file.suffix == ".safetensors":
        save_file(tensors, file)
    else:
        torch.save(tensors, file, _use_new_zipfile_serialization=file.stem == "new")
    content = bytearray(file.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    for _ in range(data.draw(st.integers(0, 4)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
    with suppress(WeightsError):  # any other exception fails the test; some damage cannot be seen
        assert all(isinstance(value, Tensor) for value in read_weights_file(file).values())


class Planted:
    """Its unpickling would make a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("wrap", [lambda planted: planted, lambda planted: {"state_dict": {"stem.0.weight": planted}}])
@pytest.mark.parametrize("how", ["torch", "torch, old", "pickle"])
def test_a_pickled_model_is_refused_and_its_code_not_run(tmp_path: Path, wrap: Any, how: str) -> None:
    """The notebook's eighth defect."""
    mark, file = tmp_path / "code was run", tmp_path / "model.pth"
    content = wrap(Planted(mark))
    if how == "pickle":
        file.write_bytes(pickle.dumps(content))
        pickle.loads(file.read_bytes())  # noqa: S301  (the trap works)
    else:
        torch.save(content, file, _use_new_zipfile_serialization=how == "torch")
        torch.load(file, weights_only=False)
    assert mark.exists()
    mark.unlink()
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        load_backbone("small-cnn", str(file), 0)
    assert not mark.exists()


def test_a_whole_network_is_refused(tmp_path: Path) -> None:
    torch.save(BACKBONES["small-cnn"].build(), tmp_path / "model.pth")
    with pytest.raises(WeightsError, match="whole pickled models are refused: loading them runs code"):
        load_backbone("small-cnn", str(tmp_path / "model.pth"), 0)


# Downloads, through the real loader, from a server on this machine


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the server's files as its ``manner`` says."""

    server: "Server"

    def do_GET(self) -> None:
        content = self.server.files.get(self.path.rsplit("/", 1)[-1])
        if content is None:
            self.send_error(404)
            return
        if self.server.manner == "no answer":
            self.wfile.write(b"nonsense\r\n\r\n")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.wfile.flush()
        if self.server.manner == "break off":
            return
        if self.server.manner == "reset":
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # on, 0 seconds: close by a reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.rfile.close()  # it holds the socket open
            self.connection.close()
            return
        if self.server.manner == "slow":
            time.sleep(0.8)
        self.wfile.write(content[half:])

    def finish(self) -> None:
        if not self.connection._closed:
            super().finish()

    def log_message(self, *_: object) -> None:
        """Nothing on the test's output."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    files: dict[str, bytes]
    manner = "serve"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/models"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A mirror, and CXR_WEIGHTS_MIRROR set to it."""
    with Server(("127.0.0.1", 0), Handler) as running:
        running.files = {}
        thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        monkeypatch.setenv("CXR_WEIGHTS_MIRROR", running.url)
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of downloads, empty and the test's own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "torch" / "hub" / "checkpoints"


@dataclass(frozen=True)
class Published:
    """A file of weights as torchvision publishes them: the name holds the beginning of its checksum."""

    name: str
    content: bytes


@pytest.fixture
def published(saved: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """Weights for small-cnn, entered in the registry."""
    content = saved.read_bytes()
    name = f"small-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    weights = Weights(
        url=f"http://127.0.0.1:9/nowhere/{name}",
        transforms=partial(ImageClassification, crop_size=224),
        meta={"_file_size": len(content) / 2**20},
    )

    class SmallWeights(WeightsEnum):
        V1 = weights

    monkeypatch.setitem(BACKBONES, "small-cnn", replace(BACKBONES["small-cnn"], imagenet=SmallWeights.V1))
    return Published(name, content)


def refused(name: str = "small-cnn") -> str:
    """The message of the WeightsError that loading ImageNet weights ends in."""
    with pytest.raises(WeightsError) as caught:
        load_backbone(name, "imagenet", 0)
    return str(caught.value)


def test_a_download(server: Server, published: Published, state: dict[str, Tensor], checkpoints: Path) -> None:
    server.files[published.name] = published.content
    assert same(load_backbone("small-cnn", "imagenet", 0), state)
    assert [file.name for file in checkpoints.iterdir()] == [published.name]
    assert weights_digest("small-cnn", "imagenet", 0) == Path(published.name).stem
    server.files.clear()
    assert same(load_backbone("small-cnn", "imagenet", 1), state)  # not downloaded twice


def test_progress_of_a_download(server: Server, published: Published) -> None:
    server.files[published.name], server.manner = published.content, "slow"
    told: list[tuple[int, int]] = []
    load_backbone("small-cnn", "imagenet", 0, lambda done, total: told.append((done, total)))
    assert told
    assert all(0 <= done <= total == len(published.content) for done, total in told)


def test_another_file_than_the_name_promises(server: Server, published: Published, checkpoints: Path) -> None:
    server.files[published.name] = published.content + b"\0"
    message = refused()
    assert "damaged or not theirs" in message
    assert "hash" in message
    assert list(checkpoints.iterdir()) == []


def test_a_small_file_under_torchvisions_name(server: Server, saved: Path) -> None:
    server.files[RESNET_FILE] = saved.read_bytes()
    assert "The ImageNet weights of resnet18" in refused("resnet18")
    assert "damaged" in refused("resnet18")


@pytest.mark.parametrize("damage", [b"", b"cut", None])
def test_a_damaged_file_already_there(
    server: Server, published: Published, checkpoints: Path, state: dict[str, Tensor], damage: bytes | None
) -> None:
    """torch's loader takes any file that is there; a copy made by hand deserves the same check as a download."""
    checkpoints.mkdir(parents=True)
    file = checkpoints / published.name
    if damage is None:  # whole, but other weights
        torch.save({name: value + 1 for name, value in state.items()}, file)
    else:
        file.write_bytes(damage)
    message = refused()
    assert "checksum" in message
    assert f"Delete {file}" in message
    file.unlink()
    server.files[published.name] = published.content
    assert same(load_backbone("small-cnn", "imagenet", 0), state)


WAYS_ON = ("connect to the network", "copy small-", "--weights FILE", "--weights none", "CXR_WEIGHTS_MIRROR")


def test_not_found(server: Server, published: Published) -> None:
    message = refused()
    assert "could not be downloaded (HTTP Error 404: Not Found)" in message
    assert all(way in message for way in WAYS_ON)


@pytest.mark.parametrize("manner", ["break off", "reset", "no answer"])
def test_a_server_that_breaks_off(server: Server, published: Published, checkpoints: Path, manner: str) -> None:
    server.files[published.name], server.manner = published.content, manner
    message = refused()
    assert "damaged or not theirs" in message or "could not be downloaded" in message
    assert list(checkpoints.iterdir()) == []  # no part is left that the next start would take for the whole


def test_no_server(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: a connection is refused
        monkeypatch.setenv("CXR_WEIGHTS_MIRROR", f"http://127.0.0.1:{free.getsockname()[1]}")
        message = refused()
    assert "could not be downloaded" in message
    assert "refused" in message
    assert all(way in message for way in WAYS_ON)


@pytest.mark.parametrize("mirror", ["mirror.example", "/some/folder", "ftp//x"])
def test_a_mirror_that_is_no_address(published: Published, monkeypatch: pytest.MonkeyPatch, mirror: str) -> None:
    monkeypatch.setenv("CXR_WEIGHTS_MIRROR", mirror)
    assert f"CXR_WEIGHTS_MIRROR: expected an address such as http://server/folder, got {mirror}" in refused()


def test_a_folder_that_cannot_be_written(server: Server, published: Published, checkpoints: Path) -> None:
    server.files[published.name] = published.content
    checkpoints.parent.mkdir(parents=True)
    checkpoints.write_text("a file where the folder should be")
    assert "could not be downloaded" in refused()


def test_small_cnn_has_no_imagenet_weights() -> None:
    assert "small-cnn has no ImageNet weights: choose weights = none" in refused()
    with pytest.raises(WeightsError, match="has no ImageNet weights"):
        weights_digest("small-cnn", "imagenet", 0)
