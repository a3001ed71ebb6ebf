"""Pickled networks: their tensors come out to the last bit, and nothing that a hostile file says is done."""

import builtins
import os
import pickle
import socket
import subprocess
import sys
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cxr_core.errors import WeightsError
from cxr_core.model import sealed
from cxr_core.model.sealed import is_pickled, unsealed

NEW, OLD = True, False


def network() -> nn.Module:
    """A module with all that a published one has: layers in layers, buffers, half precision, a view, a scalar."""
    torch.manual_seed(0)
    net = nn.Sequential(
        OrderedDict(features=nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)), head=nn.Linear(4, 2))
    )
    net.register_buffer("short", torch.randn(3).half())
    net.register_buffer("turned", torch.randn(5, 3).t())
    net.op_threshs = torch.rand(18)
    return net


@pytest.mark.parametrize("way", [NEW, OLD])
@pytest.mark.parametrize("whole", [True, False], ids=["module", "state dict"])
def test_the_tensors_come_out_to_the_last_bit(way: bool, whole: bool, tmp_path: Path) -> None:
    net = network()
    file = tmp_path / "net.pt"
    torch.save(net if whole else {"state_dict": net.state_dict()}, file, _use_new_zipfile_serialization=way)
    assert is_pickled(file)
    taken = unsealed(file, agreed=True)
    expected = net.state_dict()
    assert set(taken.tensors) == set(expected)
    for name, value in expected.items():
        assert taken.tensors[name].dtype == value.dtype
        assert torch.equal(taken.tensors[name], value)
    assert "no code of the file is run" in taken.protection


def test_nothing_is_opened_before_a_person_agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(network(), tmp_path / "net.pt")
    monkeypatch.setattr(sealed, "_asked", lambda *_: pytest.fail("the file was opened"))
    with pytest.raises(WeightsError, match=r"is not opened: it is a whole pickled network.*--trust-pickle"):
        unsealed(tmp_path / "net.pt", agreed=False)


# Hostile files. Each would do its deed with pickle.load, which the first test shows.


class Does:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Callable[..., Any], *given: Any) -> None:
        self.function, self.given = function, given

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.given


def hostile(deed: Does, file: Path, way: bool = NEW) -> Path:
    """A network with a deed hidden in it."""
    net = network()
    net.deed = deed  # type: ignore[assignment]
    torch.save(net, file, _use_new_zipfile_serialization=way)
    return file


