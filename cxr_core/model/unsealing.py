"""Run as a program of its own, never imported by the software: takes the tensors out of a pickled network.

    python -I unsealing.py FILE OUT.safetensors LIMIT       # prints one JSON document

The pickle says which functions to call; none of them is called. A name becomes an inert shell that swallows what it is
given, but for those that rebuild a tensor, and these only note where in the file its numbers lie. Then they are read,
and written as safetensors. Only the standard library and numpy: no torch, so nothing of the network is ever made.

Before the file is opened the process gives up what it can: on Linux the network (a namespace of its own), further
programs, and any file but the one that it writes (seccomp); memory, time and the size of files where the system
has limits; on every system an audit hook ends it when Python code opens a file to write, a connection or a program.
What took hold is in the answer.
"""

import ctypes
import json
import os
import pickle
import platform
import struct
import sys
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_KINDS = {
    "FloatStorage": ("F32", "<f4"),
    "DoubleStorage": ("F64", "<f8"),
    "HalfStorage": ("F16", "<f2"),
    "LongStorage": ("I64", "<i8"),
    "IntStorage": ("I32", "<i4"),
    "ShortStorage": ("I16", "<i2"),
    "CharStorage": ("I8", "i1"),
    "ByteStorage": ("U8", "u1"),
    "BoolStorage": ("BOOL", "u1"),
    "BFloat16Storage": ("BF16", "<u2"),
}
_MOST_MODULES, _LONGEST_NAME = 20_000, 1000


class Refused(Exception):
    """The file does not hold what is looked for."""


class Storage(NamedTuple):
    """Numbers in the file: of which kind, under which key, how many."""

    kind: str
    key: str
    length: int


class Tensor(NamedTuple):
    """A view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Shell:
    """What stands for an object of any class: takes everything, does nothing."""

    origin = ""
    state: Any = None

    def __new__(cls, *_: Any, **__: Any) -> "Shell":
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> "Shell":
        return Shell()

    def __setstate__(self, state: Any) -> None:
        self.state = state[0] if isinstance(state, tuple) and state else state

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        pass

    extend = add = append

    def __hash__(self) -> int:
        return id(self)


def _view(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Any:
    """In the place of ``torch._utils._rebuild_tensor_v2``: notes the view, checks that it lies within its storage."""
    if not isinstance(storage, Storage):
        return Shell()
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or any(type(number) is not int or number < 0 for number in numbers):
        raise Refused("a tensor's shape is none")
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if count > storage.length or (count and last >= storage.length):
        raise Refused("a tensor reaches beyond its numbers")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): _view,
    ("torch._utils", "_rebuild_tensor_v2"): _view,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
}


class Unpickler(pickle.Unpickler):
    """Finds no class and no function but the few that rebuild tensors. ``storages``: those that it came by, by key."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        if module == "torch" and name in _KINDS:
            return name
        return type("Shell", (Shell,), {"origin": f"{module}.{name}"[:200]})

    def persistent_load(self, saved: Any) -> Any:
        kind = saved[0] if isinstance(saved, tuple) and saved else None
        if kind == "module":
            return saved[1]
        if kind != "storage" or len(saved) not in (5, 6) or saved[1] not in _KINDS or type(saved[4]) is not int:
            raise Refused(f"it refers to something that is no storage ({str(saved)[:80]})")
        if len(saved) == 6 and saved[5] is not None:
            raise Refused("it holds views of storages, as only versions of PyTorch before 0.4 wrote them")
        return self.storages.setdefault(str(saved[2]), Storage(saved[1], str(saved[2]), saved[4]))


def gathered(found: Any) -> dict[str, Tensor]:
    """The tensors of a pickled module, or of a state dict that is wrapped or bare, by their names."""
    if isinstance(found, dict):
        for wrapper in ("state_dict", "model_state_dict", "model", "net"):
            if isinstance(found.get(wrapper), dict | Shell):
                return gathered(found[wrapper])
        return {name: value for name, value in found.items() if isinstance(name, str) and isinstance(value, Tensor)}
    tensors: dict[str, Tensor] = {}
    # A list, not a recursion, and counted: modules may hold each other twice, and double with every step.
    waiting: list[tuple[str, Any]] = [("", found)]
    for prefix, module in waiting:
        state = module.state if isinstance(module, Shell) else None
        if not isinstance(state, dict):
            continue
        for kind in ("_parameters", "_buffers"):
            for name, value in _items(state.get(kind)):
                if isinstance(value, Tensor):
                    tensors[prefix + name] = value
        waiting += [(f"{prefix}{name}.", child) for name, child in _items(state.get("_modules"))]
        if len(waiting) > _MOST_MODULES or len(prefix) > _LONGEST_NAME:
            raise Refused("its modules are nested without end")
    return tensors


