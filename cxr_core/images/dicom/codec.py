"""Stored values of an image, decompressed: of DICOM, and of the TIFFs whose decoder cannot be trusted.

Plain and run-length coded pixels, JPEG of 8 bits and JPEG 2000 are decoded here. For the rest (JPEG Lossless, JPEG-LS,
JPEG of 12 bits) there is one decoder, and damaged data can abort the process it runs in: it runs in a process of its
own, ``python -m cxr_core.images.dicom.codec``, which is started when first needed, kept, and replaced when it has died.
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

from cxr_core.images import tiff
from cxr_core.images.dicom import elements, values
from cxr_core.images.dicom.header import Header, header_of

# Transfer syntax -> decoder that reports damage as an exception; "" for pixels that are not compressed.
_SAFE = {
    "1.2.840.10008.1.2": "",
    "1.2.840.10008.1.2.1": "",
    "1.2.840.10008.1.2.2": "",
    "1.2.840.10008.1.2.5": "pydicom",
    "1.2.840.10008.1.2.4.50": "pillow",
    "1.2.840.10008.1.2.4.51": "pillow",
    "1.2.840.10008.1.2.4.90": "pillow",
    "1.2.840.10008.1.2.4.91": "pillow",
}
_EXTENDED = "1.2.840.10008.1.2.4.51"
_SECONDS = 60.0
_LENGTH = struct.Struct("<q")
# Pixels, where each picture begins, and the kinds of value that these may have.
_PIXELS = {
    "PixelData": ("OW", "OB"),
    "FloatPixelData": ("OF",),
    "DoubleFloatPixelData": ("OD",),
    "ExtendedOffsetTable": ("OV",),
    "ExtendedOffsetTableLengths": ("OV",),
}
_idle: "queue.LifoQueue[subprocess.Popen[bytes]]" = queue.LifoQueue()
if hasattr(os, "register_at_fork"):
    # A forked child must not talk through its parent's pipes.
    os.register_at_fork(after_in_child=_idle.queue.clear)


def stored(dataset: Any, content: bytes, header: Header) -> np.ndarray:
    """Numbers as they are stored, (H, W), or (H, W, 3) in RGB. ``dataset``: the parsed ``content``, ``header`` its
    header. Bits that are not stored are still in (:mod:`cxr_core.images.dicom.bits`). Raises anything on damage.
    """
    if header.syntax in _SAFE and not (header.syntax == _EXTENDED and header.allocated > 8):
        return _decoded(dataset, header, _SAFE[header.syntax])
    return isolated(content)


def _decoded(dataset: Any, header: Header, plugin: str) -> np.ndarray:
    """``plugin``: the decoder to use; "" is the first that can."""
    from pydicom.pixels import pixel_array

    # Bits that are not stored are not the decoder's business: it would lose those of numbers that are stored high.
    return pixel_array(_plain(dataset, header), decoding_plugin=plugin, correct_unused_bits=False)


def _plain(dataset: Any, header: Header) -> Any:
    """The pixels under a header that has what a decoder needs, as it was put right."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    plain = Dataset()
    plain.file_meta = FileMetaDataset()
    plain.file_meta.TransferSyntaxUID = UID(header.syntax)
    plain.Rows, plain.Columns, plain.SamplesPerPixel = header.rows, header.columns, header.samples
    plain.PhotometricInterpretation, plain.PlanarConfiguration = header.photometric, header.planar
    plain.BitsAllocated, plain.PixelRepresentation = header.allocated, int(header.signed)
    plain.BitsStored = min(header.precision or header.allocated, header.allocated)
    plain.HighBit = plain.BitsStored - 1
    for keyword, kinds in _PIXELS.items():
        if keyword in dataset:
            vr = dataset.get_item(keyword).VR
            plain.add_new(keyword, vr if vr in kinds else kinds[0], values.data(dataset, keyword)[0])
    return plain


def isolated(content: bytes) -> np.ndarray:
    """The numbers of a DICOM or TIFF file, decoded in a process of its own. Raises anything on damage."""
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
    return np.asarray(np.load(BytesIO(answer), allow_pickle=False))


def _start() -> "subprocess.Popen[bytes]":
    package = Path(__file__).resolve().parents[3]
    paths = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "cxr_core.images.dicom.codec"],
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


def _extended(dataset: Any, header: Header) -> np.ndarray:
    """JPEG Extended of 12 bits, which pydicom does not hand to GDCM."""
    import gdcm
    from pydicom.encaps import get_frame

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(get_frame(values.data(dataset, "PixelData")[0], 0, number_of_frames=1))
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((header.columns, header.rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, 12, 11, 0))
    # GDCM's bytes come as text.
    frame = image.GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(frame, "<u2").reshape(header.rows, header.columns)


def _pixels(content: bytes) -> np.ndarray:
    dataset = elements.read(content, "")
    header = header_of(dataset, "")
    extended = header.syntax == _EXTENDED and header.samples == 1
    return _extended(dataset, header) if extended else _decoded(dataset, header, "")


def _serve() -> None:
    """Answer files on standard input with arrays on standard output, nothing for a refusal, until the input ends."""
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
            np.save(buffer, tiff.numbers(content) if tiff.is_tiff(content) else _pixels(content), allow_pickle=False)
        except Exception:  # the parent reports the file; why a decoder failed is of no use to anyone
            buffer = BytesIO()
        _send(answers, buffer.getvalue())


if __name__ == "__main__":
    _serve()