def test_the_deeds_would_be_done_by_a_plain_reader(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    pickle.loads(pickle.dumps(Does(os.system, f"echo x > {mark}")))  # noqa: S301  (they work)
    assert mark.exists()


def deeds(mark: Path, port: int) -> dict[str, Does]:
    """Programs, code, files, the network, and a clock that never ends."""
    return {
        "system": Does(os.system, f"echo x > {mark}"),
        "eval": Does(builtins.eval, f"open({str(mark)!r}, 'w')"),
        "exec": Does(builtins.exec, f"import pathlib; pathlib.Path({str(mark)!r}).touch()"),
        "open": Does(builtins.open, str(mark), "w"),
        "popen": Does(subprocess.Popen, ["touch", str(mark)]),
        "connect": Does(socket.create_connection, ("127.0.0.1", port)),
        "sleep": Does(time.sleep, 3600.0),
        "remove": Does(os.remove, str(mark.with_name("precious"))),
        "memory": Does(builtins.bytearray, 1 << 40),
        "getattr": Does(builtins.getattr, os, "system"),
    }


def test_no_deed_is_done_and_the_numbers_come_all_the_same(tmp_path: Path) -> None:
    mark, precious = tmp_path / "mark", tmp_path / "precious"
    precious.touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        net = network()
        found = deeds(mark, server.getsockname()[1])
        del found["getattr"]  # a module cannot be pickled at all
        # All of them in one file: a process costs a good part of a second.
        for name, deed in found.items():
            setattr(net, f"deed_{name}", deed)
        for way in (NEW, OLD):
            torch.save(net, tmp_path / "net.pt", _use_new_zipfile_serialization=way)
            taken = unsealed(tmp_path / "net.pt", agreed=True)
            assert set(taken.tensors) == set(network().state_dict())
        with pytest.raises(BlockingIOError):
            server.accept()
    assert not mark.exists()
    assert precious.exists()


def written(content: bytes, file: Path) -> Path:
    """A zip as torch.save makes it, with this pickle in it and no numbers."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/data/0", b"\0" * 16)
    return file


def tensor(count: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
    """The pickle of a state dict with one tensor of any claim."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: Any) -> Any:
            return ("storage", torch.FloatStorage, "0", "cpu", count) if value == "numbers" else None

    import io

    out = io.BytesIO()
    claim = Does(torch._utils._rebuild_tensor_v2, "numbers", 0, shape, strides, False, OrderedDict())
    Pickler(out, 2).dump({"weight": claim})
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (tensor(4, (4,), (1,)), ""),
        (tensor(4, (1 << 40,), (0,)), "reaches beyond its numbers"),
        (tensor(4, (1 << 40,), (1,)), "reaches beyond its numbers"),
        (tensor(4, (5,), (1,)), "reaches beyond its numbers"),
        (tensor(4, (2,), (-1,)), "shape is none"),
        (tensor(1 << 40, (4,), (1,)), "ends before its numbers do"),
        (b"(" * 100_000 + b"t.", "|nested|cannot be read"),
        (pickle.dumps(Does(os.system, "true")), "no tensor in it"),
        (b"cos\nsystem\n(S'true'\ntR.", "no tensor in it"),
        (b"\x80\x04" + b"\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.", "no tensor in it"),
        (b"nonsense", "cannot be read"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else "case",
)
def test_claims_that_no_file_can_keep(content: bytes, why: str, tmp_path: Path) -> None:
    file = written(content, tmp_path / "net.pt")
    if not why:
        assert unsealed(file, agreed=True).tensors["weight"].tolist() == [0, 0, 0, 0]
        return
    with pytest.raises(WeightsError, match=why):
        unsealed(file, agreed=True)


def test_modules_that_double_with_every_step_are_given_up(tmp_path: Path) -> None:
    net: nn.Module = nn.Linear(1, 1)
    for _ in range(40):
        net = nn.Sequential(OrderedDict(a=net, b=net))
    torch.save(net, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match="nested without end"):
        unsealed(tmp_path / "net.pt", agreed=True)


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    torch.save(network(), tmp_path / "net.pt")
    with pytest.raises(WeightsError, match="was not read within"):
        unsealed(tmp_path / "net.pt", agreed=True, seconds=0.01)


CONFINED = """
import ctypes, json, os, socket, sys
sys.path.insert(0, {folder!r})
import unsealing
took = unsealing.confined(64 << 20)

done = []
def tried(name, deed):
    try:
        deed()
        done.append(name)
    except (OSError, PermissionError, MemoryError):
        pass
tried("write", lambda: open({mark!r}, "w"))
tried("socket", lambda: socket.socket())
tried("program", lambda: os.posix_spawn("/bin/true", ["true"], {{}}))
tried("fork", os.fork)
tried("memory", lambda: bytearray(8 << 30))
tried("read", lambda: open({folder!r} + "/unsealing.py").read())
print(json.dumps([took, done]))
"""


@pytest.mark.parametrize("hook", [True, False], ids=["with the hook", "kernel alone"])
@pytest.mark.skipif(sys.platform != "linux", reason="what the kernel gives is Linux's")
def test_what_the_process_has_given_up(hook: bool, tmp_path: Path) -> None:
    import json

    program = CONFINED.format(folder=str(Path(sealed.__file__).parent), mark=str(tmp_path / "mark"))
    if not hook:
        program = program.replace("took =", "sys.addaudithook = lambda hook: None\ntook =")
    run = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    took, done = json.loads(run.stdout)
    assert done == ["read"], took
    assert not (tmp_path / "mark").exists()
