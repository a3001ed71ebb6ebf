"""DICOM files -> 8-bit grey pictures, as a viewer would show them.

``is_dicom(content)`` looks only at the first bytes and costs nothing; ``inspect`` reads header and pixel data;
``decode`` also applies rescale, VOI LUT or window, and inverts MONOCHROME1.

Only the elements in ``_TAGS`` are ever read. A DICOM file names its patient, so nothing else of it is parsed, and
no message of the DICOM library is passed on: it could quote an element.
"""

import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from cxr_core.data import grey, limits
from cxr_core.data.limits import ImageInfo
from cxr_core.errors import ImageError

_TAGS = [
    *("SOPClassUID", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PlanarConfiguration", "PixelData"),
    *("FloatPixelData", "DoubleFloatPixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
]
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_EXTREMES = np.array([-1e12, 1e12])


def is_dicom(content: bytes) -> bool:
    """True for a DICOM file, with its preamble (``DICM`` at byte 128) or without it."""
    if content[128:132] == b"DICM":
        return True
    # Without a preamble the file starts with an element of group 2 or 8, little or big endian, and an even length.
    if content[:2] not in (b"\x02\x00", b"\x08\x00", b"\x00\x08"):
        return False
    return len(content) > 128 and _DEFLATED not in content and "SOPClassUID" in _read(content, "", pixels=False)


def inspect(content: bytes, name: str) -> ImageInfo:
    """Facts of a DICOM image whose pixel data can be decoded; raises ImageError as :func:`decode` does."""
    dataset = _read(content, name)
    _array(dataset, name)
    mode = str(dataset.PhotometricInterpretation)
    return ImageInfo(int(dataset.Columns), int(dataset.Rows), mode, "DICOM", int(dataset.BitsStored))


def decode(content: bytes, name: str) -> Image.Image:
    """The picture in mode "L", white is dense.

    In the standard's order (PS3.3 C.11): modality LUT or rescale, then VOI LUT or window. Where the file has neither,
    the stored values are scaled as in a PNG of the same depth. MONOCHROME1 is inverted.

    Raises ImageError where the object is no single grey image, is over a limit, or cannot be decoded.
    """
    dataset = _read(content, name)
    stored = _array(dataset, name)
    try:
        picture = _windowed(dataset, _rescaled(dataset, stored))
    except Exception as error:  # a hostile header raises anything; the message may quote the file, so it is not kept
        raise _undecodable(dataset, name, error) from None
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        picture = 255 - picture
    return Image.fromarray(picture)


def _read(content: bytes, name: str, pixels: bool = True) -> Any:
    """The elements of ``_TAGS``; an empty data set where nothing can be parsed."""
    import pydicom
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    # Checking values against the standard would warn, and quote them.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    if _DEFLATED in content:
        content = _inflated(content, name)
    try:
        dataset = pydicom.dcmread(
            BytesIO(content), force=True, specific_tags=list(_TAGS), stop_before_pixels=not pixels
        )
        if "TransferSyntaxUID" not in dataset.file_meta:
            implicit, little = dataset.original_encoding
            explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
        return dataset
    except Exception:  # see decode
        return pydicom.Dataset()


def _inflated(content: bytes, name: str) -> bytes:
    """The data set of a deflated file, without its header. The library would inflate it without a limit."""
    # The group length (0002,0000) at byte 132 says where the header ends and the deflated part starts.
    start = 144 + int.from_bytes(content[140:144], "little")
    damaged = ImageError(f"{name}: the deflated part of this DICOM file is damaged. Export it again.")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        dataset = inflater.decompress(content[start:], limits.MAX_BYTES + 1)
    except zlib.error:
        raise damaged from None
    if len(dataset) <= limits.MAX_BYTES and not inflater.eof:
        raise damaged
    limits.check_bytes(len(dataset), name)
    return dataset


def _array(dataset: Any, name: str) -> np.ndarray:
    """Stored values (rows, columns) after all checks."""
    from pydicom.pixels import pixel_array

    if "PixelData" not in dataset and "FloatPixelData" not in dataset and "DoubleFloatPixelData" not in dataset:
        raise ImageError(
            f"{name}: this DICOM object holds no image (a report, a presentation state, or a file cut short). "
            "Choose the image object of the study."
        )
    try:
        width, height = int(dataset.Columns), int(dataset.Rows)
        frames, samples = int(dataset.get("NumberOfFrames") or 1), int(dataset.SamplesPerPixel)
        photometric = str(dataset.PhotometricInterpretation)
    except (AttributeError, TypeError, ValueError):
        raise ImageError(
            f"{name}: the DICOM header lacks rows, columns or the kind of pixels. Export the file again."
        ) from None
    limits.check_size(width, height, name)
    limits.check_frames(frames, name)
    if samples != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise ImageError(
            f"{name}: expected a grey DICOM image (MONOCHROME1 or MONOCHROME2), got {photometric[:16]} with {samples} "
            "samples per pixel. Export it as grey, or as PNG."
        )
    try:
        array = pixel_array(dataset)
    except Exception as error:  # see decode
        raise _undecodable(dataset, name, error) from None
    if array.shape != (height, width):
        raise ImageError(f"{name}: expected {width} x {height} pixels as the header says, got {array.shape}.")
    return array


def _undecodable(dataset: Any, name: str, error: Exception) -> ImageError:
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "not stated")
    return ImageError(
        f"{name}: the DICOM pixels cannot be decoded (transfer syntax {getattr(syntax, 'name', syntax)}, "
        f"{type(error).__name__}): damaged, cut short or not supported. Export it uncompressed."
    )


def _rescaled(dataset: Any, stored: np.ndarray) -> np.ndarray:
    from pydicom.pixels import apply_rescale

    if dataset.get("ModalityLUTSequence"):
        return _looked_up(stored, dataset.ModalityLUTSequence[0])
    if (float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)) == (1.0, 0.0):
        return stored
    return apply_rescale(stored, dataset)


def _windowed(dataset: Any, values: np.ndarray) -> np.ndarray:
    from pydicom.pixels import apply_windowing

    if dataset.get("VOILUTSequence"):
        table = dataset.VOILUTSequence[0]
        return grey.from_range(_looked_up(values, table), 0, 2 ** int(table.LUTDescriptor[2]) - 1)
    if _has_window(dataset):
        # The library maps to the range of the stored values; where that begins and ends, the extremes tell.
        with np.errstate(over="ignore"):
            low, high = apply_windowing(_EXTREMES, dataset)
        return grey.from_range(apply_windowing(values, dataset), low, high)
    return grey.from_numbers(values)


def _has_window(dataset: Any) -> bool:
    """A width below 1, an empty or a missing value is common in exports, and says nothing."""
    center, width = dataset.get("WindowCenter"), dataset.get("WindowWidth")
    if center is None or width is None:
        return False
    first = width[0] if hasattr(width, "__len__") else width
    return float(first) > 1


def _looked_up(values: np.ndarray, item: Any) -> np.ndarray:
    """Apply a modality or VOI LUT (PS3.3 C.11.1.1): values before the first and after the last entry take its ends."""
    entries, first = int(item.LUTDescriptor[0]) or 2**16, int(item.LUTDescriptor[1])
    data = item.LUTData
    table = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data)
    table = table[:entries].astype(np.uint16)
    return table[np.clip(np.round(values).astype(np.int64) - first, 0, len(table) - 1)]
