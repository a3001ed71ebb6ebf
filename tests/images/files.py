"""Small real files of every kind, made on the spot."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, RLELossless

from cxr_core.data.dataset import scan


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """An image as the bytes of a file."""
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    """A grey picture that is different in every direction, mode "L"."""
    down, across = np.mgrid[0:height, 0:width]
    return Image.fromarray((down * 120 // height + across * 130 // width).astype(np.uint8))


def noise(seed: int, width: int = 40, height: int = 30) -> Image.Image:
    """A picture unlike any other of another seed, mode "L"."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8))


def write(path: Path, seed: int) -> Path:
    """A small PNG on disk, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(noise(seed), "PNG"))
    return path


def tree(root: Path, files: dict[str, int], start: int = 0) -> Path:
    """Folders with so many different images each: ``{"train/A": 3, "train/B": 2}``."""
    seed = start
    for folder, count in files.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            write(root / folder / f"{number:03d}.png", seed)
            seed += 1
    return root


def unreadable(root: Path) -> dict[str, str]:
    """The files that a scan left out, with the reason."""
    return dict(scan(root).unreadable[["file", "reason"]].itertuples(index=False))


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a picture and holds none: valid checksums, a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


VALUES = (np.arange(40 * 30, dtype=np.uint16).reshape(30, 40) * 3) % 4096


def with_text(content: bytes, element: int, value: str) -> bytes:
    """The file with the text of the element (0028,``element``) replaced by another of the same length or shorter, as an
    exporter might write it that checks nothing. Elements are explicit VR, little endian.
    """
    at = content.index(struct.pack("<HH", 0x28, element))
    (length,) = struct.unpack("<H", content[at + 6 : at + 8])
    text = value.encode().ljust(length)
    assert len(text) == length
    return content[: at + 8] + text + content[at + 8 + length :]


def radiograph(values: np.ndarray = VALUES, bits: int = 12, syntax: UID = ExplicitVRLittleEndian, **tags: Any) -> bytes:
    """A DICOM file of these values, (H, W) or (H, W, 3); ``tags`` are set last, None leaves one out."""
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dataset.SOPClassUID, dataset.SOPInstanceUID = DigitalXRayImageStorageForPresentation, "1.2.3"
    dataset.PatientName, dataset.PatientID = "Secret^Name", "ID-0815"
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    if values.ndim == 3:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.BitsAllocated = 8 * values.itemsize
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(np.issubdtype(values.dtype, np.signedinteger))
    dataset.PixelData = values.tobytes()
    if tags.get("BitsAllocated", 0) is None:
        dataset["PixelData"].VR = "OW"
    for tag, value in tags.items():
        if value is None:
            delattr(dataset, tag)
        else:
            setattr(dataset, tag, value)
    if syntax == RLELossless:
        dataset.compress(syntax)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