def _items(values: Any) -> list[tuple[str, Any]]:
    given = values.items() if isinstance(values, dict) else ()
    return [(name, value) for name, value in given if isinstance(name, str)]


def read(file: IO[bytes], limit: int) -> dict[str, tuple[str, np.ndarray]]:
    """Name -> kind and numbers, of a file as ``torch.save`` writes it, the new way (a zip) or the old."""
    if file.read(4) == b"PK\x03\x04":
        return _from_zip(file, limit)
    file.seek(0)
    return _from_stream(file, limit)


def _from_zip(file: IO[bytes], limit: int) -> dict[str, tuple[str, np.ndarray]]:
    with zipfile.ZipFile(file) as archive:
        names = {name.partition("/")[2]: name for name in archive.namelist()}
        if "data.pkl" not in names:
            raise Refused("it is a zip without data.pkl")
        if sum(entry.file_size for entry in archive.infolist()) > limit:
            raise Refused("it unpacks to more than its own size allows")
        order = archive.read(names["byteorder"]) if "byteorder" in names else b"little"
        if order != b"little":
            raise Refused("its numbers are big-endian")
        with archive.open(names["data.pkl"]) as pickled:
            tensors = gathered(Unpickler(pickled).load())
        kept: dict[Storage, bytes] = {}
        for tensor in tensors.values():
            storage = tensor.storage
            if storage not in kept:
                if f"data/{storage.key}" not in names:
                    raise Refused("the numbers of a tensor are missing")
                kept[storage] = archive.read(names[f"data/{storage.key}"])
        return {name: _numbers(tensor, kept[tensor.storage]) for name, tensor in tensors.items()}


def _from_stream(file: IO[bytes], limit: int) -> dict[str, tuple[str, np.ndarray]]:
    if Unpickler(file).load() != _MAGIC:
        raise Refused("it is no file of torch.save")
    version, about = Unpickler(file).load(), Unpickler(file).load()
    if version != 1001 or not isinstance(about, dict) or about.get("little_endian") is False:
        raise Refused("it was written in a way that is not known")
    unpickler = Unpickler(file)
    tensors = gathered(unpickler.load())
    keys = Unpickler(file).load()
    kept: dict[str, bytes] = {}
    for key in map(str, keys if isinstance(keys, list) else ()):
        count = struct.unpack("<q", file.read(8))[0]
        if key not in unpickler.storages or not 0 <= count <= limit:
            raise Refused("it holds numbers of which it does not say what they are")
        kept[key] = file.read(count * np.dtype(_KINDS[unpickler.storages[key].kind][1]).itemsize)
    missing = {tensor.storage.key for tensor in tensors.values()} - set(kept)
    if missing:
        raise Refused(f"the numbers of {len(missing)} tensors are missing")
    return {name: _numbers(tensor, kept[tensor.storage.key]) for name, tensor in tensors.items()}


def _numbers(tensor: Tensor, content: bytes) -> tuple[str, np.ndarray]:
    kind, form = _KINDS[tensor.storage.kind]
    flat = np.frombuffer(content, form)
    if len(flat) < tensor.storage.length:
        raise Refused("it ends before its numbers do")
    steps = tuple(step * flat.itemsize for step in tensor.strides)
    return kind, np.ascontiguousarray(
        np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, steps, writeable=False)
    ).reshape(tensor.shape)


def write(tensors: dict[str, tuple[str, np.ndarray]], out: IO[bytes]) -> None:
    """As safetensors."""
    header: dict[str, Any] = {}
    end = 0
    for name, (kind, numbers) in tensors.items():
        header[name] = {"dtype": kind, "shape": list(numbers.shape), "data_offsets": [end, end + numbers.nbytes]}
        end += numbers.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    out.write(struct.pack("<Q", len(text)) + text)
    for _, numbers in tensors.values():
        out.write(numbers.tobytes())
    out.flush()


# What this process gives up, before it opens the file


def confined(limit: int) -> list[str]:
    """Give up what can be given up; what took hold, in words."""
    took = ["no code of the file is run"]
    if _limited(limit):
        took.append("memory, time and size of files are limited")
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        new_user, new_net = 0x10000000, 0x40000000
        if libc.unshare(new_net) == 0 or libc.unshare(new_user | new_net) == 0:
            took.append("the kernel gives it no network")
        if _filtered(libc):
            took.append("the kernel lets it start no program, open no connection and write no other file")
    sys.addaudithook(_audit)
    took.append("Python code in it that opens a file to write, a connection or a program is ended")
    return took


