"""Stored values of a DICOM image, decompressed.

Plain and run-length coded pixels, JPEG and JPEG 2000 are decoded here. For the rest (JPEG Lossless, JPEG-LS) there is
one decoder, and damaged data can abort the process it runs in: it runs in a process of its own,
``python -m cxr_core.data.codec``, which is started when first needed, kept, and replaced when it has died.
"""

import os
import queue
import struct
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from cxr_core.data import elements

# Transfer syntax -> decoder that reports damage as an exception; "" for pixels that are not compressed.
_SAFE = {
    "1.2.840.10008.1.2": "",
    "1.2.840.10008.1.2.1": "",
    "1.2.840.10008.1.2.2": "",
    "1.2.840.10008.1.2.5": "pydicom",
    "1.2.840.10008.1.2.4.50": "pillow",
    "1.2.840.10008.1.2.4.90": "pillow",
    "1.2.840.10008.1.2.4.91": "pillow",
}
_SECONDS = 60.0
_LENGTH = struct.Struct("<q")
_idle: "queue.LifoQueue[subprocess.Popen[bytes]]" = queue.LifoQueue()
if hasattr(os, "register_at_fork"):
    # A forked child must not talk through its parent's pipes.
    os.register_at_fork(after_in_child=_idle.queue.clear)


def stored(dataset: Any, content: bytes) -> np.ndarray:
    """The stored values, as the header shapes them. ``dataset``: the parsed ``content``. Raises anything on damage."""
    from pydicom.pixels import pixel_array

    syntax = str(dataset.file_meta.TransferSyntaxUID)
    if syntax in _SAFE:
        return pixel_array(dataset, decoding_plugin=_SAFE[syntax])
    return _isolated(content)


def _isolated(content: bytes) -> np.ndarray:
    try:
        worker = _idle.get_nowait()
    except queue.Empty:
        worker = _start()
    assert worker.stdin is not None
    assert worker.stdout is not None
    alarm = threading.Timer(_SECONDS, worker.kill)
    alarm.start()
    try:
        _send(worker.stdin, content)
        answer = _receive(worker.stdout)
    except (OSError, EOFError) as error:
        worker.kill()
        worker.communicate()
        raise RuntimeError("the decoder ended before its answer") from error
    finally:
        alarm.cancel()
    _idle.put(worker)
    if not answer:
        raise ValueError("the decoder refused the pixels")
    return np.load(BytesIO(answer), allow_pickle=False)


def _start() -> "subprocess.Popen[bytes]":
    package = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "cxr_core.data.codec"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": paths},
    )


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)))
    pipe.write(message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    message = pipe.read(length)
    if len(message) < length:
        raise EOFError
    return message


def _serve() -> None:
    """Answer files on standard input with arrays on standard output, nothing for a refusal, until the input ends."""
    from pydicom.pixels import pixel_array

    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What decoders print must not get between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        try:
            content = _receive(sys.stdin.buffer)
        except EOFError:
            return
        buffer = BytesIO()
        try:
            np.save(buffer, pixel_array(elements.read(content, "")), allow_pickle=False)
        except Exception:  # the parent reports the file; why a decoder failed is of no use to anyone
            buffer = BytesIO()
        _send(answers, buffer.getvalue())


if __name__ == "__main__":
    _serve()