def _limited(limit: int) -> bool:
    try:
        import resource
    except ImportError:  # Windows
        return False
    took = False
    bounds = {"RLIMIT_AS": 4 * limit + (1 << 30), "RLIMIT_CPU": 120, "RLIMIT_FSIZE": limit, "RLIMIT_CORE": 0}
    for name, bound in bounds.items():
        # Not every system has each of them.
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (bound, bound))
            took = True
    return took


# Numbers of calls that are refused, by machine: openat, openat2, then those that always are.
_CALLS = {
    "x86_64": (
        0xC000003E,
        257,
        # socket connect socketpair bind listen clone fork vfork execve kill ptrace rename mkdir rmdir creat link unlink
        # symlink chmod chown truncate mount and their younger forms, process_vm_*, bpf, io_uring_*, clone3, openat2
        (
            *(41, 42, 53, 49, 50, 56, 57, 58, 59, 62, 101, 82, 83, 84, 85, 86, 87, 88, 90, 92, 76, 165),
            *(258, 263, 264, 265, 266, 268, 260, 310, 311, 316, 321, 322, 425, 426, 427, 434, 435, 437),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        56,
        (
            *(198, 203, 199, 200, 201, 220, 221, 129, 117, 38, 34, 35, 36, 37, 45, 53, 54, 40),
            *(270, 271, 276, 280, 281, 425, 426, 427, 434, 435, 437),
        ),
    ),
}


def _filtered(libc: ctypes.CDLL) -> bool:
    """A seccomp filter: what is refused fails with EPERM. Only files to read can be opened from now on."""
    calls = _CALLS.get(platform.machine())
    if calls is None:
        return False
    machine, openat, refused = calls
    allow, deny = 0x7FFF0000, 0x00050001
    ld, jeq, jge, jset, ret = 0x20, 0x15, 0x35, 0x45, 0x06
    writes = 0x1 | 0x2 | 0x40 | 0x200 | 0x400  # to write, both, create, truncate, append
    steps = [(ld, 0, 0, 4), (jeq, 1, 0, machine), (ret, 0, 0, deny), (ld, 0, 0, 0)]
    # Calls of the other kind of x86 have numbers of their own.
    steps += [(jge, 0, 1, 0x40000000), (ret, 0, 0, deny)]
    for number in refused:
        steps += [(jeq, 0, 1, number), (ret, 0, 0, deny)]
    if machine == 0xC000003E:  # open has its flags as the second argument
        steps += [(jeq, 0, 3, 2), (ld, 0, 0, 24), (jset, 0, 1, writes), (ret, 0, 0, deny), (ld, 0, 0, 0)]
    steps += [(jeq, 0, 3, openat), (ld, 0, 0, 32), (jset, 0, 1, writes), (ret, 0, 0, deny), (ret, 0, 0, allow)]
    program = b"".join(struct.pack("<HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    asked = Program(len(steps), ctypes.addressof(held))
    no_new_privileges, set_filter = 38, 22
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(set_filter, 2, ctypes.byref(asked), 0, 0) == 0)


_ENDS = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "ctypes.",
    "shutil.",
)


def _audit(event: str, given: tuple[Any, ...]) -> None:
    mode, flags = (given[1], given[2]) if event == "open" else (None, 0)
    writes = any(sign in mode for sign in "wax+") if isinstance(mode, str) else flags & (os.O_WRONLY | os.O_RDWR)
    if writes or event.startswith(_ENDS):
        raise PermissionError(f"{event} is not allowed here")


def main(path: str, target: str, limit: int) -> dict[str, Any]:
    """The whole: confined, read, written. What it says of the outcome."""
    with Path(target).open("wb") as out:
        took = confined(limit)
        try:
            with Path(path).open("rb") as file:
                tensors = read(file, limit)
            if not tensors:
                raise Refused("there is no tensor in it")
            write(tensors, out)
        except Refused as why:
            return {"error": str(why), "took": took}
        except MemoryError:
            return {"error": "it asks for more memory than its size allows", "took": took}
        except RecursionError:
            return {"error": "it is nested without end", "took": took}
        except Exception as why:  # whatever a reader raises on damaged bytes is the file's fault
            return {"error": f"{type(why).__name__}: {str(why)[:200]}", "took": took}
        return {"tensors": len(tensors), "took": took}


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))), flush=True)
